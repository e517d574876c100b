/** Connections of our own, made like the one that we are given: what a connection does in an outage is ours to say. */
import { BatonError } from '@baton/core'
import type { ILogger } from '@baton/core/adapter'
import { type Cluster, type ClusterOptions, Redis } from 'ioredis'
import { redisMessageOf } from './errors.ts'

/** A client of ioredis, a cluster of it, or the URL of a server. */
export type RedisSource = string | Redis | Cluster

/**
 * Opens when it is first used. In an outage a command that was sent is never sent again behind our back: whether it took
 * effect is for the caller to find out, who must not be told that somebody else holds the lock that they have just taken.
 */
export function openImpatient(source: RedisSource, logger: ILogger, silenceMs = SILENCE_MS): Redis | Cluster {
  return open(source, logger, { maxRetriesPerRequest: 0, lazyConnect: true, socketTimeout: silenceMs })
}

/** Opens at once, and again and again. Commands wait for as long as an outage lasts. What BullMQ wants of a connection. */
export function openPatient(source: RedisSource, logger: ILogger): Redis | Cluster {
  return open(source, logger, { maxRetriesPerRequest: null, lazyConnect: false, socketTimeout: SILENCE_MS })
}

/** To listen on. In a cluster a channel lives where its key would, so that not every node hears of everything. */
export function openListener(source: RedisSource, logger: ILogger): Redis | Cluster {
  return open(
    source,
    logger,
    { maxRetriesPerRequest: null, lazyConnect: true, socketTimeout: undefined },
    { shardedSubscribers: true },
  )
}

/**
 * A connection that gives no answer for so long is dropped, and made anew: its other end may be gone without a word. Longer
 * than BullMQ lets Redis wait for a job.
 */
const SILENCE_MS = 15_000

interface Own {
  /** How often a connection may fail before it gives up on the commands that wait for it. `null`: never. */
  readonly maxRetriesPerRequest: 0 | null
  readonly lazyConnect: boolean
  readonly socketTimeout: number | undefined
}

/** What a client may have that is good for its own use, and would break ours. */
const OURS = {
  replyMapping: 'legacy',
  stringNumbers: false,
  autoResendUnfulfilledCommands: true,
  commandTimeout: undefined,
  blockingTimeout: undefined,
} as const

/** For as long as an outage lasts. */
function retryAfterMs(times: number): number {
  return Math.min(times * 50, 2_000)
}

function open(source: RedisSource, logger: ILogger, own: Own, ofCluster: ClusterOptions = {}): Redis | Cluster {
  const client = typeof source === 'string' ? new Redis(source, single(own)) : duplicate(source, own, ofCluster)
  // Without a listener ioredis writes to the console. Whoever waits for an answer hears of it anyway.
  client.on('error', (error: unknown) =>
    logger.log('debug', 'a connection to Redis failed', { error: redisMessageOf(error) }),
  )
  return client
}

function single(own: Own) {
  return { ...OURS, ...own, retryStrategy: retryAfterMs, enableOfflineQueue: true }
}

function duplicate(source: Redis | Cluster, own: Own, ofCluster: ClusterOptions): Redis | Cluster {
  if (!isCluster(source)) return source.duplicate(single(own))
  const redisOptions = { ...source.options.redisOptions, ...OURS, ...own }
  return source.duplicate(undefined, {
    ...ofCluster,
    lazyConnect: own.lazyConnect,
    clusterRetryStrategy: retryAfterMs,
    enableOfflineQueue: true,
    redisOptions,
    // A replica may not know yet what its master has answered.
    scaleReads: 'master',
    ...(own.maxRetriesPerRequest === 0 ? { retryDelayOnFailover: 0 } : {}),
  })
}

export function isCluster(source: RedisSource): source is Cluster {
  return typeof source !== 'string' && source.isCluster
}

/** Other clients of Redis look alike and fail later, far from the mistake. */
export function checkSource(source: unknown, field: string): asserts source is RedisSource {
  const client = source as Partial<Redis> | null | undefined
  const isUrl = typeof source === 'string' && /^rediss?:\/\//.test(source) && URL.canParse(source)
  if (isUrl || (typeof client?.duplicate === 'function' && typeof client.evalsha === 'function')) return
  throw new BatonError('INVALID_OPTION', {
    field,
    message: 'must be a client or a cluster of ioredis, or a URL that begins with redis:// or rediss://',
  })
}
