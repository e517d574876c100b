/** A command on its way into the log. */
import { createHash } from 'node:crypto'
import { asWritten, type Blob, type Command, type RunId, slim, withoutRunId } from '@baton/core/adapter'
import { commandOf, lineOf, placesOf } from './line-form.ts'

/** A class, as what is made for every command should be: `script-line.ts` says why. */
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
  readonly lineMaxBytes: number
}

export interface TooLarge {
  readonly type: 'too-large'
  readonly limitBytes: number
}

const NO_BLOBS: readonly Blob[] = []

export function draftOf(
  runId: RunId,
  command: Command,
  { inlineMaxBytes, valueMaxBytes, lineMaxBytes }: Limits,
): Draft | TooLarge {
  const listed = placesOf(command)
  const line = lineOf(command, listed)
  const own = listed === undefined ? asWritten(command) : commandOf(asWritten(listed), runId)
  // A character has three bytes at most.
  if (line.length * 3 <= inlineMaxBytes) return new Draft(own, line)
  const { blobs, places, command: slimmed } = slim(JSON.stringify(withoutRunId(command)), inlineMaxBytes, sha256)
  const text = blobs.length === 0 ? line : JSON.stringify({ blobs: places, command: slimmed })
  if (Buffer.byteLength(text) > lineMaxBytes) return { type: 'too-large', limitBytes: lineMaxBytes }
  if (blobs.some((blob) => Buffer.byteLength(blob.text) > valueMaxBytes)) {
    return { type: 'too-large', limitBytes: valueMaxBytes }
  }
  return new Draft(own, text, blobs)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
