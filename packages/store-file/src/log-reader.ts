/** Reads a log from front to back, a bit more each time, while others append to it. */
import { readSync } from 'node:fs'
import { BatonError } from '@baton/core'
import { decodeLine, isOverlong, NEWLINE } from './frame.ts'

export interface LogRecord {
  readonly tag: string
  readonly text: string
  /** Where the record begins in the file. */
  readonly atByte: number
}

const CHUNK_BYTES = 4 * 1024 * 1024

export class LogReader {
  readonly #path: string
  #position = 0
  #tornCount = 0
  #damage: BatonError | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Everything before this byte has been read. */
  get position(): number {
    return this.#position
  }

  /** How many lines were skipped because a crash had cut them off. */
  get tornCount(): number {
    return this.#tornCount
  }

  /** Goes past bytes that need no reading, because the caller has just written them and knows that nothing is between. */
  skip(bytes: number): void {
    this.#position += bytes
  }

  /**
   * The records between the position and `size`. A last line that has no end yet is left for the next time: somebody
   * may be in the middle of writing it.
   */
  read(fd: number, size: number): LogRecord[] {
    if (this.#damage !== undefined) throw this.#damage
    if (size < this.#position) throw this.cut()
    const from = this.#position
    const tornBefore = this.#tornCount
    try {
      return this.#readChunks(fd, size)
    } catch (error) {
      // Whoever reads again begins where this began, or would never see what came before the failure.
      this.#position = from
      this.#tornCount = tornBefore
      throw error
    }
  }

  #readChunks(fd: number, size: number): LogRecord[] {
    const records: LogRecord[] = []
    let chunkBytes = CHUNK_BYTES
    while (this.#position < size) {
      const before = this.#position
      const bytes = Math.min(size - before, chunkBytes)
      this.#readChunk(fd, before, bytes, before + bytes === size, records)
      if (this.#position > before) continue
      if (bytes === size - before) break
      // Not one whole line in it.
      chunkBytes *= 2
    }
    return records
  }

  #readChunk(fd: number, from: number, bytes: number, last: boolean, records: LogRecord[]): void {
    let chunk = parse(readRange(fd, from, bytes), from, last)
    // Look twice before calling a file damaged: what was just being written may have been seen half-way.
    if (chunk.damagedAt !== undefined) chunk = parse(readRange(fd, from, bytes), from, last)
    if (chunk.damagedAt !== undefined) {
      throw this.#stop(`the record at byte ${chunk.damagedAt} of ${this.#path} is damaged`)
    }
    this.#position = chunk.end
    this.#tornCount += chunk.tornCount
    for (const record of chunk.records) records.push(record)
  }

  /** Some of what was read is not there any more. */
  cut(): BatonError {
    return this.#stop(`${this.#path} has become shorter: somebody cut or replaced it`)
  }

  /** A log that is wrong stays wrong: who asks again gets the same answer. */
  #stop(message: string): BatonError {
    this.#damage = new BatonError('STORE_CORRUPT', { message })
    return this.#damage
  }
}

interface Chunk {
  readonly records: LogRecord[]
  readonly tornCount: number
  /** Where the next reading begins. */
  readonly end: number
  readonly damagedAt?: number
}

function parse(bytes: Buffer, from: number, last: boolean): Chunk {
  const records: LogRecord[] = []
  let tornCount = 0
  let start = 0
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start)
    if (end === -1) {
      if (last && isOverlong(bytes.subarray(start))) {
        return { records, tornCount, end: from + start, damagedAt: from + start }
      }
      break
    }
    if (end > start) {
      // What follows the line is in the next chunk.
      if (end + 1 === bytes.length && !last) break
      const ended = end + 1 === bytes.length || bytes[end + 1] === NEWLINE
      const line = decodeLine(bytes.subarray(start, end), ended)
      if (line === 'damaged') return { records, tornCount, end: from + start, damagedAt: from + start }
      // Its own line feed, the one before the line, is part of the record.
      if (line === 'torn') tornCount += 1
      else records.push({ ...line, atByte: Math.max(0, from + start - 1) })
    }
    start = end + 1
  }
  return { records, tornCount, end: from + start }
}

function readRange(fd: number, from: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes)
  let done = 0
  while (done < bytes) {
    const count = readSync(fd, buffer, done, bytes - done, from + done)
    if (count === 0) break
    done += count
  }
  return buffer.subarray(0, done)
}
