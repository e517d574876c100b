/**
 * Runs in DynamoDB, as logs of their commands: core's `LogStore` says how. All of it in one table, whose items `keys.ts` lists.
 */
import { LogStore } from '@baton/core/adapter'
import { openDynamoLogs } from './run-store/dynamo-logs.ts'
import { checkRunStoreOptions, type DynamoRunStoreOptions } from './run-store-options.ts'

/** An item has 400 KB, and one line more may come on top of what others have shared. */
const LINES = { lineInlineMaxBytes: 256 * 1024, batchChars: 64 * 1024, soonMs: 1_000 }

export class DynamoRunStore extends LogStore {
  /** Asks for the table with the first call. To learn of a mistake at once, use `connect`. */
  constructor(options: DynamoRunStoreOptions = {}) {
    const checked = checkRunStoreOptions(options)
    super({ ...checked, ...LINES }, () => openDynamoLogs(checked))
  }

  /** Opens a store. Throws `INVALID_OPTION` where there is no such table, or no right to it, `STORE_UNAVAILABLE` where nobody answers. */
  static connect(options: DynamoRunStoreOptions = {}): Promise<DynamoRunStore> {
    return new DynamoRunStore(options).opened()
  }
}
