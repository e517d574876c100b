/** Every option of the run store that others do not have as well: what it means, its default and its check, once. */
import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { BatonError } from '@baton/core'
import {
  checkInjected,
  checkLogStoreOptions,
  checkNumber,
  checkOptions,
  type LogStoreOptions,
  logStoreOptions,
} from '@baton/core/adapter'
import { checkClient } from './aws-client.ts'
import type { IValueStore } from './run-store/values.ts'

export interface DynamoRunStoreOptions extends LogStoreOptions {
  /** The name of the table. Default `baton`. */
  readonly table?: string
  /** A client, or the configuration of one: region, endpoint, credentials. Default: as the SDK finds them. */
  readonly client?: DynamoDBClient | DynamoDBClientConfig
  /** What all its keys begin with. Two stores in one table need two of them, and two queues. Default `baton`. */
  readonly prefix?: string
  /** Into how many parts the indexes are divided. Fixed when the store is made. Default 1: good for some 300 starts a second. */
  readonly shards?: number
  /** Where values are kept that are too large for a line. Default: in the same table. */
  readonly values?: IValueStore
  /** How long an answer of DynamoDB may take, over all tries of its client, before the call throws `STORE_UNAVAILABLE`. Default 10 s. */
  readonly timeoutMs?: number
  /** The longest that whoever follows a run waits between two looks. Default 2 s. */
  readonly pollMs?: number
}

type Optional = 'shards' | 'client' | 'values'

export type CheckedRunStoreOptions = Required<Omit<DynamoRunStoreOptions, Optional>> & {
  readonly [name in Optional]: DynamoRunStoreOptions[name] | undefined
}

/** Of the one store in a table that needs no other. */
export const DEFAULT_PREFIX = 'baton'

/** An item has 400 KB, and a line may hold several such values. */
const MOST_INLINE_BYTES = 65_536

export function checkRunStoreOptions(options: DynamoRunStoreOptions): CheckedRunStoreOptions {
  checkOptions(options, runStoreOptions)
  checkInjected(options)
  const {
    table = 'baton',
    client,
    prefix = DEFAULT_PREFIX,
    shards,
    values,
    timeoutMs = 10_000,
    pollMs = 2_000,
  } = options
  checkTable(table)
  checkClient(client)
  checkPrefix(prefix)
  checkNumber(shards, 'shards', { least: 1, most: 1_000, whole: true })
  for (const [name, ms] of Object.entries({ timeoutMs, pollMs })) {
    checkNumber(ms, name, { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true })
  }
  const checked = checkLogStoreOptions(options, { inlineMaxBytes: MOST_INLINE_BYTES })
  return { ...checked, table, client, prefix, shards, values, timeoutMs, pollMs }
}

export function checkTable(table: unknown): void {
  if (typeof table === 'string' && /^[\w.-]{3,255}$/.test(table)) return
  const message = 'must be the name of a table: 3 to 255 of the characters A-Z a-z 0-9 _ . -'
  const hint = 'Not its ARN: the name is what stands behind table/ in that.'
  throw new BatonError('INVALID_OPTION', { field: 'table', message, hint })
}

function checkPrefix(prefix: unknown): void {
  if (typeof prefix === 'string' && /^[\w.:@-]{1,100}$/.test(prefix)) return
  const message = 'must have 1 to 100 of the characters A-Z a-z 0-9 . _ : @ -'
  throw new BatonError('INVALID_OPTION', { field: 'prefix', message })
}

export const runStoreOptions = [
  ...logStoreOptions,
  ...Object.keys({
    table: true,
    client: true,
    prefix: true,
    shards: true,
    values: true,
    timeoutMs: true,
    pollMs: true,
  } satisfies Record<Exclude<keyof DynamoRunStoreOptions, keyof LogStoreOptions>, true>),
]
