/** Pages of runs, newest first: chosen by their notes, then told as they are. */
import { checkPageLimit, cursorOf, pageOf, parseCursor } from '../machine/run-pages.ts'
import type { RunSummary } from '../model/run.ts'
import type { RunPage, RunQuery } from '../ports/run-store.ts'
import type { LogBackend } from './log-backend.ts'
import { parseNote, type StoredNote } from './stored-note.ts'

/** More than a page, so that a filter has something to choose from. */
const LEAST_READ = 200

/** Gives summaries that may be notes alone: what a page has of a live run is for the caller to read. */
export async function listNotes(
  backend: LogBackend,
  query: RunQuery,
): Promise<{ readonly notes: readonly StoredNote[]; readonly cursor?: string }> {
  const limit = checkPageLimit(query.limit ?? 100)
  const letters = query.deadLettered === true
  const after = query.cursor === undefined ? undefined : parseCursor(query.cursor)
  const fromMs = query.createdAfterMs ?? Number.NEGATIVE_INFINITY
  const untilMs = Math.min(
    after?.createdAtMs ?? Number.POSITIVE_INFINITY,
    query.createdBeforeMs ?? Number.POSITIVE_INFINITY,
  )
  for (let count = Math.max(LEAST_READ, limit + 1); ; count *= 2) {
    const { notes: texts, allAfterMs } = await backend.listed({ letters, fromMs, untilMs, count })
    const known = texts.flatMap((text) => parseNote(text) ?? []).filter(({ createdAtMs }) => createdAtMs > allAfterMs)
    const page: RunPage = pageOf(known as readonly unknown[] as readonly RunSummary[], query)
    const notes = page.runs as readonly unknown[] as readonly StoredNote[]
    if (page.cursor !== undefined || allAfterMs === Number.NEGATIVE_INFINITY) return { ...page, notes }
    // There are more, and none of those seen fills the page. Those of one instant are read at once, however many they are.
    const last = known.reduce<StoredNote | undefined>(
      (low, note) =>
        low === undefined ||
        note.createdAtMs < low.createdAtMs ||
        (note.createdAtMs === low.createdAtMs && note.runId > low.runId)
          ? note
          : low,
      undefined,
    )
    if (last !== undefined) return { notes, cursor: cursorOf(last) }
  }
}
