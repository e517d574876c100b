/** Moves the marks of one run. */
import type { MarkMove, RunId } from '@baton/core/adapter'
import { type Item, type Keys, segmentName } from '../keys.ts'
import { areQuiet, hasMarks, type MarksOfRun, movedHead, quietOf } from './marks.ts'
import { beginning, type Tail } from './segment.ts'
import { isRefused, type Part, type TableAccess } from './table-access.ts'

export interface MarkMoverOptions {
  readonly keys: Keys
  readonly table: TableAccess
  readonly clock: { now(): number }
  /** A line makes sure that the sweep looks at its run within this time. */
  readonly lookMs: number
  /** Called when marks may stand elsewhere than they did. */
  readonly onMarked: () => void
}

/** Where the mark was, and when it was seen there by `performance.now()`. */
interface SeenMark {
  readonly markMs: number
  readonly seenAtMs: number
}

const NEVER: MarksOfRun = { dueMs: Number.POSITIVE_INFINITY, remindMs: Number.POSITIVE_INFINITY }
/** From a line to the move of a mark that follows on it. */
const MOMENT_MS = 1_000
/** What is known of the mark, for so long: meanwhile somebody may have moved it, if only to where it is early enough in the end. */
const KNOWN_FOR_MS = 1_000

export class MarkMover {
  readonly #runId: RunId
  readonly #options: MarkMoverOptions
  #seen: SeenMark | undefined

  constructor(runId: RunId, options: MarkMoverOptions) {
    this.#runId = runId
    this.#options = options
  }

  /** Where it is now, as far as is known. */
  saw(marks: { readonly dueMs?: number; readonly remindMs?: number } | undefined): void {
    this.#seen = marks && { markMs: earliestOf(marks), seenAtMs: performance.now() }
  }

  /** @param tail where the log ends, if that is known. @returns whether it was done */
  async move(tail: Tail | undefined, position: number, move: MarkMove): Promise<boolean> {
    const { clock, lookMs, onMarked } = this.#options
    const marks = move.endedMs === undefined ? move.stands : NEVER
    const isLate = hasMarks(move) && !move.earlier && marks !== undefined && areQuiet(marks, clock.now(), lookMs)
    const isDone = await (isLate ? this.#moveAway(tail, position, marks, move) : this.#moveNear(position, move))
    if (hasMarks(move)) onMarked()
    return isDone
  }

  /** So far away that nothing may be appended without moving them back. */
  async #moveAway(tail: Tail | undefined, position: number, marks: MarksOfRun, move: MarkMove): Promise<boolean> {
    const { keys, table } = this.#options
    if (tail === undefined || tail.position !== position) return false
    const quiet = quietOf(marks)
    // Somebody has done that, and noted with it how the run stands. Unless a mark has led here: then it is not where that says.
    if (tail.quiet === quiet && !move.isAwaited) return true
    const isNew = tail.count === 0
    const segment: Part = {
      Update: {
        Key: { pk: { S: keys.run(this.#runId) }, sk: { S: segmentName(tail.index) } },
        UpdateExpression: isNew
          ? 'SET q = :q, l = if_not_exists(l, :none), b = if_not_exists(b, :zero), m = if_not_exists(m, :m), f = :f'
          : 'SET q = :q',
        ConditionExpression: `${isNew ? '(attribute_not_exists(l) OR size(l) = :zero)' : 'size(l) = :count'} AND attribute_not_exists(g)`,
        ExpressionAttributeValues: {
          ':q': { S: quiet },
          ...(isNew ? beginning(tail.before, tail.mostBytes) : { ':count': { N: String(tail.count) } }),
        },
      },
    }
    const refused = await table.transact([segment, { Update: movedHead(keys, this.#runId, position, move) }])
    if (refused !== undefined) return false
    // What was appended meanwhile knows better.
    if (tail.position === position) tail.quiet = quiet
    return true
  }

  async #moveNear(position: number, move: MarkMove): Promise<boolean> {
    const { keys, table } = this.#options
    const isEarly = move.earlier && this.#isMarkedBy(earliestOf(move))
    // There is an earlier mark: that will do.
    if (isEarly && move.note === undefined) return true
    const answer = await table.update(movedHead(keys, this.#runId, position, move, !isEarly))
    if (!isRefused(answer)) {
      if (!isEarly && hasMarks(move)) this.saw(move.earlier ? move : move.stands)
      return true
    }
    const { item } = answer
    this.saw(item?.mark && { dueMs: Number(item.mark.N) })
    if (isEarly || !isKnown(item, position)) return false
    // Only the mark was in the way: now we know.
    return this.#isMarkedBy(earliestOf(move)) && this.#moveNear(position, move)
  }

  /** Whether others look at the run by then, as far as is known. */
  #isMarkedBy(atMs: number): boolean {
    const { clock, lookMs } = this.#options
    // Whatever was appended, a moment ago, has seen to that.
    if (atMs >= clock.now() - MOMENT_MS + lookMs) return true
    const seen = this.#seen
    return seen !== undefined && seen.markMs <= atMs && performance.now() - seen.seenAtMs < KNOWN_FOR_MS
  }
}

/** Whether the head speaks of no more than the caller knows. */
function isKnown(head: Item | undefined, position: number): boolean {
  return head !== undefined && head.gone === undefined && Number(head.pos?.N) <= position
}

function earliestOf({ dueMs, remindMs }: { readonly dueMs?: number; readonly remindMs?: number }): number {
  return Math.min(dueMs ?? Number.POSITIVE_INFINITY, remindMs ?? Number.POSITIVE_INFINITY)
}
