import { expect, it } from 'vitest'
import type { Partition, ReceivedMessage } from '../client-port.ts'
import { Backlog } from './backlog.ts'

function stand(most = 1_000) {
  const told: string[] = []
  const name = (partitions: readonly Partition[]) => partitions.map((each) => `${each.topic}/${each.partition}`)
  const backlog = new Backlog({
    topics: ['high', 'usual'],
    most,
    pause: (partitions) => void told.push(`pause ${name(partitions)}`),
    resume: (partitions) => void told.push(`resume ${name(partitions)}`),
    onBack: (partition) => void told.push(`back ${name([partition])}`),
  })
  const receive = (topic: string, partition: number, ...offsets: readonly number[]) =>
    backlog.receive(
      { topic, partition },
      offsets.map((offset): ReceivedMessage => ({ offset, key: '', text: '', headers: {} })),
    )
  const next = () => {
    const found = backlog.next()
    return found && `${found.log.topic}/${found.log.partition}:${found.message.offset}`
  }
  const all = () => {
    const found: string[] = []
    for (let each = next(); each !== undefined; each = next()) found.push(each)
    return found
  }
  return { backlog, told, receive, next, all }
}

const usual = [0, 1].map((partition) => ({ topic: 'usual', partition }))
const high = { topic: 'high', partition: 0 }

it('gives the more urgent level first, and the partitions of a level in turn', () => {
  const { backlog, receive, all } = stand()
  backlog.assign([...usual, high])
  receive('usual', 0, 1, 2, 3)
  receive('usual', 1, 7, 8)
  receive('high', 0, 5)

  expect(all()).toEqual(['high/0:5', 'usual/0:1', 'usual/1:7', 'usual/0:2', 'usual/1:8', 'usual/0:3'])
})

it('pauses what brings too much, and lets it go on at half of that', () => {
  const { backlog, told, receive, next } = stand(4)
  backlog.assign([...usual, high])
  receive('usual', 0, 1, 2, 3)
  receive('high', 0, 1, 2, 3)
  expect(told).toEqual([])

  receive('usual', 1, 1)
  expect(told).toEqual(['pause usual/1'])
  receive('usual', 1, 2)
  expect(told).toEqual(['pause usual/1'])
  for (let count = 0; count < 5; count++) next()
  expect(told).toEqual(['pause usual/1'])
  next()
  expect(told).toEqual(['pause usual/1', 'resume usual/1'])
})

it('has nothing more of what others have, and takes nothing of it', () => {
  const { backlog, receive, all } = stand(2)
  backlog.assign(usual)
  receive('usual', 0, 1, 2)
  receive('usual', 1, 7)

  backlog.assign([{ topic: 'usual', partition: 1 }])
  receive('usual', 0, 3)

  expect(all()).toEqual(['usual/1:7'])
  expect(backlog.logs().map(({ partition }) => partition)).toEqual([1])
})

it('pauses anew what was paused when it has joined again', () => {
  const { backlog, told, receive } = stand(2)
  backlog.assign(usual)
  receive('usual', 0, 1, 2)

  backlog.assign(usual)

  expect(told).toEqual(['pause usual/0', 'pause usual/0'])
  expect(backlog.logs().map((log) => backlog.isPaused(log))).toEqual([true, false])
})

it('counts what was put aside until that is done', () => {
  const { backlog, told, receive } = stand(4)
  const putAllAside = () => {
    for (let found = backlog.next(); found !== undefined; found = backlog.next())
      found.log.putAside(found.message.offset)
  }
  backlog.assign(usual)
  receive('usual', 0, 1, 2)
  putAllAside()
  receive('usual', 1, 1, 2)
  putAllAside()
  backlog.relieved()
  expect(told).toEqual(['pause usual/1'])

  for (const log of backlog.logs()) log.done(1)
  backlog.relieved()
  expect(told).toEqual(['pause usual/1', 'resume usual/1'])
})

it('begins anew with a partition that was made anew, and commits nothing of the old one for it', () => {
  const { backlog, told, receive, all } = stand()
  backlog.assign(usual)
  receive('usual', 0, 5, 6, 7)
  expect(all()).toEqual(['usual/0:5', 'usual/0:6', 'usual/0:7'])
  const [old] = backlog.logs()
  old?.done(5)

  receive('usual', 0, 0, 1)
  expect([all(), told]).toEqual([[], ['back usual/0']])
  backlog.assign(usual)
  receive('usual', 0, 0, 1)

  expect(all()).toEqual(['usual/0:0', 'usual/0:1'])
  old?.done(6)
  expect(old?.uncommitted()).toBeUndefined()
  for (const log of backlog.logs()) log.done(0)
  expect(backlog.logs().flatMap((log) => log.uncommitted() ?? [])).toEqual([
    { topic: 'usual', partition: 0, offset: 1 },
  ])
})

it('leaves no pause behind with a partition that goes to others: it may come back', () => {
  const { backlog, told, receive } = stand(2)
  backlog.assign(usual)
  receive('usual', 0, 1, 2)
  expect(told).toEqual(['pause usual/0'])

  backlog.assign(usual.slice(1))
  expect(told).toEqual(['pause usual/0', 'resume usual/0'])
  backlog.assign(usual)
  expect(told).toEqual(['pause usual/0', 'resume usual/0'])
})

it('knows what it did of a partition that comes back soon, and not when others have had it for long', () => {
  for (const [changes, given] of [
    [10, []],
    [11, ['usual/0:1']],
  ] as const) {
    const { backlog, receive, all } = stand()
    backlog.assign(usual)
    receive('usual', 0, 1)
    all()
    for (const log of backlog.logs()) log.done(1)
    for (let change = 0; change < changes; change++) backlog.assign(usual.slice(1))

    backlog.assign(usual)
    receive('usual', 0, 1)

    expect(all()).toEqual(given)
  }
})
