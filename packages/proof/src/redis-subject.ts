import { randomUUID } from 'node:crypto'
import { BullMQJobQueue, RedisCoordinationStore, RedisRunStore } from '@baton/adapter-bullmq'
import type { Subject, World, WorldOptions } from '@baton/testing'
import { Cluster, Redis } from 'ioredis'

/** The Redis adapter on a server, or on a cluster by its nodes: a prefix per world, in real time. */
export function redisSubject(...ports: readonly number[]): Subject {
  const isCluster = ports.length > 1
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }))
  return {
    name: isCluster ? 'a Redis cluster' : 'Redis',
    durability: 'process',
    tickMs: 10,
    async create(options) {
      const prefix = `proof-${randomUUID().slice(0, 8)}`
      const lazyConnect = true
      const connection = isCluster ? new Cluster(nodes, { lazyConnect }) : new Redis({ ...nodes[0], lazyConnect })
      const open: World[] = []
      const world = await openWorld({ prefix, connection, options, open })
      return {
        ...world,
        async [Symbol.asyncDispose]() {
          for (const each of open) await each[Symbol.asyncDispose]()
          connection.disconnect()
        },
      }
    },
  }
}

interface WorldParts {
  readonly prefix: string
  /** What the ports make their connections like; it never connects itself. */
  readonly connection: Redis | Cluster
  readonly options: WorldOptions
  readonly open: World[]
}

/** The ports of one process. */
async function openWorld(parts: WorldParts): Promise<World> {
  const { prefix, connection, options, open } = parts
  const { visibilityMs, ...times } = options
  const store = await RedisRunStore.connect({ connection, prefix, ...times })
  const queue = new BullMQJobQueue({ connection, name: prefix, visibilityMs })
  const coordinationStore = new RedisCoordinationStore(connection, { prefix })
  const world: World = {
    store,
    queue,
    coordinationStore,
    reopen: () => openWorld(parts),
    async [Symbol.asyncDispose]() {
      await queue.close()
      await store.close()
      await coordinationStore.close()
    },
  }
  open.push(world)
  return world
}
