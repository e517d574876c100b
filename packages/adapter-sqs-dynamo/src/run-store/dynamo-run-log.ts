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
  type Drafted,
  type Known,
  type LogAnswer,
  MADE,
  type MarkMove,
  NO_LOG,
  PURGED,
  type RunId,
  type RunLog,
} from '@baton/core/adapter'
import { type Item, type ItemKey, SEGMENTS, segmentName } from '../keys.ts'
import { firstItems } from './first-items.ts'
import { MarkMover, type MarkMoverOptions } from './mark-mover.ts'
import { wakingHead } from './marks.ts'
import { Missed } from './missed.ts'
import { beginning, type Segment, segmentOf, Tail } from './segment.ts'
import { isRefused, type Part, type Refused } from './table-access.ts'
import { removeClosed, removeRun } from './tombstone.ts'
import type { IValueStore } from './values.ts'

/** What the runs of a store have in common. */
export interface RunLogAccess extends MarkMoverOptions {
  readonly values: IValueStore
}

/** The log has as many lines; or nothing was appended, because it ends elsewhere or is gone. */
type Appended = number | 'elsewhere' | 'gone'

const NONE: readonly never[] = []
/** How often a writer may be turned away before it reads where the log ends. */
const MOST_STEPS = 4
/** More than any log has. */
const MORE = Number.MAX_SAFE_INTEGER
/** After so long the run may have ended and been removed: what is known of the end of its log is looked up first. */
const KNOWN_FOR_MS = 60_000
export class DynamoRunLog implements RunLog {
  readonly runId: RunId
  readonly #access: RunLogAccess
  /** Undefined before anything of the log was read. */
  #tail: Tail | undefined
  readonly #marks: MarkMover

  constructor(runId: RunId, access: RunLogAccess) {
    this.runId = runId
    this.#access = access
    this.#marks = new MarkMover(runId, access)
  }

  get name(): string {
    return this.#access.keys.run(this.runId)
  }

  async create(creation: Creation): Promise<LogAnswer> {
    const { keys, table, clock, lookMs, onMarked } = this.#access
    await this.#putValues([creation])
    for (let freedAtMs = 0; ; ) {
      const nowMs = clock.now()
      const options = { keys, runId: this.runId, nowMs, lookMs, freedAtMs }
      const { head, segment, marks } = firstItems(lineOf(nowMs, creation), creation, options)
      const refused = await table.transact([head, { Put: { Item: segment } }])
      if (refused === undefined) {
        onMarked()
        this.#tail = Tail.of(segmentOf(segment))
        this.#marks.saw(marks)
        return { nowMs, count: MADE, lines: NONE }
      }
      const found = refused[0]?.item
      if (found === undefined || freedAtMs > 0 || !(Number(found.freeAt?.N) <= nowMs)) {
        await this.#withdrawValues(creation, found)
        return this.#alreadyThere(found, nowMs)
      }
      // There was such a run, so long ago that its id may be used again.
      await removeClosed(this.runId, { keys, table })
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
      if (appended === undefined || appended === 'gone') {
        for (const each of drafted) await this.#withdrawValues(each)
        return { nowMs, count: NO_LOG, lines: NONE }
      }
      if (appended !== 'elsewhere') return { nowMs, count: appended, lines: missed.lines }
    }
  }

  async read({ position }: Known, most: number): Promise<LogAnswer> {
    const missed = new Missed(position)
    const isAll = await this.#readFrom(position, missed, most)
    const nowMs = this.#access.clock.now()
    if (isAll === undefined) return { nowMs, count: NO_LOG, lines: NONE }
    // No more than was asked for: who has appended meanwhile, and lost the answer, must not find its own lines among those before.
    const lines = missed.lines.slice(0, most)
    return { nowMs, count: isAll ? position + missed.lines.length : MORE, lines }
  }

  async values(digests: readonly string[]): Promise<readonly (string | null)[]> {
    const { values } = this.#access
    return Promise.all(digests.map(async (sha256) => (await values.get(this.runId, sha256)) ?? null))
  }

  mark({ position }: Known, move: MarkMove): Promise<boolean> {
    return this.#marks.move(this.#tail, position, move)
  }

  async purge(lines: number, tombstoneMs: number): Promise<boolean> {
    const isGone = await removeRun(this.runId, lines, { ...this.#access, tombstoneMs })
    if (isGone) this.#tail = undefined
    return isGone
  }

  async #alreadyThere(head: Item | undefined, nowMs: number): Promise<LogAnswer> {
    this.#marks.saw(undefined)
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
    const begin = isNew ? beginning(tail.before, tail.mostBytesFor(lines.length, bytesOf(lines))) : {}
    const closesAt = isNew ? undefined : tail.closesAt(lines.length)
    const close = closesAt === undefined ? {} : { ':m': { N: String(closesAt) } }
    const answer = await this.#access.table.update({
      Key: this.#segment(tail.index),
      UpdateExpression: isNew
        ? 'SET l = list_append(if_not_exists(l, :none), :l), b = if_not_exists(b, :zero) + :b, m = if_not_exists(m, :m), f = :f'
        : `SET l = list_append(l, :l), b = b + :b${closesAt === undefined ? '' : ', m = :m'}`,
      ConditionExpression: `${isNew ? '(attribute_not_exists(b) OR b < m)' : 'b < m'} AND attribute_not_exists(q) AND attribute_not_exists(g)`,
      ExpressionAttributeValues: { ...appended(lines), ...begin, ...close },
      ReturnValues: 'ALL_NEW',
    })
    if (isRefused(answer)) return this.#turnedAway(tail, answer, missed)
    const segment = segmentOf(answer)
    missed.add(segment.before, segment.lines.slice(0, segment.lines.length - lines.length))
    tail.appended(segment, lines.length)
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
        ConditionExpression: 'q = :q AND size(l) = :count AND m = :m AND attribute_not_exists(g)',
        ExpressionAttributeValues: {
          ...appended(lines),
          ':q': { S: quiet },
          ':count': { N: String(tail.count) },
          ':m': { N: String(tail.mostBytes) },
        },
      },
    }
    const head: Part = { Update: wakingHead(keys, this.runId, quiet, nowMs + lookMs) }
    const refused = await table.transact([segment, head])
    if (refused !== undefined) return refused[0] === undefined ? 'gone' : this.#turnedAway(tail, refused[0], missed)
    onMarked()
    this.#marks.saw(undefined)
    const position = tail.position + lines.length
    tail.grew(lines.length, tail.bytes + bytesOf(lines))
    return position
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
    const isFound = this.#tail === undefined
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
        this.#tail ??= new Tail()
        if (isFound) this.#tail.find(segment)
        else this.#tail.learn(segment)
        missed.add(segment.before, segment.lines)
      }
      if (this.#tail !== undefined) this.#tail.knownAtMs = performance.now()
      if (start === undefined) return true
      if (missed.lines.length >= most) return false
    }
  }

  async #putValues(drafted: readonly Drafted[]): Promise<void> {
    if (drafted.every(({ draft }) => draft.blobs.length === 0)) return
    const blobs = drafted.flatMap(({ draft }) => draft.blobs)
    await this.#access.values.put(this.runId, new Map(blobs.map(({ sha256, text }) => [sha256, text])))
  }

  /**
   * What was put for a run that has been removed must not outlive it. Only where a tombstone says so: else somebody may be making the
   * run, with the same values.
   */
  async #withdrawValues({ draft }: Drafted, head?: Item): Promise<void> {
    const { keys, table, clock, values } = this.#access
    if (draft.blobs.length === 0) return
    const { gone, freeAt } = head ?? (await table.get(keys.head(this.runId))) ?? {}
    if (gone !== undefined && Number(freeAt?.N) > clock.now() + KNOWN_FOR_MS) await values.remove(this.runId)
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
