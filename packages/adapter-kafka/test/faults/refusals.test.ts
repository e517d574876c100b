/** What is wrong from the beginning: clear errors, bounded tries, nothing that spins. */
import { systemClock, wait } from '@baton/core/adapter'
import { startKafka } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKafkaJsClient, ensureTopics } from '../../src/index.ts'
import { eventually, job, Stand } from '../job-queue/stand.ts'

const OUTAGE = 'the job queue failed, will look again'
const kafka = await startKafka({ users: { baton: 'secret' } })
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'what Kafka refuses', () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await Stand.on(kafka.brokers)
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  it('a topic that is not there: whoever sends and whoever consumes is told what to do, and goes on once it is', async () => {
    const topic = `${stand.topics.topic}-absent`
    const queue = stand.open({ topic, highTopic: undefined as never, lowTopic: undefined as never })
    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'topic',
      hint: expect.stringContaining('ensureTopics()'),
    })
    const consuming = stand.consume(queue)
    await eventually(() => stand.lines(OUTAGE, 'warn')).toHaveLength(1)
    expect(stand.lines(OUTAGE)[0]?.fields).toMatchObject({
      error: expect.stringContaining(`there is no topic ${topic}`),
    })

    await ensureTopics({ client: stand.client, topic, partitions: 1 })
    await queue.enqueue([job('a')])
    await eventually(() => consuming.deliveries.length).toBe(1)
  })

  it('a dead letter topic that is not there: nobody consumes before it is', async () => {
    const queue = stand.open({ deadLetterTopic: `${stand.topics.topic}-absent` })
    stand.consume(queue)

    await eventually(() => stand.lines(OUTAGE, 'warn')).toHaveLength(1)
    expect(stand.lines(OUTAGE)[0]?.fields.error).toContain('-absent')
    await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  it('wrong credentials: the same for all who ask, a few times a second at most', { timeout: 60_000 }, async () => {
    const sasl = { mechanism: 'plain', username: 'baton', password: 'wrong' } as const
    const config = { brokers: [...kafka.passwordBrokers], sasl }
    const queue = stand.open({ client: config })
    const refusal = { code: 'INVALID_OPTION', field: 'client', hint: expect.stringContaining('password') }
    await expect(queue.enqueue([job('a')])).rejects.toMatchObject(refusal)
    await expect(ensureTopics({ client: config, topic: 'any' })).rejects.toMatchObject(refusal)
    stand.consume(queue)
    await eventually(() => stand.lines(OUTAGE).length).toBeGreaterThan(0)
    const before = stand.lines(OUTAGE).length
    await wait(systemClock, 5_000)

    expect(stand.lines(OUTAGE).length - before).toBeLessThan(20)
    expect(stand.lines(OUTAGE, 'warn')).toHaveLength(1)
  })

  it('a client that was not let in is, once its password is right', async () => {
    const sasl = { mechanism: 'plain' as const, username: 'baton', password: 'wrong' }
    const queue = stand.open({ client: { brokers: [...kafka.passwordBrokers], sasl } })
    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    sasl.password = 'secret'

    await queue.enqueue([job('a')])
  })

  it('right credentials are let in', async () => {
    const sasl = { mechanism: 'plain', username: 'baton', password: 'secret' } as const
    const queue = stand.open({ client: { brokers: [...kafka.passwordBrokers], sasl } })
    const consuming = stand.consume(queue)
    await queue.enqueue([job('a')])

    await eventually(() => consuming.deliveries.length).toBe(1)
  })

  it('a broker that is not there: an outage, said once, with pauses that grow', { timeout: 60_000 }, async () => {
    const client = { brokers: ['127.0.0.1:1'], retry: { retries: 1, initialRetryTime: 50 } }
    const queue = stand.open({ client, timeoutMs: 1_000 })
    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    stand.consume(queue)
    await wait(systemClock, 6_000)

    expect(stand.lines(OUTAGE).length).toBeLessThan(15)
    expect(stand.lines(OUTAGE, 'warn')).toHaveLength(1)
  })

  it('what is larger than Kafka takes is refused as that', async () => {
    const text = 'x'.repeat(1_200_000)
    const client = createKafkaJsClient({ brokers: [...kafka.brokers] })
    const queue = stand.open({ client })
    await expect(queue.enqueue([job('a', { version: text })])).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await client.close()
  })
})
