import { systemClock, wait } from '@baton/core/adapter'

import { startKafka } from '@baton/services'
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureTopics } from '../../src/index.ts'
import { countingClient, push } from '../kafka-world.ts'
import { eventually, job, jobs, nodes, patiently, Stand } from './stand.ts'

const kafka = await startKafka()
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'the job queue on Kafka', () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await Stand.on(kafka.brokers)
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  it('runs more handlers at a time than there are partitions', async () => {
    let running = 0
    let most = 0
    const consuming = stand.consume(
      stand.open(),
      async (delivery) => {
        running += 1
        most = Math.max(most, running)
        await delivery.acknowledge()
        await wait(systemClock, 300)
        running -= 1
      },
      20,
    )
    await stand.open().enqueue(jobs(40))

    await eventually(() => consuming.deliveries.length).toBe(40)
    expect(most).toBe(20)
  })

  it('commits what was done, and no further than the first that was not', async () => {
    const open: (() => void)[] = []
    const queue = stand.open()
    const consuming = stand.consume(
      queue,
      (delivery) =>
        delivery.job.nodeId === 'n0'
          ? new Promise<void>((resolve) => open.push(resolve)).then(() => delivery.acknowledge())
          : delivery.acknowledge(),
      20,
    )
    await queue.enqueue(jobs(1))
    await eventually(() => open.length).toBe(1)
    await queue.enqueue(jobs(40, 1))
    await eventually(() => consuming.deliveries.length).toBe(41)
    await wait(systemClock, 200)

    // The one that is open is the first of its partition; the other partition is done.
    const before = await stand.committed()
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(41)
    open[0]?.()
    await eventually(() => stand.committed()).toBe(41)
  })

  it('delivers nothing twice to those who stay, and nothing is lost, when others come and go', {
    timeout: 120_000,
  }, async () => {
    const queue = stand.open()
    const slowly = async (delivery: { acknowledge(): unknown }) => {
      await delivery.acknowledge()
      await wait(systemClock, 5)
    }
    const staying = stand.consume(stand.open(), slowly)
    let sent = 0
    const all = [staying]
    for (let round = 0; round < 6; round++) {
      const coming = stand.consume(stand.open(), slowly)
      all.push(coming)
      for (let burst = 0; burst < 5; burst++) {
        await queue.enqueue(jobs(20, sent))
        sent += 20
        await wait(systemClock, 60)
      }
      coming.stop()
      await coming.ended
    }

    await eventually(() => new Set(nodes(...all)).size).toBe(sent)
    // Who leaves commits first; what was done in the moments around a rebalance may come again, to others.
    expect(new Set(nodes(staying)).size).toBe(staying.deliveries.length)
    await eventually(() => stand.committed()).toBe(sent)
  })

  it('executes once what takes longer than a session and a rebalance, also while others join', async () => {
    const times = { sessionTimeoutMs: 1_000, rebalanceTimeoutMs: 1_000 }
    const consuming = stand.consume(stand.open(times), async (delivery) => {
      await delivery.acknowledge()
      await wait(systemClock, 3_500)
    })
    await stand.open().enqueue([job('long')])
    await eventually(() => nodes(consuming)).toEqual(['long'])
    const other = stand.consume(stand.open(times))
    await wait(systemClock, 4_000)

    expect(nodes(consuming, other)).toEqual(['long'])
  })

  it('executes once what is not answered before it ends, while nobody joins', async () => {
    const consuming = stand.consume(
      stand.open({ sessionTimeoutMs: 1_000, rebalanceTimeoutMs: 1_000 }),
      async (delivery) => {
        await wait(systemClock, 3_500)
        await delivery.acknowledge()
      },
    )
    await stand.open().enqueue([job('long')])
    await eventually(() => stand.committed()).toBe(1)

    expect(nodes(consuming)).toEqual(['long'])
  })

  it('gives to others what somebody had who is gone without a word', { timeout: 60_000 }, async () => {
    const queue = stand.open({ sessionTimeoutMs: 1_000 })
    const silent = stand.consume(queue, () => new Promise(() => {}))
    await stand.open().enqueue(jobs(6))
    await eventually(() => silent.deliveries.length).toBe(4)
    // As a process that is killed: no handler ends, nothing is committed.
    await queue.close()
    const next = stand.consume(stand.open())

    await eventually(() => new Set(nodes(next)).size).toBe(6)
  })

  it('hands back for longer than it keeps a message itself, and never early', { timeout: 60_000 }, async () => {
    const atMs: number[] = []
    const queue = stand.open()
    stand.consume(queue, (delivery) => {
      atMs.push(Date.now())
      return delivery.redelivered === 0 ? delivery.handBack({ delayMs: 11_000 }) : delivery.acknowledge()
    })
    await queue.enqueue([job('later')])

    await eventually(() => atMs.length).toBe(2)
    const [first = 0, second = 0] = atMs
    expect(second - first).toBeGreaterThanOrEqual(11_000)
    await eventually(() => stand.committed()).toBe(3)
  })

  it('leaves what it has handed back to others when it stops, to be delivered when it is due', async () => {
    const queue = stand.open()
    const first = stand.consume(queue, (delivery) => delivery.handBack({ delayMs: 2_000 }))
    await queue.enqueue([job('later')])
    await eventually(() => nodes(first)).toEqual(['later'])
    const startedAtMs = Date.now()
    first.stop()
    await first.ended

    const second = stand.consume(stand.open())
    await eventually(() => nodes(second)).toEqual(['later'])
    expect(Date.now() - startedAtMs).toBeGreaterThan(1_500)
    expect(second.deliveries[0]?.redelivered).toBe(1)
  })

  it('goes through ten thousand messages of which every hundredth is no job', { timeout: 120_000 }, async () => {
    const { topic } = stand.topics
    const texts = Array.from({ length: 10_000 }, (_, index) =>
      index % 100 === 0 ? `{"runId": broken ${index}` : JSON.stringify(job(`n${index}`)),
    )
    for (let from = 0; from < texts.length; from += 1_000) {
      await stand.client.send(
        topic,
        texts.slice(from, from + 1_000).map((text, index) => ({ key: `${from + index}`, text, headers: {} })),
      )
    }
    const queue = stand.open()
    const consuming = stand.consume(queue, undefined, 50)

    await eventually(() => consuming.deliveries.length).toBe(9_900)
    await eventually(() => stand.committed()).toBe(10_000)
    expect(new Set(nodes(consuming)).size).toBe(9_900)
    const dead = await queue.deadLetters(1_000)
    expect(dead).toHaveLength(100)
    expect(dead[0]).toMatchObject({ reason: expect.stringContaining('not JSON') })
    expect(new Set(dead.map(({ message }) => message)).size).toBe(100)
  })

  it('pauses what it has no room for, and reads all of it', { timeout: 60_000 }, async () => {
    const queue = stand.open({ mostWaiting: 50 })
    await queue.enqueue(jobs(2_000))
    const consuming = stand.consume(queue, undefined, 10)

    await eventually(() => consuming.deliveries.length).toBe(2_000)
    expect(new Set(nodes(consuming)).size).toBe(2_000)
  })

  it('logs with all that it says what is no job, where there is no topic for it', async () => {
    const queue = stand.open({ deadLetterTopic: undefined as never })
    stand.consume(queue)
    await push(stand.client, stand.topics.topic, 'no job')

    await eventually(() => stand.lines('a message was taken out for good', 'error')).toHaveLength(1)
    expect(stand.logged.find(({ level }) => level === 'error')?.fields).toMatchObject({ body: 'no job' })
    await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'deadLetterTopic' })
  })

  it('sends what is enqueued at the same time with few requests, and to all partitions although it is of one run', async () => {
    const { client, requests } = countingClient(stand.client)
    const queue = stand.open({ client })
    await Promise.all(jobs(1_000).map((each) => queue.enqueue([each])))

    expect(requests.length).toBeLessThanOrEqual(3)
    expect(new Set(requests.flat().map(({ key }) => key)).size).toBe(1_000)
    const ends = [...((await stand.client.reach(stand.topics.topic)) ?? [])].map(([, { end }]) => end)
    expect(ends).toHaveLength(2)
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(1_000)
    expect(Math.min(...ends)).toBeGreaterThan(250)
  })

  it('begins anew with a topic that was deleted and made again while its jobs were consumed', {
    timeout: 60_000,
  }, async () => {
    const { topic } = stand.topics
    const queue = stand.open({ silentMs: 2_000 })
    const consuming = stand.consume(queue)
    await queue.enqueue(jobs(100))
    await eventually(() => consuming.deliveries.length).toBe(100)
    await eventually(() => stand.committed()).toBe(100)

    const admin = new kafkajs.Kafka({ brokers: stand.brokers }).admin()
    await admin.connect()
    await admin.deleteTopics({ topics: [topic] })
    await ensureTopics({ client: stand.client, topic, partitions: 2 })
    await admin.disconnect()
    for (const each of jobs(20, 100)) await patiently(() => queue.enqueue([each]))

    await eventually(() => nodes(consuming)).toHaveLength(120)
    expect(new Set(nodes(consuming)).size).toBe(120)
  })
})
