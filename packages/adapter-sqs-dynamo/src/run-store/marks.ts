/** How the marks of a run stand on its head, and how they are moved there. */

import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import type { MarkMove, RunId } from '@baton/core/adapter'
import type { Item, ItemKey, Keys } from '../keys.ts'
import type { Part, Write } from './table-access.ts'

const NEVER = Number.POSITIVE_INFINITY

export interface MarksOfRun {
  readonly dueMs: number
  readonly remindMs: number
}

/**
 * Whether the sweep comes so late that what is appended has to move its mark: a line makes sure of a look within this time. That something
 * may be claimed before does not count: nobody may have a place for it.
 */
export function areQuiet({ remindMs }: MarksOfRun, nowMs: number, lookMs: number): boolean {
  return remindMs > nowMs + lookMs
}

/** In one word, for the segment. */
export function quietOf({ dueMs, remindMs }: MarksOfRun): string {
  return `${dueMs} ${remindMs}`
}

function marksOf(quiet: string): MarksOfRun {
  const [dueMs, remindMs] = quiet.split(' ').map(Number)
  return { dueMs: dueMs ?? NEVER, remindMs: remindMs ?? NEVER }
}

/** The attributes of marks that are put there whole. */
export function markItem({ dueMs, remindMs }: MarksOfRun, shard: string): Item {
  const markMs = Math.min(dueMs, remindMs)
  return {
    ...(markMs === NEVER ? {} : { dp: { S: shard }, mark: { N: String(markMs) } }),
    ...(dueMs === NEVER ? {} : { due: { N: String(dueMs) } }),
    ...(remindMs === NEVER ? {} : { remind: { N: String(remindMs) } }),
  }
}

const MARKS = ['dp', 'mark', 'due', 'remind']

type Update = Extract<Part, { readonly Update: unknown }>['Update'] & Write<UpdateItemCommandInput>

/** Builds the change of a head, one attribute after the other. */
class HeadUpdate {
  readonly #sets: string[] = []
  readonly #removes: string[] = []
  readonly #conditions = ['attribute_exists(pk)', 'attribute_not_exists(gone)']
  readonly #values: Item = {}

  set(name: string, value: Item[string]): this {
    this.#sets.push(`${name} = :${name}`)
    this.#values[`:${name}`] = value
    return this
  }

  remove(names: readonly string[]): this {
    this.#removes.push(...names)
    return this
  }

  /** @param text about values that are set as well */
  when(text: string): this {
    this.#conditions.push(text)
    return this
  }

  for(Key: ItemKey): Update {
    const removes = this.#removes.length === 0 ? '' : ` REMOVE ${this.#removes.join(', ')}`
    return {
      Key,
      UpdateExpression: `SET ${this.#sets.join(', ')}${removes}`,
      ConditionExpression: this.#conditions.join(' AND '),
      ExpressionAttributeValues: this.#values,
    }
  }
}

/** Marks both, wherever they were. */
function allMarks(update: HeadUpdate, marks: MarksOfRun, shard: string): HeadUpdate {
  const items = markItem(marks, shard)
  for (const [name, value] of Object.entries(items)) update.set(name, value)
  return update.remove(MARKS.filter((name) => !(name in items)))
}

/** Before something is appended to a run whose marks are late: it is looked at soon, whatever becomes of us. */
export function wakingHead(keys: Keys, runId: RunId, quiet: string, lookAtMs: number): Update {
  const { dueMs, remindMs } = marksOf(quiet)
  const marks = { dueMs, remindMs: Math.min(remindMs, lookAtMs) }
  return allMarks(new HeadUpdate(), marks, keys.shardOf(runId)).for(keys.head(runId))
}

/** The move of a mark that comes with no change of the log. @param position how long that is, as far as the caller knows */
export function movedHead(keys: Keys, runId: RunId, position: number, move: MarkMove, withMarks = true): Update {
  const { dueMs, remindMs, earlier, stands, endedMs, createdMs, hasLetters, note } = move
  const shard = keys.shardOf(runId)
  const update = new HeadUpdate().set('pos', { N: String(position) }).when('pos <= :pos')
  if (note !== undefined) update.set('note', { S: note })
  if (hasLetters) update.set('lp', { S: shard }).set('created', { N: String(createdMs) })
  else if (note !== undefined) update.remove(['lp'])
  if (!withMarks) return update.for(keys.head(runId))
  if (endedMs !== undefined) {
    update
      .set('dp', { S: keys.ended(shard) })
      .set('mark', { N: String(endedMs) })
      .remove(['due', 'remind'])
  } else if (earlier) {
    const markMs = Math.min(dueMs ?? NEVER, remindMs ?? NEVER)
    update
      .set('dp', { S: shard })
      .set('mark', { N: String(markMs) })
      .when('(attribute_not_exists(mark) OR mark > :mark)')
    if (dueMs !== undefined) update.set('due', { N: String(dueMs) })
    if (remindMs !== undefined) update.set('remind', { N: String(remindMs) })
  } else if (stands !== undefined && (dueMs !== undefined || remindMs !== undefined)) {
    allMarks(update, stands, shard)
  }
  return update.for(keys.head(runId))
}

/** Whether a move only says what there is, and leaves the marks where they are. */
export function hasMarks({ dueMs, remindMs, endedMs }: MarkMove): boolean {
  return dueMs !== undefined || remindMs !== undefined || endedMs !== undefined
}
