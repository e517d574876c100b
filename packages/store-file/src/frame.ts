/**
 * One record of a log, as text that a person can read:
 *
 *   \n<crc32> <bytes> <tag> <text>\n
 *
 * `text` is one line of JSON and `bytes` its length in UTF-8; `tag` names the writer and counts its records, so that a
 * writer finds its own among those of others; the checksum, zlib's CRC-32, covers everything after it.
 *
 * A record is written by one `write`, and begins with a line feed as well as ending with one. So whatever a process
 * that died in the middle left behind ends where the next record begins, and swallows nothing. It also tells the two
 * kinds of bad lines apart:
 *
 * - *torn*: cut off by a crash. It stops short of its length, and the next record follows **directly**. Nobody was ever
 *   told that it was written, so it is skipped. The same goes for a line with a stretch of NUL bytes, which text
 *   never has: a page that a power cut kept from the disk. Nobody was told of that either: syncs come before answers.
 * - *damaged*: written whole (its own line feed ended it, so an empty line or the end of the file follows) or longer
 *   than it says, or nothing that a cut could leave, and yet wrong. Something acknowledged may be lost: the log stops.
 */
import { crc32 } from 'node:zlib'

export interface Frame {
  readonly tag: string
  readonly text: string
}

export type Line = Frame | 'torn' | 'damaged'

export const NEWLINE = 10
const SPACE = 32
const CRC_END = 8
// Two, because one bit that flips can turn a space into a NUL.
const HOLE = Buffer.alloc(2)
// What a write that was cut off can leave of a head.
const PART_OF_HEAD = /^[0-9a-f]{0,8}$|^[0-9a-f]{8} \d{0,9}$|^[0-9a-f]{8} \d{1,9} [0-9a-z]{0,8}(\.\d{0,12})?$/
const LONGEST_HEAD = 48

export function encodeFrame(tag: string, text: string): Buffer {
  if (text.includes('\n')) throw new Error('a record is one line')
  const frame = Buffer.from(`\n-------- ${Buffer.byteLength(text)} ${tag} ${text}\n`)
  frame.write(checksum(frame.subarray(CRC_END + 2, -1)), 1, 'latin1')
  return frame
}

/**
 * @param bytes a line without its line feed, and not empty
 * @param ended whether the line was ended by its own line feed, and not by the one that begins the next record
 */
export function decodeLine(bytes: Buffer, ended: boolean): Line {
  const line = withoutHoleAtEnd(bytes)
  const head = headOf(line)
  if (head !== undefined && head.missingBytes === 0 && head.crc === checksum(line.subarray(CRC_END + 1))) {
    return { tag: head.tag, text: line.toString('utf8', head.endByte) }
  }
  if (line.includes(HOLE)) return 'torn'
  if (ended || (head !== undefined && head.missingBytes <= 0)) return 'damaged'
  const start = line.toString('latin1', 0, head === undefined ? LONGEST_HEAD + 1 : head.endByte - 1)
  return PART_OF_HEAD.test(start) ? 'torn' : 'damaged'
}

/** A last line without an end is being written, or was cut off; but it never has more than its head says. */
export function isOverlong(line: Buffer): boolean {
  const head = headOf(withoutHoleAtEnd(line))
  return head !== undefined && head.missingBytes < 0 && !line.includes(HOLE)
}

/**
 * The line feed of a file's last line may be all that lies on the next page, and the page not have come to the disk. No
 * single bit that flips makes a NUL of a line feed.
 */
function withoutHoleAtEnd(line: Buffer): Buffer {
  return line.at(-1) === 0 && line.at(-2) !== 0 ? line.subarray(0, -1) : line
}

interface Head {
  readonly crc: string
  readonly tag: string
  /** Where the text begins. */
  readonly endByte: number
  /** How much of the text is not there; less than 0 when there is too much. */
  readonly missingBytes: number
}

function headOf(line: Buffer): Head | undefined {
  if (line[CRC_END] !== SPACE) return undefined
  const bytesEnd = line.indexOf(SPACE, CRC_END + 1)
  const tagEnd = bytesEnd === -1 ? -1 : line.indexOf(SPACE, bytesEnd + 1)
  if (tagEnd === -1) return undefined
  return {
    crc: line.toString('latin1', 0, CRC_END),
    tag: line.toString('latin1', bytesEnd + 1, tagEnd),
    endByte: tagEnd + 1,
    missingBytes: Number(line.toString('latin1', CRC_END + 1, bytesEnd)) - (line.length - tagEnd - 1),
  }
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(CRC_END, '0')
}
