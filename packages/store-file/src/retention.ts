/**
 * Removes runs that ended long ago. A tombstone first, then the log, then the rest: from the tombstone on the run is
 * not there any more for anybody, so a process that dies in the middle leaves litter, and no half of a run.
 */
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { PurgeOptions, RunId } from '@baton/core/adapter'
import { type FolderSync, removeFile } from './disk.ts'
import { hasCode } from './failure.ts'
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

export async function purge(
  { paths, folders, index, tombstones, forget }: RetentionOptions,
  { endedBeforeMs, limit = 1_000 }: PurgeOptions,
  nowMs: number,
): Promise<number> {
  const notes = await index.scan()
  const ended = [...notes.values()].filter((note) => mayGo(note, notes, endedBeforeMs)).slice(0, limit)
  for (const { runId } of ended) tombstones.put(runId, nowMs)
  if (ended.length > 0) await tombstones.sync(folders)
  let count = 0
  for (const { runId } of ended) {
    if (removeRun(paths, runId)) count += 1
    index.forget(runId)
    forget(runId)
  }
  tombstones.removeExpired(nowMs, (runId) => removeRun(paths, runId))
  removeOrphans(paths)
  removeLitter(paths.trash, TRASH_MS)
  removeLitter(paths.links, LINKS_MS)
  index.compact()
  return count
}

function mayGo({ endedAtMs, rootRunId }: RunNote, notes: ReadonlyMap<RunId, RunNote>, endedBeforeMs: number): boolean {
  if (endedAtMs === undefined || endedAtMs >= endedBeforeMs) return false
  const root = notes.get(rootRunId)
  return root === undefined || root.endedAtMs !== undefined
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
