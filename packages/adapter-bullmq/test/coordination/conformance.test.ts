import { startRedis } from '@baton/services'
import { coordinationStoreConformance } from '@baton/testing'
import { Cluster } from 'ioredis'
import { afterAll, describe } from 'vitest'
import { RedisCoordinationStore } from '../../src/index.ts'
import { subjectOf } from '../redis-world.ts'

const redis = await startRedis()
const cluster = await startRedis({ cluster: 3 })
afterAll(async () => {
  await redis[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'one server', () => {
  coordinationStoreConformance(
    subjectOf('Redis', (prefix) => ({ coordinationStore: new RedisCoordinationStore(redis.url, { prefix }) })),
  )
})

describe.skipIf(cluster.skipReason !== undefined)(cluster.skipReason ?? 'a cluster', () => {
  const nodes = () => cluster.ports.map((port) => ({ host: '127.0.0.1', port }))
  coordinationStoreConformance(
    subjectOf('Redis', (prefix) => ({
      coordinationStore: new RedisCoordinationStore(new Cluster(nodes(), { lazyConnect: true }), { prefix }),
    })),
  )
})
