import type { Admin } from 'kafkajs'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { startKafka } from '../src/index.ts'
import { clientOf, read } from './kafka-client.ts'

const cluster = await startKafka({ nodes: 3 })

afterAll(() => cluster[Symbol.asyncDispose]())

describe.skipIf(cluster.skipReason !== undefined)('a Kafka of three nodes', { timeout: 90_000 }, () => {
  async function leaderOf(admin: Admin, topic: string): Promise<{ leader: number; inSync: number }> {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const [partition] = topics[0]?.partitions ?? []
    return { leader: partition?.leader ?? -1, inSync: partition?.isr.length ?? 0 }
  }

  it('keeps all it acknowledged when the leader is killed in the middle of writes, and serves on without it', async () => {
    const kafka = clientOf(cluster.brokers, { retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 40 } })
    const admin = kafka.admin()
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    // Those who write wait for its leader: kafkajs takes a broker that has not heard of it yet for a failure.
    const topics = [{ topic: 'copied', numPartitions: 1, replicationFactor: -1 }]
    await admin.createTopics({ waitForLeaders: false, topics })
    await producer.connect()
    const acknowledged: string[] = []
    const write = async (until: () => boolean) => {
      for (let index = acknowledged.length; !until(); index++) {
        await producer.send({ topic: 'copied', acks: -1, messages: [{ value: String(index) }] })
        acknowledged.push(String(index))
      }
    }

    await write(() => acknowledged.length === 20)
    const before = await leaderOf(admin, 'copied')
    let killed = false
    const writing = write(() => killed && acknowledged.length >= 100)
    await vi.waitUntil(() => acknowledged.length > 30, 20_000)
    await cluster.kill(before.leader)
    killed = true
    await writing
    const without = await leaderOf(admin, 'copied')
    const seen = await read(kafka, { topic: 'copied', groupId: 'readers', count: acknowledged.length })
    await cluster.restart(before.leader)
    await expect.poll(() => leaderOf(admin, 'copied'), { timeout: 20_000 }).toMatchObject({ inSync: 3 })
    await Promise.all([producer.disconnect(), admin.disconnect()])

    expect(before.inSync).toBe(3)
    expect(without.leader).not.toBe(before.leader)
    // Once each: it is idempotent.
    expect(seen).toEqual(acknowledged)
  })
})
