/** What a store is made of once it is connected. */
import { BatonError } from '@baton/core'
import type { Durability, RunId } from '@baton/core/adapter'
import type { Cluster, Redis } from 'ioredis'
import { isCluster as isClusterClient, openImpatient, openListener } from '../connection.ts'
import { within } from '../deadline.ts'
import { failureFields, messageOf, storeFailure } from '../errors.ts'
import { Keys } from '../keys.ts'
import type { CheckedRunStoreOptions } from '../run-store-options.ts'
import { checkChannels, checkServer } from '../server-check.ts'
import { FindingDue, type Indexes } from './finding-due.ts'
import type { ListingIndexes } from './listing.ts'
import type { LoggedRun } from './logged-run.ts'
import { News } from './news.ts'
import { Runs } from './runs.ts'
import { ScriptLine } from './script-line.ts'
import { StoreClock } from './store-clock.ts'

export interface Parts {
  readonly keys: Keys
  readonly runs: Runs
  readonly news: News
  readonly due: FindingDue
  readonly indexes: Indexes & ListingIndexes
  readonly durability: Durability
  readonly line: (shard: number) => ScriptLine
  /** Tells workers that something waits for them. A hint. */
  readonly tellWaiting: (flow: string) => void
  /** Resolves when everything that was sent before is answered. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** What a process knows of a run is forgotten after this long without use. */
const CACHE_MS = 3_600_000
/** How long `close` waits for answers to what was asked before: a server that is frozen gives none. */
const CLOSE_WITHIN_MS = 1_000

export async function openParts(options: CheckedRunStoreOptions): Promise<Parts> {
  const { logger, prefix, allowEphemeral, redispatchMs, pollMs, tombstoneMs, timeoutMs } = options
  const onFailure = (error: unknown) => logger.log('warn', 'Redis', failureFields(error))
  const redis = openImpatient(options.connection, logger)
  const isCluster = isClusterClient(redis)
  try {
    const durability = await within(timeoutMs, checkServer(redis, { allowEphemeral, logger }))
    await checkDatabase(redis, timeoutMs)
    await checkChannels(redis, options)
    const keys = new Keys(prefix, await shardsOfStore(redis, prefix, options.shards, isCluster ? 256 : 1))
    const clock = new StoreClock()
    const asked = askedWithin(timeoutMs)
    const publish = isCluster ? 'SPUBLISH' : 'PUBLISH'
    const lines = new Map<number, ScriptLine>()
    const line = (shard: number): ScriptLine => {
      const known = lines.get(shard)
      if (known !== undefined) return known
      const made = new ScriptLine({ redis, keys: keys.ofShard(shard), lookMs: redispatchMs, publish, clock, timeoutMs })
      lines.set(shard, made)
      return made
    }
    const indexes = indexesOf(redis, asked)
    const runs = new Runs({
      ...options,
      keys,
      clock,
      line,
      readBlobs: (key, digests) => asked(redis.hmget(key, ...digests)),
      cacheMs: Math.max(1, Math.min(CACHE_MS, tombstoneMs / 2)),
      onFailure: (message, runId, error) => logger.log('warn', message, { runId, error: messageOf(error) }),
    })
    const openSound = async (runId: RunId): Promise<LoggedRun | undefined> => {
      try {
        return await runs.open(runId)
      } catch (error) {
        if (!BatonError.is(error, 'STORE_CORRUPT')) throw error
        logger.log('error', 'a run is damaged and was left out of the sweep', { runId, error: messageOf(error) })
        return undefined
      }
    }
    const due = new FindingDue({ keys, indexes, clock, line, open: openSound, look: (run) => runs.look(run) })
    const news = new News({
      connect: () => openListener(options.connection, logger),
      sharded: isCluster,
      pollMs,
      onFailure,
    })
    return {
      keys,
      runs,
      news,
      due,
      indexes,
      durability,
      line,
      tellWaiting: (flow) =>
        void redis[isCluster ? 'spublish' : 'publish'](keys.waitingNews(flow), '1').catch(onFailure),
      async settled() {
        runs.settle()
        await Promise.all([...lines.values()].map((each) => each.settled()))
      },
      async close() {
        news.close()
        runs.settle()
        const settled = Promise.all([...lines.values()].map((each) => each.settled()))
        // What is still asked then fails with the connection.
        await within(CLOSE_WITHIN_MS, settled).catch(() => {})
        runs.clear()
        redis.disconnect()
      },
    }
  } catch (error) {
    redis.disconnect()
    throw storeFailure(error)
  }
}

/** ioredis goes on with the first database where the server lacks the one that it is told, and there may be somebody else's runs. */
async function checkDatabase(redis: Redis | Cluster, timeoutMs: number): Promise<void> {
  const { db } = redis.options as { readonly db?: number }
  if (db === undefined || db === 0) return
  try {
    await within(timeoutMs, redis.select(db))
  } catch (error) {
    if (!/out of range/i.test(messageOf(error))) throw error
    const hint = 'Give another number, or more `databases` to the server.'
    throw new BatonError('INVALID_OPTION', {
      field: 'connection',
      message: `the server has no database ${db}`,
      hint,
      cause: error,
    })
  }
}

/** How many shards the store was made with: whoever comes first decides. */
async function shardsOfStore(
  redis: Redis | Cluster,
  prefix: string,
  wanted: number | undefined,
  byDefault: number,
): Promise<number> {
  const key = Keys.store(prefix)
  await redis.hsetnx(key, 'shards', String(wanted ?? byDefault))
  const made = Number(await redis.hget(key, 'shards'))
  if (wanted === undefined || wanted === made) return made
  throw new BatonError('INVALID_OPTION', {
    field: 'shards',
    message: `this store was made with ${made}, not ${wanted}`,
    hint: 'Leave it out, or use another prefix for a new store.',
  })
}

function indexesOf(redis: Redis | Cluster, asked: Asked): Indexes & ListingIndexes {
  return {
    marked: (key, untilMs, offset, count) =>
      asked(redis.zrange(key, '-inf', bound(untilMs), 'BYSCORE', 'LIMIT', offset, count)),
    members: (key) => asked(redis.smembers(key)),
    notes: (key, runIds) => asked(redis.hmget(key, ...runIds)),
    async latest(key, fromMs, untilMs, count) {
      const found = await asked(
        redis.zrange(key, bound(untilMs), bound(fromMs), 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES'),
      )
      const pairs: [string, number][] = []
      for (let index = 0; index < found.length; index += 2) pairs.push([found[index] ?? '', Number(found[index + 1])])
      return pairs
    },
  }
}

function bound(atMs: number): string {
  if (atMs === Number.POSITIVE_INFINITY) return '+inf'
  return atMs === Number.NEGATIVE_INFINITY ? '-inf' : String(atMs)
}

type Asked = <Result>(answer: Promise<Result>) => Promise<Result>

function askedWithin(timeoutMs: number): Asked {
  return async (answer) => {
    try {
      return await within(timeoutMs, answer)
    } catch (error) {
      throw storeFailure(error)
    }
  }
}
