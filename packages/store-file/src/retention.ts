/**
 * Removes runs that ended long ago. A tombstone first, then the log, then the rest: from the tombstone on the run is
 * not there any more for anybody, so a process that dies in the middle leaves litter, and no half of a run. The next
 * purge takes that away while the tombstone is valid. Afterwards it must not: the id may be that of a new run. A log that
 * nobody took away until then is an ended run like any other, and is purged like one.
 */
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { PurgeOptions, RunId } from '@baton/core/adapter'
import { type FolderSync, removeFile } from './disk.ts'
import { hasCode } from './failure.ts'
import { idOfFileName } from './file-name.ts'
import { identityOf } from './open-files.ts'
import type { Paths } from './paths.ts'
import { type RunIndex, type RunNote, removeOrphans } from './run-index.ts'
import type { Tombstones } from './tombstones.ts'

export interface RetentionOptions {
  readonly paths: Paths
  readonly folders: FolderSync
  readonly index: RunIndex
  readonly tombstones: Tombstones
  readonly forget: (runId: RunId) => void
}

/** Younger things may be on their way out. */
const TRASH_MS = 60_000
/** A live process that misses its link source makes another. */
const LINKS_MS = 24 * 3_600_000

/** A tombstone that is nearly over is left alone: a start may be just about to use its id. */
const NEARLY_OVER_MS = 60_000
/** How many runs to look at before others get their turn. */
const RUNS_PER_TURN = 50

export async function purge(
  { paths, folders, index, tombstones, forget }: RetentionOptions,
  { endedBeforeMs, limit = 1_000 }: PurgeOptions,
  nowMs: number,
): Promise<number> {
  const removeFound = (runId: RunId): boolean => {
    const removed = removeRun(paths, runId)
    index.forget(runId)
    forget(runId)
    return removed
  }
  const notes = await index.scan()
  const kept = firstRunsOfTheLiving(notes, endedBeforeMs)
  const ended = [...notes.values()]
    .filter((note) => mayGo(note, notes, endedBeforeMs) && !kept.has(note.runId))
    .slice(0, limit)
  const found = ended.map((note) => ({ runId: note.runId, identity: identityOfLog(paths, note.runId, note.logBytes) }))
  const doomed = found.filter(({ identity }) => identity !== undefined)
  const runIds = doomed.map(({ runId }) => runId)
  await tombstones.put(runIds, nowMs, folders)
  let count = 0
  for (const [position, { runId, identity }] of doomed.entries()) {
    if (position % RUNS_PER_TURN === RUNS_PER_TURN - 1) await setImmediate()
    // Others may have removed it; and if we were held up for longer than a tombstone lasts, have used its id again.
    if (identityOfLog(paths, runId) !== identity) forget(runId)
    else if (removeFound(runId)) count += 1
  }
  for await (const runId of leftovers(paths, notes)) {
    if (tombstones.has(runId, nowMs + NEARLY_OVER_MS)) removeFound(runId)
  }
  await tombstones.removeExpired(nowMs)
  removeOrphans(paths)
  removeLitter(paths.trash, TRASH_MS)
  removeLitter(paths.links, LINKS_MS)
  index.compact()
  return count
}

/** Which file the log is; undefined when there is none, or when it has another length than that. */
function identityOfLog(paths: Paths, runId: RunId, bytes?: number): string | undefined {
  const entry = statSync(paths.run(runId).log, { throwIfNoEntry: false })
  return entry === undefined || (bytes !== undefined && entry.size !== bytes) ? undefined : identityOf(entry)
}

/** Runs with a log that may be what a purge that died has left: all but the live ones. */
async function* leftovers(paths: Paths, notes: ReadonlyMap<RunId, RunNote>): AsyncGenerator<RunId> {
  let looked = 0
  for (const shard of paths.runShards()) {
    for (const name of readdirSync(shard)) {
      if (!name.endsWith('.log')) continue
      if (++looked % RUNS_PER_TURN === 0) await setImmediate()
      const runId = idOfFileName(name.slice(0, -4))
      const note = runId === undefined ? undefined : notes.get(runId)
      if (runId !== undefined && (note === undefined || note.endedAtMs !== undefined)) yield runId
    }
  }
}

function mayGo({ endedAtMs, rootRunId }: RunNote, notes: ReadonlyMap<RunId, RunNote>, endedBeforeMs: number): boolean {
  if (endedAtMs === undefined || endedAtMs >= endedBeforeMs) return false
  const root = notes.get(rootRunId)
  return root === undefined || root.endedAtMs !== undefined
}

/** People know runs that go on for each other by the first one's id: it stays as long as the last of them. */
function firstRunsOfTheLiving(notes: ReadonlyMap<RunId, RunNote>, endedBeforeMs: number): ReadonlySet<RunId> {
  const kept = new Set<RunId>()
  for (const { runId, firstRunId, endedAtMs, isContinued } of notes.values()) {
    // Of one that was continued the next speaks, once it is there: until then the end is not in the note.
    const speaks = endedAtMs === undefined || (isContinued !== true && endedAtMs >= endedBeforeMs)
    if (speaks) kept.add(firstRunId ?? runId)
  }
  return kept
}

/** @returns false when there is none: somebody else has removed it */
export function removeRun(paths: Paths, runId: RunId): boolean {
  const run = paths.run(runId)
  const place = join(paths.trash, `${basename(run.log)}.${process.pid}.${Math.random().toString(36).slice(2)}`)
  try {
    renameSync(run.log, place)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
  rmSync(run.blobs, { recursive: true, force: true })
  removeFile(place)
  return true
}

/** Removes what processes that died have left. */
function removeLitter(folder: string, olderThanMs: number): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY }
    if (Date.now() - mtimeMs > olderThanMs) removeFile(path)
  }
}
