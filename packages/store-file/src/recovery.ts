/**
 * Puts back what a power cut took from the logs of runs, from the redo logs of processes that are gone.
 *
 * A log is only ever appended to, so what belongs at an offset never changes: there it stands, or it is missing (the file
 * is shorter, or not there) or zero (a page that was not written). Anything else is another file of the same name,
 * and is left alone. After a mere `kill -9` everything stands, and is only synced.
 *
 * No lock: an orphan gets another name first, so that its owner, should it live after all, notices; then everybody who
 * opens the folder recovers from all there are before it reads any run. Several that do so at once write the same
 * bytes to the same places, also when one of them is done and has begun to append: that is behind all of them. An orphan
 * goes when all of it is on the disk.
 */
import {
  closeSync,
  constants,
  existsSync,
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
import { CREATE, FILE_MODE, makeFolder, READ, removeFile, syncFolderNow } from './disk.ts'
import { hasCode } from './failure.ts'
import type { Paths } from './paths.ts'
import { decodeBatches, type RedoRecord } from './redo-batch.ts'
import { isOrphan } from './redo-name.ts'

const ORPHAN = '.orphan'
// Not for appending: such a descriptor would write at the end, whatever the offset.
const WRITE = constants.O_RDWR | CREATE | READ
const RUN_LOG = /^runs\/[0-9a-f]\/[^/]+\.log$/

/** Synchronous, because nothing may be read before it is over. */
export function recover(paths: Paths, logger: ILogger): void {
  const orphans = takeOrphans(paths.redo)
  if (orphans.length === 0) return
  const byFile = new Map<string, RedoRecord[]>()
  const done: string[] = []
  for (const orphan of orphans) {
    const log = readIfThere(orphan)
    if (log === undefined) continue
    const { records, damaged } = decodeBatches(log)
    for (const record of records) {
      const known = byFile.get(record.file)
      if (known === undefined) byFile.set(record.file, [record])
      else known.push(record)
    }
    if (damaged) logger.log('error', 'a redo log is damaged: changes may be lost if the power failed', { path: orphan })
    else done.push(orphan)
  }
  const folders = new Set<string>()
  for (const [file, records] of byFile) {
    if (!RUN_LOG.test(file)) continue
    const path = join(paths.root, file)
    // Purged since: it must not come back.
    if (existsSync(join(paths.tombstones, basename(file, '.log')))) continue
    restore(path, records, logger)
    folders.add(dirname(path))
  }
  if (folders.size > 0) folders.add(paths.runs)
  for (const folder of folders) syncFolderNow(folder)
  for (const orphan of orphans) {
    if (done.includes(orphan)) removeFile(orphan)
    // For a person to look at, and not to be read again at every start.
    else renameIfThere(orphan, `${orphan}.damaged`)
  }
}

/** @returns all orphans, also those that somebody else is recovering from */
function takeOrphans(folder: string): string[] {
  for (const name of namesIn(folder)) {
    if (isOrphan(name)) renameIfThere(join(folder, name), join(folder, `${name}${ORPHAN}`))
  }
  return namesIn(folder)
    .filter((name) => name.endsWith(ORPHAN))
    .map((name) => join(folder, name))
}

function restore(path: string, records: readonly RedoRecord[], logger: ILogger): void {
  const fd = openOrMake(path)
  try {
    for (const { atByte, bytes } of [...records].sort((left, right) => left.atByte - right.atByte)) {
      const there = Buffer.alloc(bytes.length)
      const count = readSync(fd, there, 0, there.length, atByte)
      if (count === there.length && there.equals(bytes)) continue
      if (there.some((byte, index) => byte !== 0 && byte !== bytes[index])) {
        logger.log('warn', 'a redo log does not fit a log, and was not applied to it', { path, atByte })
        break
      }
      const written = writeSync(fd, bytes, 0, bytes.length, atByte)
      if (written < bytes.length) throw new Error(`wrote ${written} of ${bytes.length} bytes, is the disk full?`)
    }
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
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
