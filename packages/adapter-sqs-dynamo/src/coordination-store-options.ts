/** Every option of the coordination store: what it means, its default and its check, once. */
import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { BatonError } from '@baton/core'
import { checkFunction, checkNumber, checkOptions, type IClock, systemClock } from '@baton/core/adapter'
import { checkClient } from './aws-client.ts'
import { DEFAULT_PREFIX } from './run-store-options.ts'

export interface DynamoCoordinationStoreOptions {
  /** The table; that of a run store will do. Its keys are `pk` (HASH) and `sk` (RANGE), both texts. Default `baton`. */
  readonly table?: string
  /** A client, which stays untouched, or the configuration of one: region, endpoint, credentials. Default: as the SDK finds them. */
  readonly client?: DynamoDBClient | DynamoDBClientConfig
  /** Begins every key. Two stores with different prefixes in one table know nothing of each other. Default `baton`. */
  readonly prefix?: string
  /**
   * Says when a key's time is up: DynamoDB has no clock to ask, so the clocks of all who share a table must not be far apart.
   * Default: the system's.
   */
  readonly clock?: Pick<IClock, 'now'>
  /** How long an answer may take, over all tries of the client, before the call throws `STORE_UNAVAILABLE`. Default 10 s. */
  readonly timeoutMs?: number
}

export type CheckedCoordinationStoreOptions = Required<Omit<DynamoCoordinationStoreOptions, 'client'>> & {
  readonly client: DynamoCoordinationStoreOptions['client'] | undefined
}

const names = ['table', 'client', 'prefix', 'clock', 'timeoutMs'] satisfies (keyof DynamoCoordinationStoreOptions)[]

export function checkCoordinationStoreOptions(
  options: DynamoCoordinationStoreOptions,
): CheckedCoordinationStoreOptions {
  checkOptions(options, names)
  const { table = 'baton', client, prefix = DEFAULT_PREFIX, clock = systemClock, timeoutMs = 10_000 } = options
  checkName(table, 'table', /^[\w.-]{3,255}$|^arn:/, 'the name or the ARN of a table: 3 to 255 of A-Z a-z 0-9 _ . -')
  checkName(prefix, 'prefix', /^[\w.:@-]{1,100}$/, '1 to 100 of the characters A-Z a-z 0-9 . _ : @ -')
  checkClient(client)
  checkOptions(clock, ['now', 'after'], 'clock')
  checkFunction(clock.now, 'clock.now')
  checkNumber(timeoutMs, 'timeoutMs', { least: 1, most: 600_000 })
  return { table, client, prefix, clock, timeoutMs }
}

function checkName(value: unknown, field: string, pattern: RegExp, what: string): void {
  if (typeof value === 'string' && pattern.test(value)) return
  throw new BatonError('INVALID_OPTION', { field, message: `must be ${what}` })
}
