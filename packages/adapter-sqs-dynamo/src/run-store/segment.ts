/**
 * The end of a run's log, as far as this process knows it. A log is cut into segments, items that grow by `list_append`: that needs
 * no condition on what others have written, so nobody has to lose, and the answer brings what they have. A segment is billed
 * whole with each line that it gets; so it takes no more when it is a page long, unless several processes write: then being
 * turned away from full segments would cost more. Who is alone again closes a large one with the next line.
 */
import { type Item, segmentIndex } from '../keys.ts'

/** One write unit, less a line. */
export const SMALL_BYTES = 640
/** What several processes share. */
const LARGE_BYTES = 65_536
/** That many lines at once are work that goes on side by side, here or elsewhere: as much again is expected so often. */
const MANY_LINES = 4
const MORE_TO_COME = 16
/** So many segments are large after somebody else has been seen to write. */
const SHARED_FOR = 4
/** Who has appended so often and met nobody is alone: of two who write in turn hardly ever one. */
const ALONE_AFTER = 8

/** An item as it was read. */
export interface Segment {
  readonly index: number
  /** How many lines are in those before. */
  readonly before: number
  readonly lines: readonly string[]
  readonly bytes: number
  /** It takes no more when it has so many. */
  readonly mostBytes: number
  /** Where the marks of the run stand, if those have to be moved before anything is appended. */
  readonly quiet: string | undefined
  readonly isGone: boolean
}

export function segmentOf(item: Item): Segment {
  return {
    index: segmentIndex(item.sk?.S ?? ''),
    before: Number(item.f?.N),
    lines: (item.l?.L ?? []).map((line) => line.S ?? ''),
    bytes: Number(item.b?.N),
    mostBytes: Number(item.m?.N),
    quiet: item.q?.S,
    isGone: item.g !== undefined,
  }
}

/** What an expression needs that may make a segment. */
export function beginning(before: number, mostBytes: number): Item {
  return {
    ':none': { L: [] },
    ':zero': { N: '0' },
    ':f': { N: String(before) },
    ':m': { N: String(mostBytes) },
  }
}

/** Where the next line goes. */
export class Tail {
  /** Of a log that has this segment alone. */
  static of(first: Segment): Tail {
    const tail = new Tail()
    tail.find(first)
    if (tail.count === 0) tail.mostBytes = SMALL_BYTES
    return tail
  }

  index = 0
  /** How many lines are in the segments before. */
  before = 0
  /** How many are known to be in this one; it may not be there at all as long as that is 0. */
  count = 0
  bytes = 0
  mostBytes = SMALL_BYTES
  quiet: string | undefined
  /** So many of the next segments will be large ones. */
  #shared = 0
  /** So often a few lines were appended, and no line of anybody else was between. */
  #alone = 0
  /** When all this was true, by `performance.now()`. */
  knownAtMs = performance.now()

  get position(): number {
    return this.before + this.count
  }

  /** How large a segment gets that begins with these lines. */
  mostBytesFor(lines: number, bytes: number): number {
    return lines < MANY_LINES ? this.mostBytes : Math.max(this.mostBytes, Math.min(LARGE_BYTES, bytes * MORE_TO_COME))
  }

  /** What the segment is to be closed at with these lines, so that it is not billed with many more; undefined: not yet. */
  closesAt(lines: number): number | undefined {
    const isCostly = this.mostBytes > SMALL_BYTES && this.bytes >= SMALL_BYTES
    return isCostly && lines < MANY_LINES && this.#alone >= ALONE_AFTER ? SMALL_BYTES : undefined
  }

  /** What is known now. A segment before the one that is known is old news. */
  learn(segment: Segment): void {
    if (segment.index < this.index) return
    if (segment.before + segment.lines.length > this.position) {
      // Others write as well.
      this.#shared = SHARED_FOR
      this.#alone = 0
    }
    this.find(segment)
  }

  /** What is in a log that was not known before: whoever has written it may be done. */
  find({ index, before, lines, bytes, mostBytes, quiet }: Segment): void {
    if (index < this.index) return
    this.knownAtMs = performance.now()
    this.index = index
    this.before = before
    this.count = lines.length
    this.bytes = bytes
    this.mostBytes = mostBytes
    this.quiet = quiet
    if (bytes >= mostBytes) this.#next()
  }

  /** Lines of ours were appended. @param segment as it is now, with those of others if there are any */
  appended(segment: Segment, count: number): void {
    if (segment.lines.length > this.count + count) return this.learn(segment)
    this.mostBytes = segment.mostBytes
    this.#alone = count < MANY_LINES ? this.#alone + 1 : 0
    if (this.#alone >= ALONE_AFTER) this.#shared = 0
    this.grew(count, segment.bytes)
  }

  /** Lines of ours were appended, and nobody else's. @param bytes how many there are now */
  grew(count: number, bytes: number): void {
    this.knownAtMs = performance.now()
    this.count += count
    this.bytes = bytes
    this.quiet = undefined
    if (this.bytes >= this.mostBytes) this.#next()
  }

  #next(): void {
    this.before += this.count
    this.index += 1
    this.count = 0
    this.bytes = 0
    this.quiet = undefined
    this.mostBytes = this.#shared > 0 ? LARGE_BYTES : SMALL_BYTES
    this.#shared = Math.max(0, this.#shared - 1)
  }
}
