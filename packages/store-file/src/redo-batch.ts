/**
 * What a redo log consists of: batches, one per sync, each with the lines that shared it.
 *
 *   \nredo <crc32> <bytes>\n<offset> <bytes> <file>\n<line …><offset> <bytes> <file>\n<line …> …
 *
 * A line is the bytes that were appended to that file at that offset, as they are. A batch is written only after the one
 * before it is on the disk, so what a power cut leaves half-written is the last one, and nobody was told of it. A bad
 * batch before a good one is damage.
 */
import { crc32 } from 'node:zlib'
import { NEWLINE } from './frame.ts'

export interface RedoRecord {
  /** Relative to the folder of the store. */
  readonly file: string
  readonly atByte: number
  readonly bytes: Buffer
}

interface Redo {
  readonly records: readonly RedoRecord[]
  readonly damaged: boolean
}

const MAGIC = '\nredo '
const CRC_END = MAGIC.length + 8
const BYTES_DIGITS = 10
const HEAD_BYTES = CRC_END + 1 + BYTES_DIGITS + 1

/** @param capacity makes the buffer longer, with NULs at its end */
export function encodeBatch(records: readonly RedoRecord[], capacity: (bytes: number) => number): Buffer {
  const heads = records.map(({ file, atByte, bytes }) => `${atByte} ${bytes.length} ${file}\n`)
  let length = HEAD_BYTES
  for (const [index, { bytes }] of records.entries()) length += bytes.length + Buffer.byteLength(heads[index] as string)
  const whole = capacity(length)
  const batch = Buffer.allocUnsafe(whole)
  if (whole > length) batch.fill(0, length)
  let end = HEAD_BYTES
  for (const [index, { bytes }] of records.entries()) {
    end += batch.write(heads[index] as string, end)
    end += bytes.copy(batch, end)
  }
  const digits = String(length - HEAD_BYTES).padStart(BYTES_DIGITS, '0')
  batch.write(`${MAGIC}-------- ${digits}\n`, 0, 'latin1')
  batch.write(checksum(batch.subarray(CRC_END + 1, length)), MAGIC.length, 'latin1')
  return batch
}

/** Where the last good batch ends matters to nobody: nothing is ever appended to the log of somebody who is gone. */
export function decodeBatches(log: Buffer): Redo {
  const records: RedoRecord[] = []
  let damaged = false
  let good = 0
  for (let start = log.indexOf(MAGIC); start !== -1; ) {
    const end = endOf(log, start)
    if (end === undefined) {
      start = log.indexOf(MAGIC, start + 1)
      continue
    }
    if (start !== good) damaged = true
    parse(log.subarray(start + HEAD_BYTES, end), records)
    good = end
    start = log.indexOf(MAGIC, end)
  }
  return { records, damaged }
}

/** @returns undefined when it is not whole */
function endOf(log: Buffer, start: number): number | undefined {
  const digits = log.toString('latin1', start + CRC_END + 1, start + HEAD_BYTES - 1)
  const end = start + HEAD_BYTES + Number(digits)
  if (!/^\d{10}$/.test(digits) || end > log.length) return undefined
  const crc = log.toString('latin1', start + MAGIC.length, start + CRC_END)
  return crc === checksum(log.subarray(start + CRC_END + 1, end)) ? end : undefined
}

function parse(body: Buffer, records: RedoRecord[]): void {
  for (let start = 0; start < body.length; ) {
    const headEnd = body.indexOf(NEWLINE, start)
    const [atByte, length, file] = body.toString('utf8', start, headEnd).split(' ')
    const end = headEnd + 1 + Number(length)
    records.push({ file: file as string, atByte: Number(atByte), bytes: body.subarray(headEnd + 1, end) })
    start = end
  }
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0')
}
