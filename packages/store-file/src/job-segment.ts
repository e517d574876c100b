/**
 * The texts of jobs, one after the other in a file per process; each job is a hard link to that file, and its name says
 * where in it the text is. Making a file for every job would be ten times slower, and slower still after many jobs were
 * done (see `links.ts`). The file's own name goes when it is full; its inode goes with the last of its jobs.
 *
 * A text has a checksum before it: one that is not what was written any more could send workers anywhere.
 */
import { closeSync, linkSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { BatonError } from '@baton/core'
import { FILE_MODE } from './disk.ts'
import { hasCode } from './failure.ts'

/** Where the text of a job is, with its checksum. */
export interface JobPlace {
  readonly atByte: number
  readonly bytes: number
}

// NTFS allows 1,023 names for a file, ext4 65,000.
const MOST_JOBS = 1_000
const MOST_BYTES = 1024 * 1024
const CHECKSUM_BYTES = 8

export class JobSegment {
  readonly #folder: string
  #open: { readonly path: string; readonly fd: number; jobs: number; bytes: number } | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Keeps a text, and makes an entry for it. */
  add(text: string, entry: (place: JobPlace) => string): void {
    try {
      this.#add(text, entry)
    } catch (error) {
      this.close()
      // Somebody took ours for one that a dead process had left.
      if (!hasCode(error, 'ENOENT')) throw error
      this.#add(text, entry)
    }
  }

  close(): void {
    if (this.#open === undefined) return
    const { path, fd } = this.#open
    this.#open = undefined
    closeSync(fd)
    rmSync(path, { force: true })
  }

  #add(text: string, entry: (place: JobPlace) => string): void {
    if (this.#open !== undefined && (this.#open.jobs >= MOST_JOBS || this.#open.bytes >= MOST_BYTES)) this.close()
    this.#open ??= this.#start()
    const segment = this.#open
    const line = Buffer.from(`${checksum(text)} ${text}\n`)
    const written = writeSync(segment.fd, line, 0, line.length, segment.bytes)
    if (written < line.length) throw new Error(`wrote ${written} of ${line.length} bytes, is the disk full?`)
    const place = { atByte: segment.bytes, bytes: line.length - 1 }
    segment.bytes += line.length
    segment.jobs += 1
    linkSync(segment.path, entry(place))
  }

  #start() {
    const path = join(this.#folder, `${process.pid}.${Math.random().toString(36).slice(2)}`)
    return { path, fd: openSync(path, 'wx', FILE_MODE), jobs: 0, bytes: 0 }
  }
}

/** The text of a job, from its place. */
export function textIn(bytes: Buffer): string {
  const text = bytes.toString('utf8', CHECKSUM_BYTES + 1)
  if (bytes.toString('utf8', 0, CHECKSUM_BYTES + 1) === `${checksum(text)} `) return text
  throw new BatonError('INVALID_JOB', { message: 'its text is not what was written' })
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_BYTES, '0')
}
