/** What becomes of kafkajs's connections: it goes on with what nobody waits for any more. */
import { connect, type Socket } from 'node:net'
import { systemClock, wait } from '@baton/core/adapter'
import { startKafka } from '@baton/services'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createKafkaJsClient, type IKafkaMember } from '../src/index.ts'

const kafka = await startKafka()
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'connections to Kafka', () => {
  it('has no connection open in the end, when an answer came too late and the client was closed', async () => {
    const sockets: Socket[] = []
    const client = createKafkaJsClient(
      {
        brokers: [...kafka.brokers],
        socketFactory: ({ host, port, onConnect }) => {
          const socket = connect({ host, port }, onConnect)
          sockets.push(socket)
          return socket
        },
        retry: { retries: 4, initialRetryTime: 300, factor: 0, multiplier: 1 },
      },
      { timeoutMs: 500 },
    )
    // A topic that is not there is asked for again and again, for 1.2 s.
    await expect(client.reach('no-such-topic')).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })

    await client.close()

    const before = sockets.length
    await vi.waitUntil(() => sockets.length > before, { timeout: 10_000 })
    await vi.waitUntil(() => sockets.every(({ destroyed }) => destroyed), { timeout: 10_000 })
  })

  it('answers all who ask when some of them ask for a topic that is not there', async () => {
    const client = createKafkaJsClient({ brokers: [...kafka.brokers] })
    await client.createTopics([{ topic: 'there', partitions: 1, replicationFactor: 1, config: {} }])
    const asked = Array.from({ length: 20 }, async (_, index) => {
      await wait(systemClock, index * 100)
      return client.reach(index % 2 === 0 ? 'no-such-topic' : 'there')
    })

    const answers = await Promise.all(asked)

    expect(answers.map((reach) => reach?.size)).toEqual(answers.map((_, index) => (index % 2 === 0 ? undefined : 1)))
    await client.close()
  })

  it('leaves the group also where it is stopped while it joins', async () => {
    const client = createKafkaJsClient({ brokers: [...kafka.brokers] })
    await client.createTopics([{ topic: 'left', partitions: 1, replicationFactor: 1, config: {} }])
    const events = { assigned() {}, received() {}, changing() {}, looked() {}, failed() {} }
    const times = { sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, heartbeatMs: 100, waitMs: 100 }
    const options = { groupId: 'left', topics: ['left'], partitionBytes: 1_000, events, ...times }
    const staying = await joined(() => client.member(options))
    const coming = client.member(options)
    const joining = coming.start().catch(() => {})
    await wait(systemClock, 150)
    await coming.stop()
    await joining
    await staying.stop()

    // Kafka forgets no group that has a member.
    await client.deleteGroup('left')
    await client.close()
  })
})

/** A new Kafka first makes a place for what groups have committed, and lets nobody join before that. */
async function joined(make: () => IKafkaMember): Promise<IKafkaMember> {
  for (let tries = 1; ; tries++) {
    const member = make()
    try {
      await member.start()
      return member
    } catch (error) {
      if (tries === 20) throw error
      await wait(systemClock, 250)
    }
  }
}
