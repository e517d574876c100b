/** What is noted about runs beside their logs: for lists and retention. */
import type { RunNote } from '../machine/run-note.ts'
import type { RunSummary } from '../model/run.ts'

export interface StoredNote extends RunNote {
  /** How many lines its log had at its end. */
  readonly lines?: number
  /** How it ended; absent where that is long. */
  readonly summary?: RunSummary
}

/** The note of a run that is over, with how it ended: what that says as well is not said twice. */
export function noteOfEnd(note: RunNote, lines: number, summary: RunSummary | undefined): string {
  const { runId: _, rootRunId: __, flowId: ___, tags: ____, status: _____, createdAtMs: ______, ...others } = note
  return JSON.stringify({ ...others, lines, summary })
}

/** The note of a run that starts says 0 until its time is known: that of its first line. */
export function createdAt(note: string, stamp: string): string {
  return note.replace('"createdAtMs":0', `"createdAtMs":${stamp}`)
}

export function parseNote(text: string | undefined): StoredNote | undefined {
  if (text === undefined) return undefined
  const note = JSON.parse(text) as Partial<RunNote> & Pick<StoredNote, 'lines' | 'summary'>
  if (note.summary === undefined) return note as StoredNote
  const { runId, lineage, flowId, tags, status, createdAtMs } = note.summary
  return { runId, rootRunId: lineage.rootRunId, flowId, tags, status, createdAtMs, ...note }
}
