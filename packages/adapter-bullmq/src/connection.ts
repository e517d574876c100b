/** Opens connections, and says what they are good for. */
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { RedisConnection } from './options.ts'

export interface Connection {
  readonly redis: Redis | Cluster
  /** Another connection to the same place, to listen on. */
  readonly listen: () => Redis | Cluster
  readonly isCluster: boolean
  close(): Promise<void>
}

/**
 * A command that gets no answer fails soon, and its caller tries again with a pause of its own. Waiting in a queue of
 * the client would hide the outage from those who have to know of it.
 */
const settings = { maxRetriesPerRequest: 1, lazyConnect: false } as const

export function connect(connection: RedisConnection, onError: (error: unknown) => void): Connection {
  const isGiven = connection instanceof Redis || connection instanceof Cluster
  const redis = isGiven
    ? connection
    : typeof connection === 'string'
      ? new Redis(connection, settings)
      : new Redis(withSettings(connection))
  const isCluster = redis instanceof Cluster
  // Without a listener an outage would end the process.
  redis.on('error', onError)
  return {
    redis,
    isCluster,
    listen: () =>
      redis instanceof Cluster
        ? redis.duplicate([], { shardedSubscribers: true })
        : redis.duplicate({ maxRetriesPerRequest: null, enableReadyCheck: true }),
    async close() {
      redis.off('error', onError)
      if (isGiven) return
      redis.on('error', () => {})
      try {
        await redis.quit()
      } catch {
        redis.disconnect()
      }
    },
  }
}

/** The client's types tell an option that is absent from one that is undefined; at run time they are the same. */
function withSettings(options: RedisOptions) {
  return { ...options, ...settings } as RedisOptions & { readonly replyMapping?: never }
}
