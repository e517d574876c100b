/** Removes runs that ended long ago, everything of a run together, and leaves a tombstone. */
import type { RunId } from '../model/ids.ts'
import { isTerminal } from '../model/run.ts'
import type { PurgeOptions } from '../ports/run-store.ts'
import type { LogBackend } from './log-backend.ts'
import { parseNote, type StoredNote } from './stored-note.ts'

export interface RetentionOptions {
  readonly backend: LogBackend
  readonly tombstoneMs: number
  readonly forget: (runId: RunId) => void
}

const PAGE = 200

export async function purge(
  options: RetentionOptions,
  { endedBeforeMs, limit = 1_000 }: PurgeOptions,
): Promise<number> {
  let count = 0
  for (const ended of options.backend.ended()) {
    for (let stayed = 0; count < limit; ) {
      // An instant that is not before.
      const { runIds, isLast } = await ended.next(endedBeforeMs - 1, stayed, Math.min(PAGE, limit - count))
      const removed = await Promise.all(runIds.map((runId) => purgeOne(options, runId, endedBeforeMs)))
      const gone = removed.filter(Boolean).length
      count += gone
      stayed += runIds.length - gone
      if (isLast) break
    }
  }
  return count
}

async function purgeOne(options: RetentionOptions, runId: RunId, endedBeforeMs: number): Promise<boolean> {
  const { backend, tombstoneMs, forget } = options
  const note = await noteOn(options, runId)
  if (note?.lines === undefined || !(await mayGo(options, note, endedBeforeMs))) return false
  const isGone = await backend.log(runId).purge(note.lines, tombstoneMs)
  if (isGone) forget(runId)
  return isGone
}

async function mayGo(options: RetentionOptions, note: StoredNote, endedBeforeMs: number): Promise<boolean> {
  if (note.rootRunId !== note.runId) {
    const root = await noteOn(options, note.rootRunId)
    if (root !== undefined && !isTerminal(root.status)) return false
  }
  // People know runs that go on for each other by the first one's id: it stays as long as the last of them.
  if (note.newestRunId === undefined || note.firstRunId !== undefined) return true
  const newest = await noteOn(options, note.newestRunId)
  if (newest === undefined) return true
  return newest.isContinued !== true && newest.endedAtMs !== undefined && newest.endedAtMs < endedBeforeMs
}

async function noteOn({ backend }: RetentionOptions, runId: RunId): Promise<StoredNote | undefined> {
  return parseNote(await backend.note(runId))
}
