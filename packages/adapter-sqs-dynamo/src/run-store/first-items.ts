/** The two items that a run begins with: its head, and the first segment of its log. */
import { type Creation, createdAt, flowName, type RunId } from '@baton/core/adapter'
import { type Item, type Keys, segmentName } from '../keys.ts'
import { areQuiet, type MarksOfRun, markItem, quietOf } from './marks.ts'
import { SMALL_BYTES } from './segment.ts'
import type { Part } from './table-access.ts'

export interface FirstItemsOptions {
  readonly keys: Keys
  readonly runId: RunId
  readonly nowMs: number
  /** A line makes sure that the sweep looks at its run within this time. */
  readonly lookMs: number
  /** There is a tombstone whose time was up at this instant; 0 for none. */
  readonly freedAtMs: number
}

export interface FirstItems {
  readonly head: Part
  readonly segment: Item
  readonly marks: MarksOfRun
}

/** @param line what stands in the log first */
export function firstItems(line: string, { run, note, dueInMs }: Creation, options: FirstItemsOptions): FirstItems {
  const { keys, runId, nowMs, lookMs, freedAtMs } = options
  const startMs = Math.max(nowMs, run.startAtMs ?? 0)
  const marks = { dueMs: startMs + dueInMs, remindMs: startMs > nowMs ? startMs : nowMs + lookMs }
  const shard = keys.shardOf(runId)
  const condition =
    freedAtMs === 0
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: 'attribute_not_exists(pk) OR freeAt <= :freed',
          ExpressionAttributeValues: { ':freed': { N: String(freedAtMs) } },
        }
  const Put = {
    Item: {
      ...keys.head(runId),
      ...markItem(marks, shard),
      pos: { N: '1' },
      cp: { S: shard },
      created: { N: String(nowMs) },
      flow: { S: flowName(run) },
      note: { S: createdAt(note, String(nowMs)) },
    },
    ...condition,
  }
  const segment: Item = {
    pk: { S: keys.run(runId) },
    sk: { S: segmentName(0) },
    ...(areQuiet(marks, nowMs, lookMs) ? { q: { S: quietOf(marks) } } : {}),
    l: { L: [{ S: line }] },
    b: { N: String(Buffer.byteLength(line)) },
    m: { N: String(SMALL_BYTES) },
    f: { N: '0' },
  }
  return { head: { Put }, segment, marks }
}
