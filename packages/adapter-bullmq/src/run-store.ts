/**
 * Runs in Redis, as logs of their commands: core's `LogStore` says how. One script writes the logs and the indexes beside them
 * (`scripts/transact.ts`, `keys.ts`).
 */
import { LogStore } from '@baton/core/adapter'
import { openRedisLogs } from './run-store/redis-logs.ts'
import { checkRunStoreOptions, type RedisRunStoreOptions } from './run-store-options.ts'

/** Redis takes lines of any length; a mark goes along with the next call. */
const LINES = { lineInlineMaxBytes: Number.POSITIVE_INFINITY, batchChars: Number.POSITIVE_INFINITY, soonMs: 100 }

export class RedisRunStore extends LogStore {
  /** Connects with the first call. To learn of a mistake at once, use `connect`. */
  constructor(options: RedisRunStoreOptions) {
    const checked = checkRunStoreOptions(options)
    super({ ...checked, ...LINES }, () => openRedisLogs(checked))
  }

  /** Opens a store. Throws `INVALID_OPTION` for a server that would lose runs, `STORE_UNAVAILABLE` where there is none. */
  static connect(options: RedisRunStoreOptions): Promise<RedisRunStore> {
    return new RedisRunStore(options).opened()
  }
}
