import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import type { Delivery } from '@baton/core/adapter'
import { startRedis } from '@baton/services'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BullMQJobQueue, type BullMQJobQueueOptions } from '../../src/index.ts'
import { startChild } from '../child.ts'
import { eventually, job, jobs, nodes, Stand } from './stand.ts'

const redis = await startRedis()
afterAll(() => redis[Symbol.asyncDispose]())

let stand: Stand

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'the job queue on BullMQ', () => {
  beforeEach(() => {
    stand = new Stand(redis.url)
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  it('gives to another what a killed process had taken', { timeout: 60_000 }, async () => {
    const queue = stand.open({ visibilityMs: 400 })
    const child = startChild(new URL('../children/consume.ts', import.meta.url), [redis.url, stand.prefix, '400'])
    await queue.enqueue(jobs(3))
    await child.printed(3)
    await child.kill()

    const consuming = stand.consume(queue)

    await eventually(() => nodes(consuming).sort()).toEqual(['n0', 'n1', 'n2'])
    expect(consuming.deliveries.every(({ redelivered }) => redelivered >= 1)).toBe(true)
  })

  it('fails no job for how often it stalled, was handed back, or was meant to be tried', async () => {
    const queue = stand.open({ visibilityMs: 40 })
    const plain = stand.plain()
    await plain.add('once', { runId: 'run', blueprintId: 'flow', nodeId: 'once' }, { attempts: 1 })
    const consuming = stand.consume(queue, (delivery) => {
      const { redelivered } = delivery
      if (redelivered < 3) return new Promise(() => {})
      if (redelivered < 5) throw new Error('part of the test')
      if (redelivered < 8) return delivery.handBack({ delayMs: 0 })
      return delivery.acknowledge()
    })

    await eventually(() => consuming.deliveries.at(-1)?.redelivered).toBe(8)

    expect(await plain.getFailedCount()).toBe(0)
    await eventually(() => plain.getJobCounts('wait', 'active', 'delayed', 'prioritized', 'completed')).toEqual({
      wait: 0,
      active: 0,
      delayed: 0,
      prioritized: 0,
      completed: 0,
    })
    consuming.stop()
  })

  it('leaves nothing in Redis of a job that is done but what every queue of BullMQ has', async () => {
    const queue = stand.open()
    const client = stand.client()
    const consuming = stand.consume(queue)
    let sent = 0
    const round = async (count: number) => {
      sent += count
      await queue.enqueue(jobs(count).map((one) => ({ ...one, dispatch: count })))
      await eventually(() => consuming.deliveries.length).toBe(sent)
      await eventually(async () => (await client.keys(`${stand.prefix}:baton:b*`)).length).toBe(0)
    }
    await round(5)
    const keys = async () => (await client.keys(`${stand.prefix}:*`)).filter((key) => !key.endsWith(':marker')).sort()
    const baseline = await keys()

    await round(100)

    expect(await keys()).toEqual(baseline)
  })

  it('takes what a plain producer of BullMQ sends, whatever name, id or priority it gives', async () => {
    const plain = stand.plain()
    const data = { blueprintId: 'flow', nodeId: 'start' }
    await plain.add('x', { ...data, runId: 'one' })
    await plain.add('y', { ...data, runId: 'two' }, { jobId: 'mine', priority: 3, attempts: 5, removeOnComplete: 10 })
    await plain.addBulk([{ name: 'z', data: { ...data, runId: 'three' }, opts: { delay: 20, lifo: true } }])

    const consuming = stand.consume(stand.open())

    await eventually(() => consuming.deliveries.map((delivery) => delivery.job.runId).sort()).toEqual([
      'one',
      'three',
      'two',
    ])
    expect(consuming.deliveries[0]?.job).toMatchObject({ foreign: true, instanceId: 'start', dispatch: 0 })
    // What it asked to keep is kept.
    await eventually(() => plain.getCompletedCount()).toBe(1)
  })

  it('goes on with the schedule of a job that BullMQ repeats', async () => {
    const plain = stand.plain()
    const data = { runId: 'again', blueprintId: 'flow', nodeId: 'start' }
    const consuming = stand.consume(stand.open(), (delivery) => delivery.acknowledge(), 1)
    await plain.upsertJobScheduler('often', { every: 30 }, { name: 'tick', data })

    await eventually(() => consuming.deliveries.length).toBeGreaterThan(4)
  })

  it('puts a job whose data cannot be read among the dead letters, and goes on', async () => {
    const queue = stand.open()
    const plain = stand.plain()
    const broken = await plain.add('broken', { runId: 'r', blueprintId: 'f', nodeId: 'n' })
    await stand.client().hset(`${stand.prefix}:baton:${broken.id}`, 'data', '{"runId": "ru')
    const gone = await plain.add('gone', { runId: 'r', blueprintId: 'f', nodeId: 'n' })
    await stand.client().del(`${stand.prefix}:baton:${gone.id}`)
    await queue.enqueue([job('good')])

    const consuming = stand.consume(queue, undefined, 1)

    await eventually(() => nodes(consuming)).toEqual(['good'])
    await eventually(async () => (await queue.deadLetters()).map(({ message }) => message)).toEqual([
      {},
      { unreadable: '{"runId": "ru' },
    ])
    expect(await plain.getFailed()).toHaveLength(2)
  })

  it('keeps the dead where the tools of BullMQ show them, with the reason, and takes them back from there', async () => {
    const queue = stand.open()
    const plain = stand.plain()
    await queue.enqueue([job('a', { version: '2' })])
    let isHopeless = true
    const consuming = stand.consume(queue, (delivery) =>
      isHopeless ? delivery.deadLetter('UNKNOWN_RUN: no such run') : delivery.acknowledge(),
    )

    await eventually(() => plain.getFailedCount()).toBe(1)
    const [dead] = await plain.getFailed()
    expect(dead).toMatchObject({
      name: 'a',
      failedReason: 'UNKNOWN_RUN: no such run',
      data: { instanceId: 'a', version: '2' },
    })
    expect(await queue.deadLetters()).toEqual([{ message: dead?.data, reason: 'UNKNOWN_RUN: no such run' }])
    isHopeless = false
    await dead?.retry()
    await eventually(() => consuming.deliveries.length).toBe(2)
    await eventually(() => plain.getFailedCount()).toBe(0)
  })

  it('keeps as many of the dead as it is told, the newest', async () => {
    const queue = stand.open({ keepDeadLetters: 3 })
    const bury = async (delivery: Delivery) => {
      await delivery.deadLetter(delivery.job.nodeId)
      // BullMQ tells them apart by the millisecond.
      for (const nowMs = Date.now(); Date.now() === nowMs; ) await setImmediate()
    }
    const consuming = stand.consume(queue, bury, 1)
    await queue.enqueue(jobs(8))

    await eventually(() => consuming.deliveries.length).toBe(8)
    await eventually(async () => (await queue.deadLetters()).map(({ reason }) => reason)).toEqual(['n7', 'n6', 'n5'])
  })

  it('takes the jobs that were sent in the same moment as one that cannot be written', async () => {
    const queue = stand.open()
    const unwritable = { ...job('bad'), priority: 1n as unknown as number }

    const sent = await Promise.allSettled([
      queue.enqueue([job('n0')]),
      queue.enqueue([unwritable]),
      queue.enqueue([job('n1')]),
    ])

    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const consuming = stand.consume(queue)
    await eventually(() => nodes(consuming).sort()).toEqual(['n0', 'n1'])
  })

  it('acknowledges a job whose handler goes on for long before it ends', async () => {
    const queue = stand.open({ visibilityMs: 400 })
    const plain = stand.plain()
    let end = () => {}
    const handler = new Promise<void>((resolve) => {
      end = resolve
    })
    const consuming = stand.consume(queue, async (delivery) => {
      await delivery.acknowledge()
      await handler
    })
    await queue.enqueue([job('a')])

    await eventually(() => consuming.deliveries.length).toBe(1)
    await eventually(() => plain.getActiveCount()).toBe(0)
    expect(await plain.getJobCountByTypes('wait', 'delayed', 'prioritized')).toBe(0)
    end()
  })

  it('does not take a job that is sent anew for the one whose acknowledgement it holds back', async () => {
    const queue = stand.open()
    const consuming = stand.consume(queue, async (delivery) => {
      await delivery.acknowledge()
      if (consuming.deliveries.length < 3) await queue.enqueue([delivery.job])
    })
    await queue.enqueue([job('a')])

    await eventually(() => nodes(consuming)).toEqual(['a', 'a', 'a'])
  })

  it('ends at the stop while it waits for jobs, at once, and gives back what it has just taken', async () => {
    const queue = stand.open()
    const plain = stand.plain()
    for (let round = 0; round < 20; round++) {
      const consuming = stand.consume(queue, (delivery) => delivery.acknowledge(), 1)
      if (round % 2 === 0) await plain.waitUntilReady()
      const sending = queue.enqueue([job(`r${round}`)])
      if (round % 3 === 0) await sending
      consuming.stop()
      await consuming.ended
      await sending
    }

    const rest = stand.consume(queue)

    await eventually(() => plain.getJobCountByTypes('wait', 'prioritized', 'delayed', 'active')).toBe(0)
    rest.stop()
  })

  it('lets handlers that run at the stop answer, and takes nothing more', async () => {
    const queue = stand.open()
    const plain = stand.plain()
    await queue.enqueue(jobs(10))
    let end = () => {}
    const gate = new Promise<void>((resolve) => {
      end = resolve
    })
    const consuming = stand.consume(queue, (delivery) => gate.then(() => delivery.acknowledge()), 3)
    await eventually(() => consuming.deliveries.length).toBe(3)

    consuming.stop()
    end()
    await consuming.ended

    expect(consuming.deliveries).toHaveLength(3)
    expect(await plain.getJobCounts('active', 'prioritized')).toEqual({ active: 0, prioritized: 7 })
  })

  it('does not notice that the scripts of the server were flushed', async () => {
    const queue = stand.open()
    const client = stand.client()
    const consuming = stand.consume(queue)
    for (let count = 1; count <= 5; count++) {
      await client.script('FLUSH')
      await queue.enqueue([job(`n${count}`)])
      await client.script('FLUSH')
      await eventually(() => consuming.deliveries.length).toBe(count)
    }

    await eventually(() => stand.plain().getActiveCount()).toBe(0)
  })

  it('takes any number for a priority, and keeps the order as far as BullMQ can count', async () => {
    const queue = stand.open()
    const priorities = [0, 5e9, -5e9, 1.4, Number.NaN, 2_000_000, 1_000]
    await queue.enqueue(priorities.map((priority, index) => job(`n${index}`, { priority })))

    const consuming = stand.consume(queue, undefined, 1)

    await eventually(() => consuming.deliveries.length).toBe(priorities.length)
    expect(nodes(consuming)).toEqual(['n1', 'n5', 'n6', 'n3', 'n0', 'n4', 'n2'])
  })

  it('keeps to a rate limit that somebody sets to the queue, and does not spin while it is reached', async () => {
    const queue = stand.open()
    const plain = stand.plain()
    await plain.setGlobalRateLimit(1, 2_000)
    const consuming = stand.consume(queue)
    await eventually(() => consuming.deliveries.length).toBe(0)
    const delays = monitorEventLoopDelay()
    delays.enable()
    const startedAtMs = performance.now()
    await queue.enqueue(jobs(2))

    await eventually(() => consuming.deliveries.length).toBe(2)

    expect(performance.now() - startedAtMs).toBeGreaterThan(1_900)
    // Who spins lets nobody else do anything until the limit has passed.
    expect(delays.max / 1e6).toBeLessThan(1_500)
  })

  it('lets its process end when it is closed', { timeout: 60_000 }, async () => {
    const child = startChild(new URL('../children/use-and-close.ts', import.meta.url), [redis.url, stand.prefix])

    expect(await child.ended()).toBe(0)
    expect(child.lines).toEqual(['a', 'closed'])
  })

  it('refuses options that cannot work, and names them', () => {
    const client = new Redis(redis.url, { lazyConnect: true, keyPrefix: 'mine:' })
    const cases: [string, unknown][] = [
      ['connection', { connection: 'localhost' }],
      ['connection', { connection: client }],
      ['name', { connection: redis.url, name: 'a:b' }],
      ['prefix', { connection: redis.url, prefix: '' }],
      ['visibilityMs', { connection: redis.url, visibilityMs: 0 }],
      ['options.visibilityMS', { connection: redis.url, visibilityMS: 5 }],
      ['keepDeadLetters', { connection: redis.url, keepDeadLetters: 0.5 }],
    ]
    for (const [field, options] of cases) {
      const make = () => new BullMQJobQueue(options as BullMQJobQueueOptions)
      expect(make, field).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field }))
    }
  })

  it('opens no connection before it is used, and says that it is closed', async () => {
    const queue = stand.open()
    await queue.close()

    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'CLOSED' })
    await queue.consume(async () => {}, { concurrency: 1, signal: new AbortController().signal })
  })
})
