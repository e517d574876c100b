/**
 * Removes a run. First the place where its next line would go is closed, so that nobody appends any more; that and the number of its
 * lines are one condition. What is left for a while is a tombstone, and that closed place: somebody may still believe the run to be
 * there. Where it has ended just now, all its segments are left so, emptied: somebody may believe that it ends at any of them. Whoever
 * dies on the way has the next purge go on.
 */
import type { WriteRequest } from '@aws-sdk/client-dynamodb'
import type { RunId } from '@baton/core/adapter'
import { type Item, type ItemKey, type Keys, SEGMENTS, segmentName } from '../keys.ts'
import { TTL_ATTRIBUTE } from '../table.ts'
import { beginning, type Segment, SMALL_BYTES, segmentOf } from './segment.ts'
import type { Part, TableAccess } from './table-access.ts'
import type { IValueStore } from './values.ts'

interface Place {
  readonly keys: Keys
  readonly table: TableAccess
}

export interface RemovalOptions extends Place {
  readonly values: IValueStore
  readonly clock: { now(): number }
  readonly tombstoneMs: number
}

/** What somebody knows of a log is older than this by no means: `dynamo-run-log.ts` reads before it appends. */
const JUST_NOW_MS = 600_000
/** Closed places go first, whenever DynamoDB comes to it: a tombstone is what says that they are there. */
const TOMBSTONE_LONGER_MS = 30 * 24 * 3_600_000
/** What stands in a closed place, so that a purge that was cut off can go on by it. */
const CLOSED = 'g = :true, l = :none, b = :zero, m = :m, f = :f'

/** @param lines as many as the run has to have. @returns whether it is gone */
export async function removeRun(runId: RunId, lines: number, options: RemovalOptions): Promise<boolean> {
  const { keys, table, values, clock, tombstoneMs } = options
  const [last, found] = await Promise.all([lastSegment(options, runId), table.get(keys.head(runId))])
  if (last === undefined || last.before + last.lines.length !== lines) return false
  // Where the next line goes: behind a segment that is full.
  const isFull = !last.isGone && last.bytes >= last.mostBytes
  const index = isFull ? last.index + 1 : last.index
  const place = { pk: { S: keys.run(runId) }, sk: { S: segmentName(index) } }
  if (!last.isGone && !(await close(place, isFull ? undefined : last, { options, runId, lines }))) return false
  await values.remove(runId)
  const head = keys.head(runId)
  const nowMs = clock.now()
  const freeMs = nowMs + tombstoneMs
  const isYoung = !(Number(found?.mark?.N) < nowMs - JUST_NOW_MS)
  await clear([place, head], { ...options, runId, ttl: isYoung ? ttlOf(freeMs) : undefined })
  const tombstone = {
    gone: { BOOL: true },
    freeAt: { N: String(freeMs) },
    [TTL_ATTRIBUTE]: ttlOf(freeMs + TOMBSTONE_LONGER_MS),
  }
  const expiry: Part = {
    Update: {
      Key: { ...place },
      UpdateExpression: 'SET #ttl = :ttl',
      ConditionExpression: 'attribute_exists(g)',
      ExpressionAttributeNames: { '#ttl': TTL_ATTRIBUTE },
      ExpressionAttributeValues: { ':ttl': ttlOf(freeMs) },
    },
  }
  const Put = { Item: { ...head, ...tombstone }, ConditionExpression: 'attribute_exists(gone)' }
  return (await table.transact([{ Put }, expiry])) === undefined
}

/** Of a run that was here long ago and whose id is used again: nothing may be closed to the new one. */
export async function removeClosed(runId: RunId, { keys, table }: Place): Promise<void> {
  const items = await table.queryAll(segmentsOf(keys, runId))
  for (const { pk, sk, g } of items) {
    if (pk === undefined || sk === undefined || g === undefined) continue
    // Somebody else may have begun anew at the same place.
    await table.transact([{ Delete: { Key: { pk, sk }, ConditionExpression: 'attribute_exists(g)' } }])
  }
}

function segmentsOf(keys: Keys, runId: RunId) {
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
    ExpressionAttributeValues: {
      ':pk': { S: keys.run(runId) },
      ':first': { S: SEGMENTS.first },
      ':last': { S: SEGMENTS.last },
    },
    ConsistentRead: true,
  }
}

async function lastSegment({ keys, table }: Place, runId: RunId): Promise<Segment | undefined> {
  const { Items = [] } = await table.query({ ...segmentsOf(keys, runId), ScanIndexForward: false, Limit: 1 })
  return Items[0] && segmentOf(Items[0])
}

interface Closing {
  readonly options: RemovalOptions
  readonly runId: RunId
  /** How many the run has. */
  readonly lines: number
}

/** @param segment what stands at that place; undefined for nothing. @returns false where somebody has appended */
async function close(
  place: ItemKey,
  segment: Segment | undefined,
  { options, runId, lines }: Closing,
): Promise<boolean> {
  const { keys, table } = options
  const count = segment?.lines.length ?? 0
  const closed: Part = {
    Update: {
      Key: { ...place },
      // Without what stood there: its lines are counted with those before.
      UpdateExpression: `SET ${CLOSED}`,
      ConditionExpression: segment === undefined ? 'attribute_not_exists(l) OR size(l) = :zero' : 'size(l) = :count',
      ExpressionAttributeValues: {
        ':true': { BOOL: true },
        ...beginning(lines, SMALL_BYTES),
        ...(segment === undefined ? {} : { ':count': { N: String(count) } }),
      },
    },
  }
  const gone: Part = {
    Update: {
      Key: keys.head(runId),
      UpdateExpression: 'SET gone = :true',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':true': { BOOL: true } },
    },
  }
  return (await table.transact([closed, gone])) === undefined
}

interface Clearing extends Place {
  readonly runId: RunId
  /** Until when segments are left as closed places; undefined to delete them. */
  readonly ttl: Item[string] | undefined
}

async function clear(kept: readonly ItemKey[], { keys, table, runId, ttl }: Clearing): Promise<void> {
  const items = await table.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: keys.run(runId) } },
    ProjectionExpression: 'pk, sk, f, g',
    ConsistentRead: true,
  })
  const requests = items.flatMap(({ pk, sk, f, g }): WriteRequest[] => {
    if (pk === undefined || sk === undefined || kept.some((key) => key.sk.S === sk.S)) return []
    if (ttl === undefined || f === undefined) return [{ DeleteRequest: { Key: { pk, sk } } }]
    if (g !== undefined) return []
    const closed = { g: { BOOL: true }, l: { L: [] }, b: { N: '0' }, m: { N: String(SMALL_BYTES) }, f }
    return [{ PutRequest: { Item: { pk, sk, ...closed, [TTL_ATTRIBUTE]: ttl } } }]
  })
  await table.writeAll(requests)
}

/** In whole seconds, as DynamoDB wants it. */
function ttlOf(atMs: number): Item[string] {
  return { N: String(Math.ceil(atMs / 1_000)) }
}
