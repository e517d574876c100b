/** What is noted about runs beside their logs: for lists and retention. */
import type { RunNote, RunSummary } from '@baton/core/adapter'

export interface StoredNote extends RunNote {
  /** How many lines its log had at its end. */
  readonly lines?: number
  /** How it ended; absent where that is long. */
  readonly summary?: RunSummary
}

export function parseNote(text: string | null | undefined): StoredNote | undefined {
  return typeof text === 'string' ? (JSON.parse(text) as StoredNote) : undefined
}
