/** A command on its way into the log. */
import { createHash } from 'node:crypto'
import { type Blob, type Command, slim, withoutRunId } from '@baton/core/adapter'
import { lineOf, type Places, placesOf } from './line-form.ts'

/** A class, as what is made for every command should be: `script-line.ts` says why. */
export class Draft {
  readonly command: Command
  /** The list as which it stands there; undefined for one that stands there by its names. */
  readonly places: Places | undefined
  /** As it stands in the line. */
  readonly text: string
  readonly blobs: readonly Blob[]

  constructor(command: Command, places: Places | undefined, text: string, blobs: readonly Blob[] = NO_BLOBS) {
    this.command = command
    this.places = places
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

export function draftOf(command: Command, { inlineMaxBytes, valueMaxBytes, lineMaxBytes }: Limits): Draft | TooLarge {
  const listed = placesOf(command)
  const line = lineOf(command, listed)
  // A character has three bytes at most.
  if (line.length * 3 <= inlineMaxBytes) return new Draft(command, listed, line)
  const { blobs, places, command: slimmed } = slim(JSON.stringify(withoutRunId(command)), inlineMaxBytes, sha256)
  const text = blobs.length === 0 ? line : JSON.stringify({ blobs: places, command: slimmed })
  if (Buffer.byteLength(text) > lineMaxBytes) return { type: 'too-large', limitBytes: lineMaxBytes }
  if (blobs.some((blob) => Buffer.byteLength(blob.text) > valueMaxBytes)) {
    return { type: 'too-large', limitBytes: valueMaxBytes }
  }
  return new Draft(command, listed, text, blobs)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
