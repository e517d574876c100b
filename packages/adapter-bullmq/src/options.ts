/** Every option of the coordination store and the job queue: what it means, its default and its check, once. */
import { BatonError } from '@baton/core'
import { checkInjected, checkNumber, checkOptions, type ILogger, silentLogger } from '@baton/core/adapter'
import { checkSource } from './connection.ts'

export interface RedisCoordinationStoreOptions {
  /** Begins every key. Two stores with different prefixes on one server know nothing of each other. Default `baton`. */
  readonly prefix?: string
  readonly logger?: ILogger
  /** How long an answer may take before the call throws `STORE_UNAVAILABLE`. Default 10 s. */
  readonly timeoutMs?: number
}

export function checkCoordinationStoreOptions(
  redis: unknown,
  options: RedisCoordinationStoreOptions,
): Required<RedisCoordinationStoreOptions> {
  checkSource(redis, 'redis')
  checkOptions(options, ['prefix', 'logger', 'timeoutMs'] satisfies (keyof RedisCoordinationStoreOptions)[])
  checkInjected(options)
  const { prefix = 'baton', logger = silentLogger, timeoutMs = 10_000 } = options
  checkPrefix(prefix)
  checkNumber(timeoutMs, 'timeoutMs', { least: 1, most: 600_000 })
  return { prefix, logger, timeoutMs }
}

export function checkPrefix(prefix: unknown): void {
  if (typeof prefix === 'string' && /^[\w.:{}@-]{1,100}$/.test(prefix)) return
  const message = 'must have 1 to 100 of the characters A-Z a-z 0-9 . _ : @ - { }'
  throw new BatonError('INVALID_OPTION', { field: 'prefix', message })
}
