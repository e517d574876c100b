/** A look at a server that writes nothing: for whoever wants to hear of a mistake before anything is made. */
import { BatonError } from '@baton/core'
import { type Durability, silentLogger, within } from '@baton/core/adapter'
import { isCluster, openImpatient } from './connection.ts'
import { storeFailure } from './errors.ts'
import { Keys } from './keys.ts'
import { checkRunStoreOptions, type RedisRunStoreOptions } from './run-store-options.ts'
import { checkChannels, checkServer } from './server-check.ts'

export interface RedisFound {
  /** What the server keeps of what it has confirmed, by its own settings. */
  readonly durability: Durability
  /** Whether somebody has opened a run store with this prefix there. */
  readonly hasStore: boolean
}

const WITHIN_MS = 10_000

/**
 * Throws what opening a `RedisRunStore` would: `INVALID_OPTION` for a server that would lose runs, that does not let us in
 * or denies us the store's channels, or that is one of a cluster and was not given as one; `STORE_UNAVAILABLE` where nobody answers.
 */
export async function lookAtRedis(options: RedisRunStoreOptions): Promise<RedisFound> {
  const { connection, prefix, allowEphemeral } = checkRunStoreOptions(options)
  const redis = openImpatient(connection, silentLogger)
  const look = async (): Promise<RedisFound> => {
    // What is allowed is said aloud by whoever opens the store.
    const durability = await checkServer(redis, { allowEphemeral, logger: silentLogger })
    if (!isCluster(redis) && /cluster_enabled:1/.test(await redis.info('cluster').catch(() => ''))) {
      const message = 'this Redis is a node of a cluster'
      throw new BatonError('INVALID_OPTION', { field: 'connection', message, hint: 'Give it as a cluster.' })
    }
    await checkChannels(redis, { connection, prefix, timeoutMs: WITHIN_MS })
    return { durability, hasStore: (await redis.exists(Keys.store(prefix))) === 1 }
  }
  try {
    return await within(WITHIN_MS, look())
  } catch (error) {
    throw storeFailure(error)
  } finally {
    redis.disconnect()
  }
}
