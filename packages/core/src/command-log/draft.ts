/** A command on its way into the log. */
import type { Command } from '../machine/command.ts'
import { type Blob, slim } from '../machine/large-values.ts'
import { withoutRunId } from '../machine/stored-command.ts'
import { asWritten } from '../model/copy.ts'
import type { RunId } from '../model/ids.ts'
import { textLength } from '../model/json.ts'
import { commandOf, lineOf, placesOf } from './line-form.ts'

/** A class, as what is made for every command should be: `logged-run.ts` says why. */
export class Draft {
  /** As others will read it, and as it was when it was given to us: until the answer comes, its giver may change it. */
  readonly command: Command
  /** As it stands in the line. */
  readonly text: string
  readonly blobs: readonly Blob[]

  constructor(command: Command, text: string, blobs: readonly Blob[] = NO_BLOBS) {
    this.command = command
    this.text = text
    this.blobs = blobs
  }
}

export interface Limits {
  /** Values whose JSON is longer are kept apart. */
  readonly inlineMaxBytes: number
  readonly valueMaxBytes: number
  /** The longest that a command may be without such values. */
  readonly lineMaxBytes: number
  /** A command that is longer without them is kept apart itself, and its line says where. */
  readonly lineInlineMaxBytes: number
}

export interface TooLarge {
  readonly type: 'too-large'
  readonly limitBytes: number
}

const NO_BLOBS: readonly Blob[] = []

export function draftOf(
  runId: RunId,
  command: Command,
  limits: Limits,
  sha256: (text: string) => string,
): Draft | TooLarge {
  const { inlineMaxBytes, valueMaxBytes, lineMaxBytes, lineInlineMaxBytes } = limits
  const listed = placesOf(command)
  const line = lineOf(command, listed)
  const own = listed === undefined ? asWritten(command) : commandOf(asWritten(listed), runId)
  // A character has three bytes at most.
  if (line.length * 3 <= inlineMaxBytes) return new Draft(own, line)
  const { blobs, places, command: slimmed } = slim(JSON.stringify(withoutRunId(command)), inlineMaxBytes, sha256)
  const text = blobs.length === 0 ? line : JSON.stringify({ blobs: places, command: slimmed })
  const bytes = textLength(text)
  if (bytes > lineMaxBytes) return { type: 'too-large', limitBytes: lineMaxBytes }
  if (blobs.some((blob) => textLength(blob.text) > valueMaxBytes)) {
    return { type: 'too-large', limitBytes: valueMaxBytes }
  }
  if (bytes <= lineInlineMaxBytes) return new Draft(own, text, blobs)
  const apart = sha256(text)
  return new Draft(own, JSON.stringify({ apart }), [...blobs, { sha256: apart, text }])
}
