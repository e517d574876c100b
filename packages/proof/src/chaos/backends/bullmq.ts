import { BullMQJobQueue, RedisCoordinationStore, RedisRunStore } from '@baton/adapter-bullmq'
import { startRedis } from '@baton/services'
import type { Backend } from '../backend.ts'

/** A Redis of our own with an append-only file, which is killed and started again in between. */
export const backend: Backend = {
  name: 'bullmq',
  async prepare() {
    const redis = await startRedis({ appendOnly: true })
    if (redis.skipReason !== undefined) throw new Error(redis.skipReason)
    return {
      address: redis.url,
      servers: [
        {
          async restart() {
            await redis.kill()
            await redis.restart()
          },
        },
      ],
      remove: () => redis[Symbol.asyncDispose](),
    }
  },
  async open(connection, { leaseMs }) {
    return {
      store: new RedisRunStore({ connection, redispatchMs: leaseMs, redispatchMaxMs: 8 * leaseMs }),
      queue: new BullMQJobQueue({ connection, visibilityMs: 2 * leaseMs }),
      coordinationStore: new RedisCoordinationStore(connection),
    }
  },
}
