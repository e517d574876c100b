import { expect, it } from 'vitest'
import type { ReceivedMessage } from '../client-port.ts'
import { PartitionLog } from './partition-log.ts'

const message = (offset: number): ReceivedMessage => ({ offset, key: '', text: `${offset}`, headers: {} })
const messages = (from: number, to: number) => Array.from({ length: to - from }, (_, nth) => message(from + nth))

function logOf(from: number, to: number, taken = to - from): PartitionLog {
  const log = new PartitionLog({ topic: 'jobs', partition: 3 })
  log.receive(messages(from, to))
  for (let count = 0; count < taken; count++) log.take()
  return log
}

/** Takes all that waits. @returns their offsets */
function takeAll(log: PartitionLog): number[] {
  const offsets: number[] = []
  for (let next = log.take(); next !== undefined; next = log.take()) offsets.push(next.offset)
  return offsets
}

it('gives messages in their order, and commits up to the first that is not done', () => {
  const log = logOf(10, 15)
  log.done(12)
  log.done(11)
  log.done(10)
  expect(log.uncommitted()).toEqual({ topic: 'jobs', partition: 3, offset: 13 })

  log.done(14)
  expect(log.uncommitted()?.offset).toBe(13)
  log.done(13)
  expect(log.uncommitted()?.offset).toBe(15)
})

it('commits a position once', () => {
  const log = logOf(0, 2)
  log.done(0)
  const offset = log.uncommitted()
  expect(offset?.offset).toBe(1)
  if (offset !== undefined) log.committed(offset)

  expect(log.uncommitted()).toBeUndefined()
})

it('commits nothing before anything was begun', () => {
  expect(logOf(5, 9, 0).uncommitted()).toBeUndefined()
  expect(new PartitionLog({ topic: 'jobs', partition: 0 }).uncommitted()).toBeUndefined()
})

it('leaves out what it knows when Kafka gives it again after a rebalance', () => {
  const log = logOf(0, 3, 1)
  log.gained()
  log.receive(messages(0, 5))

  expect(takeAll(log)).toEqual([1, 2, 3, 4])
})

it('goes on behind gaps: Kafka leaves out what was compacted or is its own', () => {
  const log = logOf(0, 2)
  log.receive([message(7)])
  log.done(0)
  log.done(1)

  expect(log.uncommitted()?.offset).toBe(7)
})

it('forgets what waits when others get the partition, and never commits for them', () => {
  const log = logOf(0, 4, 2)
  log.lost()

  expect(log.waiting).toBe(0)
  expect(log.uncommitted()).toBeUndefined()
  expect(log.isOver).toBe(false)
  log.done(0)
  expect(log.uncommitted()).toBeUndefined()
  log.done(1)
  expect(log.isOver).toBe(true)
})

it('does not begin again what it still works on when it gets the partition back, and commits nothing behind that before it is done', () => {
  const log = logOf(0, 4, 2)
  log.lost()
  log.gained()
  log.receive(messages(1, 6))

  expect(takeAll(log)).toEqual([2, 3, 4, 5])
  for (const offset of [2, 3, 4, 5]) log.done(offset)
  expect(log.uncommitted()).toBeUndefined()
  log.done(1)
  expect(log.uncommitted()?.offset).toBe(6)
})

it('leaves out what it did when it had the partition before, whether Kafka had heard of that or not', () => {
  const log = logOf(0, 4, 2)
  log.done(1)
  log.lost()
  log.gained()
  log.receive(messages(0, 6))
  expect(takeAll(log)).toEqual([2, 3, 4, 5])

  log.done(0)
  expect(log.uncommitted()?.offset).toBe(2)
})

it('knows another partition of the same name by where that begins after a change of the group', () => {
  const log = logOf(10, 15)
  log.committed({ topic: 'jobs', partition: 3, offset: 12 })
  expect(log.isAnother(0)).toBe(false)
  log.gained()
  // Kafka is told of that after it has said where the group has come.
  log.committed({ topic: 'jobs', partition: 3, offset: 15 })
  expect([log.isAnother(11), log.isAnother(12)]).toEqual([true, false])

  log.receive(messages(12, 16))
  expect(takeAll(log)).toEqual([15])
  log.lost()
  log.gained()
  expect([log.isAnother(14), log.isAnother(15)]).toEqual([true, false])
})

it('knows what is given again without a change of the group', () => {
  const log = logOf(10, 15)
  expect([log.isBack(14), log.isBack(15)]).toEqual([true, false])
  log.gained()
  expect(log.isBack(10)).toBe(false)
})

it('gives again what nothing became of here, when it gets the partition back with it', () => {
  const log = logOf(0, 4)
  log.done(0)
  log.lost()
  log.done(1)
  log.left(2)
  log.gained()
  log.receive(messages(0, 4))

  expect(takeAll(log)).toEqual([2])
  log.done(2)
  expect(log.uncommitted()?.offset).toBe(3)
})
