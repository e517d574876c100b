/** Pages of runs, newest first: chosen by their notes, then told as they are. */
import {
  checkPageLimit,
  cursorOf,
  pageOf,
  parseCursor,
  type RunPage,
  type RunQuery,
  type RunSummary,
} from '@baton/core/adapter'
import type { Keys } from '../keys.ts'
import { shardsOf } from './finding-due.ts'
import { parseNote, type StoredNote } from './notes.ts'

export interface ListingIndexes {
  /** Run ids with their instants, those of the latest first, between two instants. */
  latest(key: string, fromMs: number, untilMs: number, count: number): Promise<readonly (readonly [string, number])[]>
  notes(key: string, runIds: readonly string[]): Promise<readonly (string | null)[]>
}

/** More than a page, so that a filter has something to choose from. */
const LEAST_READ = 200

/** Gives summaries that may be notes alone: what a page has of a live run is for the caller to read. */
export async function listNotes(
  keys: Keys,
  indexes: ListingIndexes,
  query: RunQuery,
): Promise<{ readonly notes: readonly StoredNote[]; readonly cursor?: string }> {
  const limit = checkPageLimit(query.limit ?? 100)
  const after = query.cursor === undefined ? undefined : parseCursor(query.cursor)
  const fromMs = query.createdAfterMs ?? Number.NEGATIVE_INFINITY
  const untilMs = Math.min(
    after?.createdAtMs ?? Number.POSITIVE_INFINITY,
    query.createdBeforeMs ?? Number.POSITIVE_INFINITY,
  )
  for (let count = Math.max(LEAST_READ, limit + 1); ; count *= 2) {
    let readUntilMs = Number.NEGATIVE_INFINITY
    const each = await Promise.all(
      shardsOf(keys).map(async (shard) => {
        const { created, letters, notes } = keys.ofShard(shard)
        const found = await indexes.latest(query.deadLettered === true ? letters : created, fromMs, untilMs, count)
        // What this shard has beyond is not known.
        if (found.length === count) readUntilMs = Math.max(readUntilMs, found.at(-1)?.[1] ?? 0)
        if (found.length === 0) return []
        const texts = await indexes.notes(
          notes,
          found.map(([runId]) => runId),
        )
        return texts.flatMap((text) => parseNote(text) ?? [])
      }),
    )
    const known = each.flat().filter(({ createdAtMs }) => createdAtMs > readUntilMs)
    const page: RunPage = pageOf(known as readonly unknown[] as readonly RunSummary[], query)
    const notes = page.runs as readonly unknown[] as readonly StoredNote[]
    if (page.cursor !== undefined || readUntilMs === Number.NEGATIVE_INFINITY) return { ...page, notes }
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
