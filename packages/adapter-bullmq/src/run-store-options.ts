/** Every option of the run store that others do not have as well: what it means, its default and its check, once. */
import { BatonError } from '@baton/core'
import {
  checkInjected,
  checkLogStoreOptions,
  checkNumber,
  checkOptions,
  type LogStoreOptions,
  logStoreOptions,
} from '@baton/core/adapter'
import { checkSource, type RedisSource } from './connection.ts'
import { checkPrefix } from './options.ts'

export interface RedisRunStoreOptions extends LogStoreOptions {
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
  const { connection, prefix = 'baton', shards, allowEphemeral = false, timeoutMs = 10_000, pollMs = 30_000 } = options
  checkSource(connection, 'connection')
  checkPrefix(prefix)
  if (typeof allowEphemeral !== 'boolean') {
    throw new BatonError('INVALID_OPTION', { field: 'allowEphemeral', message: 'must be true or false' })
  }
  checkNumber(shards, 'shards', { least: 1, most: 4_096, whole: true })
  for (const [name, ms] of Object.entries({ timeoutMs, pollMs })) {
    checkNumber(ms, name, { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true })
  }
  return { ...checkLogStoreOptions(options), connection, prefix, shards, allowEphemeral, timeoutMs, pollMs }
}

export const runStoreOptions = [
  ...logStoreOptions,
  ...Object.keys({
    connection: true,
    prefix: true,
    shards: true,
    allowEphemeral: true,
    timeoutMs: true,
    pollMs: true,
  } satisfies Record<Exclude<keyof RedisRunStoreOptions, keyof LogStoreOptions>, true>),
]
