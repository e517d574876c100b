/** Every option of the run store: what it means, its default and its check, once. */
import { BatonError, defaults, type ILogger } from '@baton/core'
import { checkInjected, checkNumber, checkOptions, silentLogger } from '@baton/core/adapter'
import { checkSource, type RedisSource } from './connection.ts'
import { checkPrefix } from './options.ts'

export interface RedisRunStoreOptions {
  /** A client or a cluster of ioredis, or a URL. What is given stays untouched: the store opens connections like it. */
  readonly connection: RedisSource
  /** What all its keys begin with. Two stores on one server need two of them. Default `baton`. */
  readonly prefix?: string
  /**
   * Into how many parts runs are divided; a part lives on one node of a cluster. Fixed when the store is made. Default 1, and
   * 256 on a cluster.
   */
  readonly shards?: number
  /** Goes on with a server that would lose what it has confirmed. Default false. */
  readonly allowEphemeral?: boolean
  readonly logger?: ILogger
  /** How long a job may go unanswered before the sweep reminds of it, doubled each time … Default 30 s. */
  readonly redispatchMs?: number
  /** … up to this. Default 10 min. */
  readonly redispatchMaxMs?: number
  /** Values whose JSON is longer are kept apart from the log. Default 32 KiB. */
  readonly inlineMaxBytes?: number
  /** The longest that such a value may be. Default 16 MiB. */
  readonly valueMaxBytes?: number
  /** The longest that one transition may be without such values. Default 8 MiB. */
  readonly lineMaxBytes?: number
  /** How many runs to keep in memory, the last used ones. Default 5,000. */
  readonly cachedRuns?: number
  /** And at most about this much of their logs and values. Default 128 MiB. */
  readonly cachedBytes?: number
  /** How long the id of a purged run stays taken. Default 14 days. */
  readonly tombstoneMs?: number
  /** How long an answer of Redis may take before the call throws `STORE_UNAVAILABLE`. Default 10 s. */
  readonly timeoutMs?: number
  /** How long a follower may miss a lost notice. Default 30 s. */
  readonly pollMs?: number
}

export type CheckedRunStoreOptions = Required<Omit<RedisRunStoreOptions, 'shards'>> & {
  readonly shards: number | undefined
}

export function checkRunStoreOptions(options: RedisRunStoreOptions): CheckedRunStoreOptions {
  checkOptions(options, runStoreOptions)
  checkInjected(options)
  const { connection, prefix = 'baton' } = options
  checkSource(connection, 'connection')
  checkPrefix(prefix)
  if (!['boolean', 'undefined'].includes(typeof options.allowEphemeral)) {
    throw new BatonError('INVALID_OPTION', { field: 'allowEphemeral', message: 'must be true or false' })
  }
  checkNumber(options.shards, 'shards', { least: 1, most: 4_096, whole: true })
  const redispatchMs = options.redispatchMs ?? defaults.redispatchMs
  const checked = {
    redispatchMs,
    redispatchMaxMs: options.redispatchMaxMs ?? Math.max(redispatchMs, defaults.redispatchMaxMs),
    inlineMaxBytes: options.inlineMaxBytes ?? 32 * 1024,
    valueMaxBytes: options.valueMaxBytes ?? 16 * 1024 * 1024,
    lineMaxBytes: options.lineMaxBytes ?? 8 * 1024 * 1024,
    cachedRuns: options.cachedRuns ?? 5_000,
    cachedBytes: options.cachedBytes ?? 128 * 1024 * 1024,
    tombstoneMs: options.tombstoneMs ?? defaults.tombstoneMs,
    timeoutMs: options.timeoutMs ?? 10_000,
    pollMs: options.pollMs ?? 30_000,
  }
  const least: Partial<Record<keyof typeof checked, number>> = {
    redispatchMaxMs: redispatchMs,
    inlineMaxBytes: 256,
    valueMaxBytes: 1_024,
    lineMaxBytes: 1_024,
  }
  for (const name of Object.keys(checked) as (keyof typeof checked)[]) {
    checkNumber(checked[name], name, { least: least[name] ?? 1, most: Number.MAX_SAFE_INTEGER, whole: true })
  }
  return {
    ...checked,
    connection,
    prefix,
    shards: options.shards,
    allowEphemeral: options.allowEphemeral ?? false,
    logger: options.logger ?? silentLogger,
  }
}

export const runStoreOptions = Object.keys({
  connection: true,
  prefix: true,
  shards: true,
  allowEphemeral: true,
  logger: true,
  redispatchMs: true,
  redispatchMaxMs: true,
  inlineMaxBytes: true,
  valueMaxBytes: true,
  lineMaxBytes: true,
  cachedRuns: true,
  cachedBytes: true,
  tombstoneMs: true,
  timeoutMs: true,
  pollMs: true,
} satisfies Record<keyof RedisRunStoreOptions, true>)
