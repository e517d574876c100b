/**
 * Puts back what a power cut took from the logs of runs, from the redo logs of processes that are gone.
 *
 * A log is only ever appended to, so what belongs at an offset never changes: there it stands, or it is missing (the file
 * is shorter, or not there) or zero (a page that was not written). Anything else is damage or somebody's doing: it is left
 * alone, and the redo log is kept for a person to look at. What stands is written once more: the kernel may
 * hold it for written after an error, and sync nothing.
 *
 * What a bad spot of a redo log had can be missing in the middle of a run. Read as if it had never been written, the rest
 * would make a run that never was; so what is missing there is marked, and whoever reads that run is told.
 *
 * No lock: an orphan gets another name first, so that its owner, should it live after all, notices; then everybody who
 * opens the folder recovers from all there are before it reads any run. Several that do so at once write the same
 * bytes to the same places, also when one of them is done and has begun to append: that is behind all of them. An orphan
 * goes when all of it is on the disk.
 *
 * A run that was purged must not come back, nor its lines come into the log of a later run of the same id. Redo logs that
 * are older than its tombstone may have them, so these leave it out, and before a tombstone goes they are
 * taken away, whosever they are.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ILogger } from '@baton/core'
import { messageOf } from '@baton/core/adapter'
import { CREATE, FILE_MODE, makeFolder, READ, removeFile, syncFolderNow } from './disk.ts'
import { hasCode } from './failure.ts'
import type { Paths } from './paths.ts'
import { decodeBatches, type RedoRecord } from './redo-batch.ts'
import { begunAtMs, isOrphan } from './redo-name.ts'

const ORPHAN = '.orphan'
// Not for appending: such a descriptor would write at the end, whatever the offset.
const WRITE = constants.O_RDWR | CREATE | READ
const RUN_LOG = /^runs\/[0-9a-f]\/[^/]+\.log$/

export interface RecoveryOptions {
  readonly paths: Paths
  readonly logger: ILogger
  /** Whether the lines of that run in a redo log begun at that time are those of a run that was purged. */
  readonly isPurged: (runName: string, begunAtMs: number) => boolean
  /** Redo logs begun until then are taken too, from owners who live. */
  readonly begunUntilMs?: number | undefined
}

interface Entry extends RedoRecord {
  readonly orphan: string
}

/** Synchronous, because nothing may be read before it is over. */
export function recover({ paths, logger, isPurged, begunUntilMs = 0 }: RecoveryOptions): void {
  const orphans = takeOrphans(paths.redo, begunUntilMs)
  if (orphans.length === 0) return
  const byFile = new Map<string, Entry[]>()
  const damaged = new Set<string>()
  for (const orphan of orphans) {
    const redo = decodeBatches(readIfThere(orphan) ?? Buffer.alloc(0))
    for (const record of redo.records) {
      if (!isWanted(record, orphan, isPurged)) continue
      const known = byFile.get(record.file)
      if (known === undefined) byFile.set(record.file, [{ ...record, orphan }])
      else known.push({ ...record, orphan })
    }
    if (!redo.damaged) continue
    logger.log('error', 'a redo log is damaged: changes may be lost if the power failed', { path: orphan })
    damaged.add(orphan)
  }
  const folders = new Set<string>()
  for (const [file, entries] of byFile) {
    const path = join(paths.root, file)
    folders.add(dirname(path))
    const misfit = restore(
      path,
      entries,
      entries.some(({ orphan }) => damaged.has(orphan)),
    )
    if (misfit === undefined) continue
    logger.log('error', 'a redo log does not fit a log, and is kept', { path, problem: misfit })
    for (const { orphan } of entries) damaged.add(orphan)
  }
  if (folders.size > 0) folders.add(paths.runs)
  for (const folder of folders) syncFolderNow(folder)
  for (const orphan of orphans) {
    // For a person to look at, and not to be read again at every start.
    if (damaged.has(orphan)) renameIfThere(orphan, `${orphan}.damaged`)
    else removeFile(orphan)
  }
}

/** @returns all orphans, also those that somebody else is recovering from */
function takeOrphans(folder: string, begunUntilMs: number): string[] {
  for (const name of namesIn(folder)) {
    if (!name.endsWith('.log')) continue
    if (isOrphan(name) || begunAtMs(name) <= begunUntilMs) {
      renameIfThere(join(folder, name), join(folder, `${name}${ORPHAN}`))
    }
  }
  return namesIn(folder)
    .filter((name) => name.endsWith(ORPHAN))
    .map((name) => join(folder, name))
}

function isWanted({ file }: RedoRecord, orphan: string, isPurged: RecoveryOptions['isPurged']): boolean {
  return RUN_LOG.test(file) && !isPurged(basename(file, '.log'), begunAtMs(basename(orphan, ORPHAN)))
}

/**
 * @param isPart some of what belongs there may have been in a bad spot
 * @returns why not, if it cannot
 */
function restore(path: string, records: readonly RedoRecord[], isPart: boolean): string | undefined {
  let fd: number
  try {
    fd = openOrMake(path)
  } catch (error) {
    // Something else has the name of the log.
    if (hasCode(error, 'EISDIR', 'ELOOP', 'ENOTDIR')) return messageOf(error)
    throw error
  }
  try {
    let knownTo = 0
    for (const { atByte, bytes } of [...records].sort((left, right) => left.atByte - right.atByte)) {
      if (isPart) markMissing(fd, knownTo, atByte)
      knownTo = atByte + bytes.length
      const there = Buffer.alloc(bytes.length)
      readSync(fd, there, 0, there.length, atByte)
      if (!there.equals(bytes) && there.some((byte, index) => byte !== 0 && byte !== bytes[index])) {
        return `something else is at byte ${atByte}`
      }
      const written = writeSync(fd, bytes, 0, bytes.length, atByte)
      if (written < bytes.length) throw new Error(`wrote ${written} of ${bytes.length} bytes, is the disk full?`)
    }
    return undefined
  } finally {
    try {
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

/** Not a byte that the rest of a head could begin with: no reader takes it for what a crash has cut off. */
const MISSING = 'x'.charCodeAt(0)

/** Text has no NULs: where there is one, or nothing, something is missing. */
function markMissing(fd: number, from: number, to: number): void {
  if (to <= from) return
  const there = Buffer.alloc(to - from)
  readSync(fd, there, 0, there.length, from)
  if (!there.includes(0)) return
  for (const [index, byte] of there.entries()) if (byte === 0) there[index] = MISSING
  writeSync(fd, there, 0, there.length, from)
}

function openOrMake(path: string): number {
  try {
    return openSync(path, WRITE, FILE_MODE)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    makeFolder(dirname(path))
    return openSync(path, WRITE, FILE_MODE)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function renameIfThere(path: string, to: string): void {
  try {
    renameSync(path, to)
  } catch (error) {
    // Windows does not rename what somebody has open: then its owner lives.
    if (!hasCode(error, 'ENOENT', 'EPERM', 'EBUSY', 'EACCES')) throw error
  }
}
