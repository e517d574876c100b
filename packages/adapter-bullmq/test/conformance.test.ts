/** The whole kit: all three ports and the adapter, on a real Redis and on a real cluster. */
import { startRedis } from '@baton/services'
import { conformance } from '@baton/testing'
import { Cluster, Redis } from 'ioredis'
import { afterAll, describe } from 'vitest'
import { redisSubject } from './redis-subject.ts'

const redis = await startRedis({ appendOnly: true })
const cluster = await startRedis({ cluster: 3 })
afterAll(async () => {
  await redis[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'one server', () => {
  conformance(
    redisSubject({ name: 'Redis', durability: 'power', connect: () => new Redis(redis.url, { lazyConnect: true }) }),
  )
})

describe.skipIf(cluster.skipReason !== undefined)(cluster.skipReason ?? 'a cluster of three', () => {
  const nodes = () => cluster.ports.map((port) => ({ host: '127.0.0.1', port }))
  conformance(
    redisSubject({
      name: 'Redis cluster',
      durability: 'none',
      allowEphemeral: true,
      connect: () => new Cluster(nodes(), { lazyConnect: true }),
    }),
  )
})
