import { startRedis } from '@baton/services'
import { jobQueueConformance } from '@baton/testing'
import { Queue } from 'bullmq'
import { Cluster, Redis } from 'ioredis'
import { afterAll, describe } from 'vitest'
import { BullMQJobQueue } from '../../src/index.ts'
import { subjectOf } from '../redis-world.ts'

const redis = await startRedis()
const cluster = await startRedis({ cluster: 3 })
const open: (Redis | Cluster)[] = []
afterAll(async () => {
  for (const client of open) client.disconnect()
  await redis[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

function keep<Client extends Redis | Cluster>(client: Client): Client {
  open.push(client)
  return client
}

function subject(client: () => Redis | Cluster) {
  return subjectOf('BullMQ', (name, { visibilityMs }) => {
    const prefix = `{${name}}`
    const queue = new BullMQJobQueue({ connection: client(), prefix, visibilityMs })
    return {
      queue,
      // Somebody who knows nothing of Baton.
      push: async (message) => {
        const producer = new Queue('baton', { connection: client(), prefix })
        await producer.add('job', message)
        await producer.close()
      },
      deadLetters: () => queue.deadLetters(),
    }
  })
}

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'one server', () => {
  let client: Redis | undefined
  jobQueueConformance(
    subject(() => {
      client ??= keep(new Redis(redis.url))
      return client
    }),
  )
})

describe.skipIf(cluster.skipReason !== undefined)(cluster.skipReason ?? 'a cluster', () => {
  let client: Cluster | undefined
  jobQueueConformance(
    subject(() => {
      client ??= keep(new Cluster(cluster.ports.map((port) => ({ host: '127.0.0.1', port }))))
      return client
    }),
  )
})
