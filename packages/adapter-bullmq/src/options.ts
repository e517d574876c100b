/** Every option of the coordination store and the job queue: what it means, its default and its check, once. */
import { BatonError } from '@baton/core'
import { checkInjected, checkNumber, checkOptions, type ILogger, silentLogger } from '@baton/core/adapter'
import { checkSource, isCluster, type RedisSource } from './connection.ts'

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

export interface BullMQJobQueueOptions {
  /** A client or a cluster of ioredis, or a URL. The queue opens connections of its own like it. */
  readonly connection: RedisSource
  /** BullMQ's name of the queue; producers outside Baton use it too. Default `baton`. */
  readonly name?: string
  /** BullMQ's prefix of its keys. Default `bull`, as with BullMQ; on a cluster `{bull}`, since all keys must share a slot. */
  readonly prefix?: string
  /** How long a delivery stays with its consumer before others get it too. Default 30 s. */
  readonly visibilityMs?: number
  /** How long an answer of Redis may take before the queue counts as down. Default 5 s. */
  readonly timeoutMs?: number
  /** How many of the jobs that were taken out for good are kept, the newest ones. Default 10,000. */
  readonly keepDeadLetters?: number
  readonly logger?: ILogger
}

const queueOptions = [
  'connection',
  'name',
  'prefix',
  'visibilityMs',
  'timeoutMs',
  'keepDeadLetters',
  'logger',
] satisfies (keyof BullMQJobQueueOptions)[]

export function checkJobQueueOptions(options: BullMQJobQueueOptions): Required<BullMQJobQueueOptions> {
  checkOptions(options, queueOptions)
  checkInjected(options)
  const { connection, name = 'baton', visibilityMs = 30_000, timeoutMs = 5_000, keepDeadLetters = 10_000 } = options
  checkSource(connection, 'connection')
  checkNoKeyPrefix(connection)
  const { prefix = isCluster(connection) ? '{bull}' : 'bull', logger = silentLogger } = options
  checkQueuePrefix(prefix, isCluster(connection))
  if (typeof name !== 'string' || !/^[^:{}\p{Cc}]{1,100}$/u.test(name)) {
    const message = 'must have 1 to 100 characters, none of them ":", "{" or "}"'
    throw new BatonError('INVALID_OPTION', { field: 'name', message })
  }
  checkNumber(visibilityMs, 'visibilityMs', { least: 10, most: 86_400_000, whole: true })
  checkNumber(timeoutMs, 'timeoutMs', { least: 1, most: 600_000 })
  checkNumber(keepDeadLetters, 'keepDeadLetters', { least: 1, most: 10_000_000, whole: true })
  return { connection, name, prefix, visibilityMs, timeoutMs, keepDeadLetters, logger }
}

/** BullMQ's scripts make keys that the client does not see. */
function checkNoKeyPrefix(source: RedisSource): void {
  if (typeof source === 'string') return
  const { keyPrefix } = isCluster(source) ? { keyPrefix: '', ...source.options.redisOptions } : source.options
  if (keyPrefix === undefined || keyPrefix === '') return
  const message = `has the keyPrefix ${JSON.stringify(keyPrefix)}, which BullMQ cannot use`
  throw new BatonError('INVALID_OPTION', { field: 'connection', message, hint: 'Use the option `prefix`.' })
}

/** Of keys that bring their own hash tags: one in the prefix, or half of one, would choose the slot in their place. */
export function checkPrefix(prefix: unknown): void {
  if (typeof prefix === 'string' && /^[\w.:@-]{1,100}$/.test(prefix)) return
  const message = 'must have 1 to 100 of the characters A-Z a-z 0-9 . _ : @ -'
  const hint =
    'Braces are for the hash tags of a cluster, and the keys have theirs. Write it without them, such as billing.'
  const hasBraces = typeof prefix === 'string' && /[{}]/.test(prefix)
  throw new BatonError('INVALID_OPTION', { field: 'prefix', message, ...(hasBraces ? { hint } : {}) })
}

/** Of BullMQ's keys, which have no hash tag but this one. */
function checkQueuePrefix(prefix: unknown, isOnCluster: boolean): void {
  if (typeof prefix !== 'string' || !/^[\w.:{}@-]{1,100}$/.test(prefix)) {
    const message = 'must have 1 to 100 of the characters A-Z a-z 0-9 . _ : @ - { }'
    throw new BatonError('INVALID_OPTION', { field: 'prefix', message })
  }
  // Only the first pair of braces counts, and an empty one is none.
  if (!isOnCluster || /^[^{]*\{[^}]+\}/.test(prefix)) return
  const message = 'needs a hash tag on a cluster, such as {bull}: all keys of a queue must share a slot'
  throw new BatonError('INVALID_OPTION', { field: 'prefix', message })
}
