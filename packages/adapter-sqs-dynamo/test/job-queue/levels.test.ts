/** Three queues instead of one, for jobs of high, normal and low priority. */
import { GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { systemClock, wait } from '@baton/core/adapter'
import { startSqs } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, job, nodes, Stand } from './stand.ts'

const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(() => sqs[Symbol.asyncDispose]())

const some = (count: number, priority: number) =>
  Array.from({ length: count }, (_, index) => job(`p${priority}-n${index}`, { priority }))

describe.skipIf(sqs.skipReason !== undefined)(sqs.skipReason ?? 'a job queue with a queue per level', () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await Stand.on(sqs.clientOptions, { hasLevels: true })
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  async function inQueue(name: string): Promise<readonly unknown[]> {
    const { client } = stand.queues
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: name }))
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    return Messages.map(({ Body = '' }) => JSON.parse(Body).priority ?? 0).sort()
  }

  it('says which of its queues is not there, before anything is sent', async () => {
    await stand.open().look()

    await expect(stand.open({ lowQueue: 'nowhere' }).look()).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'lowQueue',
    })
    expect(stand.asked.every((name) => name === 'GetQueueUrlCommand')).toBe(true)
  })

  it('sends each job to the queue of its level, and to the queue itself where its level has none', async () => {
    const { queue, highQueue = '', lowQueue = '' } = stand.queues.options
    const all = [-1_000, -1, 0, 1, 1_000].map((priority) => job(`n${priority}`, { priority }))

    await stand.open().enqueue([...all, job('none')])
    expect(await inQueue(highQueue)).toEqual([1, 1_000])
    expect(await inQueue(queue)).toEqual([0, 0])
    expect(await inQueue(lowQueue)).toEqual([-1, -1_000])

    await stand.open({ lowQueue: undefined as never }).enqueue(all)
    expect(await inQueue(highQueue)).toEqual([1, 1_000])
    expect(await inQueue(queue)).toEqual([-1, -1_000, 0])
    expect(await inQueue(lowQueue)).toEqual([])
  })

  it.each([1, 3, 10, 40])('takes what is urgent before the rest, %i at a time', async (concurrency) => {
    const queue = stand.open()
    await queue.enqueue([...some(20, -1), ...some(20, 0), ...some(20, 1)])

    const consuming = stand.consume(
      queue,
      (delivery) => wait(systemClock, 5).then(() => delivery.acknowledge()),
      concurrency,
    )
    await eventually(() => consuming.deliveries.length).toBe(60)

    const levels = consuming.deliveries.map((delivery) => delivery.job.priority ?? 0)
    expect(levels).toEqual(levels.toSorted((one, other) => other - one))
  })

  it('takes what is urgent and has come since before what it had not begun', async () => {
    const queue = stand.open()
    await queue.enqueue(some(30, -1))
    const consuming = stand.consume(
      queue,
      async (delivery) => {
        if (consuming.deliveries.length === 5) await queue.enqueue(some(4, 1))
        await delivery.acknowledge()
      },
      1,
    )

    await eventually(() => consuming.deliveries.length).toBe(34)

    const levels = consuming.deliveries.map((delivery) => delivery.job.priority)
    expect(levels.slice(5, 10).filter((level) => level === 1).length).toBe(4)
  })

  it('waits at all of them with one request each while there is nothing, however many it could take', async () => {
    stand.consume(stand.open({ waitMs: 2_000 }), undefined, 100)
    // Each was looked at once.
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(6)

    await wait(systemClock, 4_500)

    expect(stand.times('ReceiveMessageCommand')).toBeLessThanOrEqual(12)
    expect(stand.mostPolls).toBe(3)
  })

  it('takes a job at once at whichever of them it comes, with one free place, and runs no two', async () => {
    const queue = stand.open({ waitMs: 20_000 })
    let running = 0
    let most = 0
    const consuming = stand.consume(
      queue,
      async (delivery) => {
        running += 1
        most = Math.max(most, running)
        await wait(systemClock, 300)
        running -= 1
        await delivery.acknowledge()
      },
      1,
    )

    for (const [index, priority] of [-1, 0, 1].entries()) {
      await eventually(() => stand.mostPolls).toBe(3)
      const sentAtMs = performance.now()
      await queue.enqueue(some(1, priority))
      await eventually(() => consuming.deliveries.length).toBe(index + 1)
      expect(performance.now() - sentAtMs).toBeLessThan(5_000)
      await eventually(() => running).toBe(0)
    }
    // All at once: two are too many, and are given back.
    await queue.enqueue([job('low', { priority: -1 }), job('normal'), job('high', { priority: 1 })])
    await eventually(() => consuming.deliveries.length).toBe(6)

    expect(new Set(nodes(consuming).slice(3))).toEqual(new Set(['low', 'normal', 'high']))
    expect(most).toBe(1)
  })

  it('gives back what came too many, so that others have it at once', async () => {
    const one = stand.open({ waitMs: 20_000 })
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const busy = stand.consume(one, (delivery) => ended.then(() => delivery.acknowledge()), 1)
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(6)
    await one.enqueue([job('first')])
    await eventually(() => nodes(busy)).toEqual(['first'])

    await one.enqueue([job('urgent', { priority: 1 })])
    await eventually(() => stand.times('ChangeMessageVisibilityBatchCommand')).toBe(1)
    const other = stand.consume(stand.open(), undefined, 1)
    await eventually(() => nodes(other)).toEqual(['urgent'])

    expect(nodes(busy)).toEqual(['first'])
    end()
  })

  it('stops at once while it waits at all of them', async () => {
    const consuming = stand.consume(stand.open({ waitMs: 20_000 }))
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(6)
    const startedAtMs = Date.now()

    consuming.stop()
    await consuming.ended

    expect(Date.now() - startedAtMs).toBeLessThan(600)
  })

  it('sends the acknowledgements of all of them before it ends', async () => {
    const queue = stand.open({ visibilityMs: 1_000 })
    await queue.enqueue([...some(1, -1), ...some(1, 0), ...some(1, 1)])
    const consuming = stand.consume(queue)
    await eventually(() => consuming.deliveries.length).toBe(3)

    consuming.stop()
    await consuming.ended
    await wait(systemClock, 1_300)

    const { queue: normal, highQueue = '', lowQueue = '' } = stand.queues.options
    for (const name of [normal, highQueue, lowQueue]) expect(await inQueue(name)).toEqual([])
  })

  it('goes on with the others while one of them is missing, and says which one', async () => {
    const queue = stand.open({ highQueue: 'missing' })
    const consuming = stand.consume(queue, undefined, 1)

    await queue.enqueue([...some(3, 0), ...some(3, -1)])
    await eventually(() => consuming.deliveries.length).toBe(6)

    expect(stand.logged.filter(({ level }) => level === 'warn').map(({ fields }) => fields.queue)).toEqual(['missing'])
    await expect(queue.enqueue(some(1, 1))).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  it('asks for the jobs of one level in batches, with a look at those above for each', async () => {
    const queue = stand.open()
    await queue.enqueue(some(100, -1))

    const consuming = stand.consume(queue, (delivery) => wait(systemClock, 20).then(() => delivery.acknowledge()), 10)
    await eventually(() => consuming.deliveries.length).toBe(100)

    expect(stand.times('ReceiveMessageCommand')).toBeLessThanOrEqual(60)
  })

  it('asks for several batches at a time where there is room, and waits at those above meanwhile', async () => {
    const queue = stand.open()
    await queue.enqueue(some(200, -1))

    const consuming = stand.consume(queue, (delivery) => wait(systemClock, 30).then(() => delivery.acknowledge()), 60)
    await eventually(() => consuming.deliveries.length).toBe(200)

    expect(stand.mostPolls).toBeGreaterThan(3)
    expect(stand.times('ReceiveMessageCommand')).toBeLessThanOrEqual(70)
  })
})
