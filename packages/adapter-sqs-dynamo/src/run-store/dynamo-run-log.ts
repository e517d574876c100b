/**
 * The log of one run in DynamoDB.
 *
 * A line is appended by one update of one item, the segment where the log ends, without a condition on what it holds: nobody loses
 * to others who write as well. Nothing else is written with it. The mark that leads the sweep to the run stands on another item, and
 * is early enough for whatever is appended: never later than the longest time that a run may go without a look. Whoever moves it
 * farther away says so in the segment, in the same transaction, and from then on nothing is appended but together with a mark.
 */
import {
  type Creation,
  createdAt,
  type Drafted,
  flowName,
  type Known,
  type LogAnswer,
  MADE,
  type MarkMove,
  NO_LOG,
  PURGED,
  type RunId,
  type RunLog,
} from '@baton/core/adapter'
import { type Item, type ItemKey, type Keys, SEGMENTS, segmentName } from '../keys.ts'
import { areQuiet, hasMarks, type MarksOfRun, markItem, movedHead, quietOf, wakingHead } from './marks.ts'
import { Missed } from './missed.ts'
import { type Segment, segmentOf, Tail } from './segment.ts'
import { isRefused, type Part, type Refused, type TableAccess } from './table-access.ts'
import { removeRun, removeTombstone } from './tombstone.ts'
import type { IValueStore } from './values.ts'

/** What the runs of a store have in common. */
export interface RunLogAccess {
  readonly keys: Keys
  readonly table: TableAccess
  readonly values: IValueStore
  readonly clock: { now(): number }
  /** A line makes sure that the sweep looks at its run within this time. */
  readonly lookMs: number
  /** Called when marks may stand elsewhere than they did. */
  readonly onMarked: () => void
}

/** From a line to the move of a mark that follows on it. */
const MOMENT_MS = 1_000

interface SeenMark {
  readonly markMs: number
  readonly seenAtMs: number
}

/** The log has as many lines; or nothing was appended, because it ends elsewhere or is gone. */
type Appended = number | 'elsewhere' | 'gone'

const NONE: readonly never[] = []
const NEVER: MarksOfRun = { dueMs: Number.POSITIVE_INFINITY, remindMs: Number.POSITIVE_INFINITY }
/** How often a writer may be turned away before it reads where the log ends. */
const MOST_STEPS = 4
/** More than any log has. */
const MORE = Number.MAX_SAFE_INTEGER
/** After so long the run may have ended and been removed: what is known of the end of its log is looked up first. */
const KNOWN_FOR_MS = 60_000
/** And of its mark: meanwhile somebody may have moved it, if only to where it is early enough in the end. */
const MARK_KNOWN_FOR_MS = 1_000

export class DynamoRunLog implements RunLog {
  readonly runId: RunId
  readonly #access: RunLogAccess
  /** Undefined before anything of the log was read. */
  #tail: Tail | undefined
  /** Where the mark was when it was last seen, and when that was by `performance.now()`. */
  #mark: SeenMark | undefined

  constructor(runId: RunId, access: RunLogAccess) {
    this.runId = runId
    this.#access = access
  }

  get name(): string {
    return this.#access.keys.run(this.runId)
  }

  async create(creation: Creation): Promise<LogAnswer> {
    await this.#putValues([creation])
    for (let freedAtMs = 0; ; ) {
      const { nowMs, parts, tail } = this.#parts(creation, freedAtMs)
      const refused = await this.#access.table.transact(parts)
      if (refused === undefined) {
        this.#access.onMarked()
        this.#tail = tail
        return { nowMs, count: MADE, lines: NONE }
      }
      const head = refused[0]?.item
      const freeMs = Number(head?.freeAt?.N)
      if (head === undefined || freedAtMs > 0 || !(freeMs <= nowMs)) return this.#alreadyThere(head, nowMs)
      // There was such a run, so long ago that its id may be used again.
      await removeTombstone(head, this.#access.table)
      freedAtMs = nowMs
    }
  }

  async append(known: Known, drafted: readonly Drafted[]): Promise<LogAnswer> {
    await this.#putValues(drafted)
    const nowMs = this.#access.clock.now()
    const lines = drafted.map((each) => lineOf(nowMs, each))
    const missed = new Missed(known.position)
    for (let steps = 0; ; steps++) {
      const tail = await this.#knownTail(known, missed, steps)
      const appended = tail && (await this.#appendTo(tail, lines, nowMs, missed))
      if (appended === undefined || appended === 'gone') return { nowMs, count: NO_LOG, lines: NONE }
      if (appended !== 'elsewhere') return { nowMs, count: appended, lines: missed.lines }
    }
  }

  async read({ position }: Known, most: number): Promise<LogAnswer> {
    const missed = new Missed(position)
    const isAll = await this.#readFrom(position, missed, most)
    const nowMs = this.#access.clock.now()
    if (isAll === undefined) return { nowMs, count: NO_LOG, lines: NONE }
    const { lines } = missed
    return { nowMs, count: isAll ? position + lines.length : MORE, lines }
  }

  async values(digests: readonly string[]): Promise<readonly (string | null)[]> {
    const { values } = this.#access
    return Promise.all(digests.map(async (sha256) => (await values.get(this.runId, sha256)) ?? null))
  }

  async mark({ position }: Known, move: MarkMove): Promise<boolean> {
    const { clock, lookMs, onMarked } = this.#access
    const marks = move.endedMs === undefined ? move.stands : NEVER
    const isLate = hasMarks(move) && !move.earlier && marks !== undefined && areQuiet(marks, clock.now(), lookMs)
    const isDone = await (isLate ? this.#markLate(position, marks, move) : this.#markSoon(position, move))
    if (hasMarks(move)) onMarked()
    return isDone
  }

  async purge(lines: number, tombstoneMs: number): Promise<boolean> {
    const isGone = await removeRun(this.runId, lines, { ...this.#access, tombstoneMs })
    if (isGone) this.#tail = undefined
    return isGone
  }

  /** The two items that a run begins with. */
  #parts(creation: Creation, freedAtMs: number) {
    const { keys, clock, lookMs } = this.#access
    const { run, note, dueInMs } = creation
    const nowMs = clock.now()
    const startMs = Math.max(nowMs, run.startAtMs ?? 0)
    const marks = { dueMs: startMs + dueInMs, remindMs: startMs > nowMs ? startMs : nowMs + lookMs }
    const shard = keys.shardOf(this.runId)
    const head: Part = {
      Put: {
        Item: {
          ...keys.head(this.runId),
          ...markItem(marks, shard),
          pos: { N: '1' },
          cp: { S: shard },
          created: { N: String(nowMs) },
          flow: { S: flowName(run) },
          note: { S: createdAt(note, String(nowMs)) },
        },
        ConditionExpression:
          freedAtMs === 0 ? 'attribute_not_exists(pk)' : 'attribute_not_exists(pk) OR freeAt <= :freed',
        ...(freedAtMs === 0 ? {} : { ExpressionAttributeValues: { ':freed': { N: String(freedAtMs) } } }),
      },
    }
    const line = lineOf(nowMs, creation)
    const tail = new Tail()
    const isQuiet = areQuiet(marks, nowMs, lookMs)
    const segment: Item = {
      ...this.#segment(0),
      ...(isQuiet ? { q: { S: quietOf(marks) } } : {}),
      l: { L: [{ S: line }] },
      b: { N: String(Buffer.byteLength(line)) },
      m: { N: String(tail.mostBytes) },
      f: { N: '0' },
    }
    tail.begin(segmentOf(segment))
    this.#sawMark(earliestOf(marks))
    return { nowMs, parts: [head, { Put: { Item: segment } }], tail }
  }

  async #alreadyThere(head: Item | undefined, nowMs: number): Promise<LogAnswer> {
    this.#sawMark(undefined)
    if (head?.gone !== undefined) return { nowMs, count: PURGED, lines: NONE }
    this.#tail = undefined
    const answer = await this.read({ position: 0, stamp: '' }, MORE)
    return answer.count === NO_LOG ? { nowMs, count: PURGED, lines: NONE } : answer
  }

  /** Where the log ends, as far as can be known; undefined where there is none. */
  async #knownTail({ position }: Known, missed: Missed, steps: number): Promise<Tail | undefined> {
    const tail = this.#tail
    const isFresh = tail !== undefined && performance.now() - tail.knownAtMs < KNOWN_FOR_MS
    if (!isFresh || steps % MOST_STEPS === MOST_STEPS - 1) {
      if ((await this.#readFrom(position + missed.lines.length, missed, MORE)) === undefined) return undefined
    }
    return this.#tail
  }

  async #appendTo(tail: Tail, lines: readonly string[], nowMs: number, missed: Missed): Promise<Appended> {
    if (tail.quiet !== undefined) return this.#wake(tail, tail.quiet, lines, nowMs, missed)
    // One that has no line yet may not be there.
    const isNew = tail.count === 0
    const mostBytes = tail.mostBytesFor(lines.length, bytesOf(lines))
    const begin = {
      ':none': { L: [] },
      ':zero': { N: '0' },
      ':f': { N: String(tail.before) },
      ':m': { N: String(mostBytes) },
    }
    const answer = await this.#access.table.update({
      Key: this.#segment(tail.index),
      UpdateExpression: isNew
        ? 'SET l = list_append(if_not_exists(l, :none), :l), b = if_not_exists(b, :zero) + :b, m = if_not_exists(m, :m), f = :f'
        : 'SET l = list_append(l, :l), b = b + :b',
      ConditionExpression: `${isNew ? '(attribute_not_exists(b) OR b < m)' : 'b < m'} AND attribute_not_exists(q) AND attribute_not_exists(g)`,
      ExpressionAttributeValues: { ...appended(lines), ...(isNew ? begin : {}) },
      ReturnValues: 'ALL_NEW',
    })
    if (isRefused(answer)) return this.#turnedAway(tail, answer, missed)
    const segment = segmentOf(answer)
    missed.add(segment.before, segment.lines.slice(0, segment.lines.length - lines.length))
    const isShared = segment.lines.length > tail.count + lines.length
    if (isShared) tail.learn(segment)
    else {
      tail.mostBytes = segment.mostBytes
      tail.grew(lines.length, bytesOf(lines))
    }
    return segment.before + segment.lines.length
  }

  /** Appends to a run that nobody looks at, and has it looked at. */
  async #wake(tail: Tail, quiet: string, lines: readonly string[], nowMs: number, missed: Missed): Promise<Appended> {
    const { keys, table, lookMs, onMarked } = this.#access
    const segment: Part = {
      Update: {
        Key: this.#segment(tail.index),
        UpdateExpression: 'SET l = list_append(l, :l), b = b + :b REMOVE q',
        // Nothing can be asked back from a transaction: it is for who knows what is there.
        ConditionExpression: 'q = :q AND size(l) = :count AND attribute_not_exists(g)',
        ExpressionAttributeValues: { ...appended(lines), ':q': { S: quiet }, ':count': { N: String(tail.count) } },
      },
    }
    const head: Part = { Update: wakingHead(keys, this.runId, quiet, nowMs + lookMs) }
    const refused = await table.transact([segment, head])
    if (refused !== undefined) return refused[0] === undefined ? 'gone' : this.#turnedAway(tail, refused[0], missed)
    onMarked()
    tail.grew(lines.length, bytesOf(lines))
    return tail.position
  }

  #turnedAway(tail: Tail, { item }: Refused, missed: Missed): Appended {
    if (item === undefined || item.g !== undefined) return 'gone'
    const segment = segmentOf(item)
    missed.add(segment.before, segment.lines)
    tail.learn(segment)
    return 'elsewhere'
  }

  /** @returns whether that is all there is; undefined where there is no log */
  async #readFrom(position: number, missed: Missed, most: number): Promise<boolean | undefined> {
    const { keys, table } = this.#access
    // What is known of the end may be ahead of what the caller knows.
    const from = this.#tail !== undefined && this.#tail.before <= position ? this.#tail.index : 0
    let isFirst = true
    for (let start: Item | undefined; ; ) {
      const page = await table.query({
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :last',
        ExpressionAttributeValues: {
          ':pk': { S: keys.run(this.runId) },
          ':from': { S: segmentName(from) },
          ':last': { S: SEGMENTS.last },
        },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      })
      const segments = (page.Items ?? []).map(segmentOf)
      start = page.LastEvaluatedKey
      if (isFirst && !isBeginning(segments, from, this.#tail)) return undefined
      isFirst = false
      for (const segment of segments) {
        if (segment.isGone) return undefined
        this.#learn(segment)
        missed.add(segment.before, segment.lines)
      }
      if (this.#tail !== undefined) this.#tail.knownAtMs = performance.now()
      if (start === undefined) return true
      if (missed.lines.length >= most) return false
    }
  }

  #learn(segment: Segment): void {
    this.#tail ??= new Tail()
    this.#tail.learn(segment)
  }

  /** Moves the marks so far away that nothing may be appended without moving them back. */
  async #markLate(position: number, marks: MarksOfRun, move: MarkMove): Promise<boolean> {
    const { keys, table } = this.#access
    const tail = this.#tail
    if (tail === undefined || tail.position !== position) return false
    const isNew = tail.count === 0
    const quiet = quietOf(marks)
    // Somebody has done that, and noted with it how the run stands.
    if (tail.quiet === quiet) return true
    const begin = {
      ':none': { L: [] },
      ':zero': { N: '0' },
      ':f': { N: String(tail.before) },
      ':m': { N: String(tail.mostBytes) },
    }
    const segment: Part = {
      Update: {
        Key: this.#segment(tail.index),
        UpdateExpression: isNew
          ? 'SET q = :q, l = if_not_exists(l, :none), b = if_not_exists(b, :zero), m = if_not_exists(m, :m), f = :f'
          : 'SET q = :q',
        ConditionExpression: `${isNew ? '(attribute_not_exists(l) OR size(l) = :zero)' : 'size(l) = :count'} AND attribute_not_exists(g)`,
        ExpressionAttributeValues: {
          ':q': { S: quiet },
          ...(isNew ? begin : { ':count': { N: String(tail.count) } }),
        },
      },
    }
    const refused = await table.transact([segment, { Update: movedHead(keys, this.runId, position, move) }])
    if (refused !== undefined) return false
    // What was appended meanwhile knows better.
    if (tail.position === position) tail.quiet = quiet
    return true
  }

  async #markSoon(position: number, move: MarkMove): Promise<boolean> {
    const { keys, table } = this.#access
    const isEarly = move.earlier && this.#isMarkedBy(earliestOf(move))
    // There is an earlier mark: that will do.
    if (isEarly && move.note === undefined) return true
    const answer = await table.update(movedHead(keys, this.runId, position, move, !isEarly))
    if (!isRefused(answer)) {
      if (!isEarly && hasMarks(move)) this.#sawMark(move.earlier ? earliestOf(move) : earliestOf(move.stands))
      return true
    }
    const { item } = answer
    this.#sawMark(item?.mark?.N === undefined ? undefined : Number(item.mark.N))
    if (isEarly || item === undefined || item.gone !== undefined || Number(item.pos?.N) > position) return false
    // Only the mark was in the way: now we know.
    return this.#isMarkedBy(earliestOf(move)) && this.#markSoon(position, move)
  }

  #sawMark(markMs: number | undefined): void {
    this.#mark = markMs === undefined ? undefined : { markMs, seenAtMs: performance.now() }
  }

  /** Whether others look at the run by then, as far as is known. */
  #isMarkedBy(atMs: number): boolean {
    const { clock, lookMs } = this.#access
    // Whatever was appended, a moment ago, has seen to that.
    if (atMs >= clock.now() - MOMENT_MS + lookMs) return true
    const mark = this.#mark
    return mark !== undefined && mark.markMs <= atMs && performance.now() - mark.seenAtMs < MARK_KNOWN_FOR_MS
  }

  async #putValues(drafted: readonly Drafted[]): Promise<void> {
    if (drafted.every(({ draft }) => draft.blobs.length === 0)) return
    const blobs = drafted.flatMap(({ draft }) => draft.blobs)
    await this.#access.values.put(this.runId, new Map(blobs.map(({ sha256, text }) => [sha256, text])))
  }

  #segment(index: number): ItemKey {
    return { pk: { S: this.name }, sk: { S: segmentName(index) } }
  }
}

/** Whether a log is where it was asked for: one that was removed has no beginning, or not what was known to be there. */
function isBeginning([first]: readonly Segment[], from: number, tail: Tail | undefined): boolean {
  if (first !== undefined) return first.index === from
  // A place that has no line yet need not be there.
  return from > 0 && tail !== undefined && tail.index === from && tail.count === 0
}

function earliestOf(marks: { readonly dueMs?: number; readonly remindMs?: number } | undefined): number {
  return Math.min(marks?.dueMs ?? Number.POSITIVE_INFINITY, marks?.remindMs ?? Number.POSITIVE_INFINITY)
}

function lineOf(nowMs: number, { draft }: Drafted): string {
  return `${nowMs}|${draft.text}`
}

function appended(lines: readonly string[]): Item {
  return { ':l': { L: lines.map((S) => ({ S })) }, ':b': { N: String(bytesOf(lines)) } }
}

function bytesOf(lines: readonly string[]): number {
  let bytes = 0
  for (const line of lines) bytes += Buffer.byteLength(line)
  return bytes
}
