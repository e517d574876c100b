/**
 * Removes a run. First the place where its next line would go is closed, so that nobody appends any more; that and the number of its
 * lines are one condition. What is left for a while is a tombstone, and that closed place: somebody may still believe the run to be
 * there. Whoever dies on the way has the next purge go on.
 */
import type { WriteRequest } from '@aws-sdk/client-dynamodb'
import type { RunId } from '@baton/core/adapter'
import { type Item, type ItemKey, type Keys, SEGMENTS, segmentName } from '../keys.ts'
import { TTL_ATTRIBUTE } from '../table.ts'
import { beginning, type Segment, SMALL_BYTES, segmentOf } from './segment.ts'
import type { Part, TableAccess } from './table-access.ts'
import type { IValueStore } from './values.ts'

export interface RemovalOptions {
  readonly keys: Keys
  readonly table: TableAccess
  readonly values: IValueStore
  readonly clock: { now(): number }
  readonly tombstoneMs: number
}

/** @param lines as many as the run has to have. @returns whether it is gone */
export async function removeRun(runId: RunId, lines: number, options: RemovalOptions): Promise<boolean> {
  const { keys, table, values, clock, tombstoneMs } = options
  const pk = { S: keys.run(runId) }
  const last = await lastSegment(options, runId)
  if (last === undefined || last.before + last.lines.length !== lines) return false
  const freeMs = clock.now() + tombstoneMs
  const ttl = { N: String(Math.ceil(freeMs / 1_000)) }
  // Where the next line goes: behind a segment that is full.
  const isFull = last.bytes >= last.mostBytes
  const place = { pk, sk: { S: segmentName(isFull ? last.index + 1 : last.index) } }
  if (!last.isGone && !(await close(place, isFull ? undefined : last, { options, runId, ttl, lines }))) return false
  await values.remove(runId)
  const head = keys.head(runId)
  await deleteAllBut([place, head], options, pk)
  const tombstone = { gone: { BOOL: true }, freeAt: { N: String(freeMs) }, place: place.sk, [TTL_ATTRIBUTE]: ttl }
  await table.put({ Item: { ...head, ...tombstone } })
  return true
}

/** Of a run that was here long ago and whose id is used again: nothing may be closed to the new one. */
export async function removeTombstone(tombstone: Item, table: TableAccess): Promise<void> {
  const { pk, place } = tombstone
  if (pk !== undefined && place !== undefined) await table.writeAll([{ DeleteRequest: { Key: { pk, sk: place } } }])
}

async function lastSegment({ keys, table }: RemovalOptions, runId: RunId): Promise<Segment | undefined> {
  const { Items = [] } = await table.query({
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
    ExpressionAttributeValues: {
      ':pk': { S: keys.run(runId) },
      ':first': { S: SEGMENTS.first },
      ':last': { S: SEGMENTS.last },
    },
    ConsistentRead: true,
    ScanIndexForward: false,
    Limit: 1,
  })
  return Items[0] && segmentOf(Items[0])
}

interface Closing {
  /** How many the run has. */
  readonly lines: number
  readonly options: RemovalOptions
  readonly runId: RunId
  readonly ttl: Item[string]
}

/** @param segment what stands at that place; undefined for nothing. @returns false where somebody has appended */
async function close(
  place: ItemKey,
  segment: Segment | undefined,
  { options, runId, ttl, lines }: Closing,
): Promise<boolean> {
  const { keys, table } = options
  const key = { pk: place.pk, sk: place.sk }
  const isNew = segment === undefined
  const closed: Part = {
    Update: {
      Key: key,
      // Whole, so that a purge which comes after one that was cut off can read it.
      UpdateExpression: `SET g = :true, #ttl = :ttl${isNew ? ', l = :none, b = :zero, m = :m, f = :f' : ''}`,
      ExpressionAttributeNames: { '#ttl': TTL_ATTRIBUTE },
      ConditionExpression: isNew ? 'attribute_not_exists(l) OR size(l) = :zero' : 'size(l) = :count',
      ExpressionAttributeValues: {
        ':true': { BOOL: true },
        ':ttl': ttl,
        ...(isNew ? beginning(lines, SMALL_BYTES) : { ':count': { N: String(segment.lines.length) } }),
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

async function deleteAllBut(kept: readonly ItemKey[], { table }: RemovalOptions, pk: Item[string]): Promise<void> {
  const items = await table.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk },
    ProjectionExpression: 'pk, sk',
    ConsistentRead: true,
  })
  const isKept = ({ sk }: Item) => kept.some((key) => key.sk.S === sk?.S)
  const requests = items.flatMap((Key): WriteRequest[] => (isKept(Key) ? [] : [{ DeleteRequest: { Key } }]))
  await table.writeAll(requests)
}
