/** A command on its way into the log. */
import { createHash } from 'node:crypto'
import { type Blob, type Command, slim, withoutRunId } from '@baton/core/adapter'
import { shortened } from './shorthand.ts'

export interface Draft {
  readonly command: Command
  /** As it stands in the line. */
  readonly text: string
  /** With all its values in their places. */
  readonly fullText: string
  readonly blobs: readonly Blob[]
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

export function draftOf(command: Command, { inlineMaxBytes, valueMaxBytes, lineMaxBytes }: Limits): Draft | TooLarge {
  const fullText = JSON.stringify(withoutRunId(command))
  // A character has three bytes at most.
  if (fullText.length * 3 <= inlineMaxBytes) return { command, text: shortened(fullText), fullText, blobs: [] }
  const slimmed = slim(fullText, inlineMaxBytes, sha256)
  const { blobs, places } = slimmed
  const text = blobs.length === 0 ? fullText : JSON.stringify({ blobs: places, command: slimmed.command })
  if (Buffer.byteLength(text) > lineMaxBytes) return { type: 'too-large', limitBytes: lineMaxBytes }
  if (blobs.some((blob) => Buffer.byteLength(blob.text) > valueMaxBytes)) {
    return { type: 'too-large', limitBytes: valueMaxBytes }
  }
  return { command, text: shortened(text), fullText, blobs }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
