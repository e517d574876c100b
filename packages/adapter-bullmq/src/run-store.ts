/**
 * Runs in Redis, as logs of their commands: core's `LogStore` says how. One script writes the logs and the indexes beside them
 * (`scripts/transact.ts`, `keys.ts`).
 */
import { LogStore } from '@baton/core/adapter'
import { openRedisLogs } from './run-store/redis-logs.ts'
import { checkRunStoreOptions, type RedisRunStoreOptions } from './run-store-options.ts'

/** How much of what waits goes with one step; a call has several. */
const BATCH_CHARS = Number.POSITIVE_INFINITY

export class RedisRunStore extends LogStore {
  /** Connects with the first call. To learn of a mistake at once, use `connect`. */
  constructor(options: RedisRunStoreOptions) {
    const checked = checkRunStoreOptions(options)
    const lines = { lineInlineMaxBytes: Number.POSITIVE_INFINITY, batchChars: BATCH_CHARS }
    super({ ...checked, ...lines }, () => openRedisLogs(checked))
  }

  /** Opens a store. Throws `INVALID_OPTION` for a server that would lose runs, `STORE_UNAVAILABLE` where there is none. */
  static connect(options: RedisRunStoreOptions): Promise<RedisRunStore> {
    return new RedisRunStore(options).opened()
  }
}
