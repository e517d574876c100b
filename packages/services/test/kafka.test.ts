import { setTimeout as sleep } from 'node:timers/promises'
import { type Admin, ConfigResourceTypes, type Consumer } from 'kafkajs'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { startKafka } from '../src/index.ts'
import { clientOf, read } from './kafka-client.ts'

afterEach(() => vi.unstubAllEnvs())

describe('a Kafka for tests', () => {
  it('is the one that the variable names, which is left running', async () => {
    vi.stubEnv('BATON_TEST_KAFKA_URL', 'kafka://elsewhere:1234,other:1234')

    await using kafka = await startKafka()

    expect(kafka.brokers).toEqual(['elsewhere:1234', 'other:1234'])
    expect(kafka.skipReason).toBeUndefined()
    await expect((async () => kafka.kill())()).rejects.toThrow('of our own')
  })

  it('is not there where no Java is, and says how to get one', async () => {
    vi.stubEnv('BATON_TEST_KAFKA_URL', '')
    vi.stubEnv('BATON_REQUIRE_SERVICES', 'redis')
    vi.stubEnv('PATH', '/nowhere')

    const kafka = await startKafka()

    expect(kafka.skipReason).toContain('java')
    expect(kafka.skipReason).toContain('BATON_TEST_KAFKA_URL')
    expect(() => kafka.brokers).toThrow('java')
  })

  it('fails where it is required and no Java is', async () => {
    vi.stubEnv('BATON_TEST_KAFKA_URL', '')
    vi.stubEnv('BATON_REQUIRE_SERVICES', 'redis, kafka')
    vi.stubEnv('PATH', '/nowhere')

    await expect(startKafka()).rejects.toThrow('BATON_REQUIRE_SERVICES asks for kafka')
  })
})

const own = await startKafka({ users: { baton: 'secret' } })

afterAll(() => own[Symbol.asyncDispose]())

describe.skipIf(own.skipReason !== undefined)('a Kafka of our own', { timeout: 60_000 }, () => {
  async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = clientOf(own.brokers).admin()
    try {
      return await work(admin)
    } finally {
      await admin.disconnect()
    }
  }

  async function send(topic: string, ...values: readonly string[]): Promise<void> {
    const producer = clientOf(own.brokers, { retry: { initialRetryTime: 50, retries: 2 } }).producer()
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: values.map((value) => ({ key: value, value })) })
    await producer.disconnect()
  }

  it('makes topics as they are asked for, knows which are there already, and removes them', async () => {
    const wanted = { topic: 'made', numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '3600000' }] }

    await withAdmin(async (admin) => {
      expect(await admin.createTopics({ topics: [wanted] })).toBe(true)
      expect(await admin.createTopics({ topics: [wanted] })).toBe(false)
      const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
      expect(topics[0]?.partitions).toHaveLength(3)
      const resource = { type: ConfigResourceTypes.TOPIC, name: 'made', configNames: ['retention.ms'] }
      const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false })
      expect(resources[0]?.configEntries[0]?.configValue).toBe('3600000')
      await admin.deleteTopics({ topics: ['made'] })
      expect(await admin.listTopics()).not.toContain('made')
    })
    await expect(send('made', 'a')).rejects.toThrow('does not host this topic')
  })

  it('deals partitions out anew when a member comes or goes, and holds back what is paused', async () => {
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic: 'shared', numPartitions: 4 }] }))
    const held = new Map<Consumer, readonly number[]>()
    const seen: string[] = []
    const join = async (): Promise<Consumer> => {
      const consumer = clientOf(own.brokers).consumer({
        groupId: 'members',
        heartbeatInterval: 200,
        maxWaitTimeInMs: 100,
      })
      consumer.on('consumer.group_join', ({ payload }) => held.set(consumer, payload.memberAssignment.shared ?? []))
      await consumer.subscribe({ topic: 'shared', fromBeginning: true })
      await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
      return consumer
    }
    const counts = () => [...held.values()].map((partitions) => partitions.length)

    const first = await join()
    await vi.waitUntil(() => held.get(first)?.length === 4, 20_000)
    const second = await join()
    await vi.waitUntil(() => counts().join() === '2,2', 20_000)
    for (const consumer of held.keys()) consumer.pause([{ topic: 'shared' }])
    await sleep(300)
    await send('shared', 'a', 'b', 'c')
    await sleep(500)
    const whilePaused = [...seen]
    for (const consumer of held.keys()) consumer.resume([{ topic: 'shared' }])
    await vi.waitUntil(() => seen.length === 3, 20_000)
    await second.disconnect()
    await vi.waitUntil(() => held.get(first)?.length === 4, 20_000)
    await first.disconnect()

    expect(whilePaused).toEqual([])
    expect(seen.toSorted()).toEqual(['a', 'b', 'c'])
  })

  it('lets in by password who knows it, and nobody else', async () => {
    const topicsFor = async (password: string) => {
      const sasl = { mechanism: 'plain', username: 'baton', password } as const
      const admin = clientOf(own.passwordBrokers, { sasl, retry: { retries: 1 } }).admin()
      return admin.listTopics().finally(() => admin.disconnect())
    }

    expect(await topicsFor('secret')).toEqual(expect.any(Array))
    await expect(topicsFor('wrong')).rejects.toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
    const stranger = clientOf(own.passwordBrokers, { retry: { retries: 1 } }).admin()
    await expect(stranger.listTopics()).rejects.toThrow('Closed connection')
    await stranger.disconnect()
  })

  it('has after a kill, and after a stop, what it acknowledged, and where each group was', async () => {
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] }))
    await send('kept', 'a', 'b')
    const before = await read(clientOf(own.brokers), { topic: 'kept', groupId: 'readers', count: 2 })
    await send('kept', 'c')

    await own.kill()
    await expect(send('kept', 'lost')).rejects.toThrow()
    await own.restart()

    const after = await read(clientOf(own.brokers), { topic: 'kept', groupId: 'readers', count: 1 })
    await send('kept', 'd')
    await own.stop()
    await own.restart()
    const last = await read(clientOf(own.brokers), { topic: 'kept', groupId: 'readers', count: 1 })
    const offsets = await withAdmin((admin) => admin.fetchOffsets({ groupId: 'readers', topics: ['kept'] }))
    expect([before, after, last]).toEqual([['a', 'b'], ['c'], ['d']])
    expect(offsets[0]?.partitions[0]?.offset).toBe('4')
  })

  it('is gone afterwards', async () => {
    const { brokers, passwordBrokers } = own

    await own[Symbol.asyncDispose]()

    for (const broker of [...brokers, ...passwordBrokers]) {
      const admin = clientOf([broker], { retry: { retries: 0 } }).admin()
      await expect(admin.connect()).rejects.toThrow('ECONNREFUSED')
    }
  })
})
