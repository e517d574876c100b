import { type IRunStore, InMemoryCoordinationStore, InMemoryJobQueue } from '@baton/core'
import { startRedis } from '@baton/services'
import { adapterConformance, runStoreConformance, type Subject, type World, type WorldOptions } from '@baton/testing'
import { Redis } from 'ioredis'
import { afterAll, describe } from 'vitest'
import { RedisRunStore } from '../../src/index.ts'
import { newPrefix } from '../redis-world.ts'

const redis = await startRedis({ appendOnly: true })
afterAll(() => redis[Symbol.asyncDispose]())

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'one server', () => {
  const subject: Subject = {
    name: 'Redis',
    durability: 'power',
    tickMs: 20,
    async create(options) {
      const prefix = newPrefix()
      const open: World[] = []
      return openWorld(prefix, options, open)
    },
  }
  runStoreConformance(subject)
  adapterConformance(subject)
})

async function openWorld(prefix: string, options: WorldOptions, open: World[]): Promise<World> {
  const { redispatchMs, redispatchMaxMs, visibilityMs } = options
  const store: IRunStore = await RedisRunStore.connect({ connection: redis.url, prefix, redispatchMs, redispatchMaxMs })
  const queue = new InMemoryJobQueue({ visibilityMs })
  const client = new Redis(redis.url, { lazyConnect: true })
  const world: World = {
    store,
    queue,
    coordinationStore: new InMemoryCoordinationStore(),
    reopen: () => openWorld(prefix, options, open),
    meter: async () => ({ writtenBytes: await memoryOf(client), writes: 1 }),
    async [Symbol.asyncDispose]() {
      for (const each of open.splice(0)) await each.store.close()
      queue.close()
      client.disconnect()
    },
  }
  open.push(world)
  return world
}

async function memoryOf(client: Redis): Promise<number> {
  const info = await client.info('stats')
  return Number(/total_net_input_bytes:(\d+)/.exec(info)?.[1])
}
