/** The logs of a store in Redis, and the indexes in which their runs stand. */
import { createHash } from 'node:crypto'
import { BatonError } from '@baton/core'
import {
  type DueFlow,
  type Durability,
  flowName,
  flowOfName,
  type Known,
  type Listed,
  type ListedQuery,
  type LogBackend,
  type MarkedQuery,
  type MarkedRuns,
  namesFor,
  type RunId,
  type RunLog,
  type Waiting,
  type Wake,
  within,
} from '@baton/core/adapter'
import type { Cluster, Redis } from 'ioredis'
import { isCluster as isClusterClient, openImpatient, openListener } from '../connection.ts'
import { failureFields, redisMessageOf, storeFailure } from '../errors.ts'
import { Keys } from '../keys.ts'
import type { CheckedRunStoreOptions } from '../run-store-options.ts'
import { checkChannels, checkServer } from '../server-check.ts'
import { Indexes } from './indexes.ts'
import { MarkedInRedis, unlessCorrupt } from './marked-in-redis.ts'
import { News } from './news.ts'
import { RedisRunLog, type ShardAccess } from './redis-run-log.ts'
import { ScriptLine } from './script-line.ts'
import { StoreClock } from './store-clock.ts'

interface RedisLogsOptions {
  readonly redis: Redis | Cluster
  readonly keys: Keys
  readonly durability: Durability
  readonly options: CheckedRunStoreOptions
}

/** How long `close` waits for answers to what was asked before: a server that is frozen gives none. */
const CLOSE_WITHIN_MS = 1_000

/** Connects, and looks whether the server keeps what it confirms. */
export async function openRedisLogs(options: CheckedRunStoreOptions): Promise<RedisLogs> {
  const { logger, prefix, allowEphemeral, timeoutMs } = options
  const redis = openImpatient(options.connection, logger)
  try {
    const durability = await within(timeoutMs, checkServer(redis, { allowEphemeral, logger }))
    await checkDatabase(redis, timeoutMs)
    await checkChannels(redis, options)
    const shards = await shardsOfStore(redis, prefix, options.shards, isClusterClient(redis) ? 256 : 1)
    return new RedisLogs({ redis, keys: new Keys(prefix, shards), durability, options })
  } catch (error) {
    redis.disconnect()
    throw storeFailure(error)
  }
}

class RedisLogs implements LogBackend {
  readonly durability: Durability
  readonly clock = new StoreClock()
  readonly #redis: Redis | Cluster
  readonly #keys: Keys
  readonly #indexes: Indexes
  readonly #options: CheckedRunStoreOptions
  readonly #isCluster: boolean
  readonly #shards: readonly ShardAccess[]
  readonly #news: News
  readonly #onFailure: (error: unknown) => void

  constructor({ redis, keys, durability, options }: RedisLogsOptions) {
    const { logger, pollMs, timeoutMs } = options
    this.durability = durability
    this.#redis = redis
    this.#keys = keys
    this.#options = options
    this.#isCluster = isClusterClient(redis)
    this.#indexes = new Indexes(redis, timeoutMs)
    this.#onFailure = (error) => logger.log('warn', 'Redis', failureFields(error))
    this.#shards = Array.from({ length: keys.shards }, (_, shard) => this.#access(shard))
    this.#news = new News({
      connect: () => openListener(options.connection, logger),
      sharded: this.#isCluster,
      pollMs,
      onFailure: this.#onFailure,
    })
  }

  sha256(text: string): string {
    return createHash('sha256').update(text).digest('hex')
  }

  log(runId: RunId): RunLog {
    const keys = { log: this.#keys.log(runId), blobs: this.#keys.blobs(runId) }
    return new RedisRunLog(runId, keys, this.#shardOf(runId))
  }

  async note(runId: RunId): Promise<string | undefined> {
    const { notes } = this.#keys.ofShard(this.#keys.shardOf(runId))
    const [text] = await this.#indexes.fields(notes, [runId])
    return text ?? undefined
  }

  async listed({ letters: withLetters, fromMs, untilMs, count }: ListedQuery): Promise<Listed> {
    let allAfterMs = Number.NEGATIVE_INFINITY
    const ofShard = async (_: ShardAccess, shard: number) => {
      const { created, letters, notes } = this.#keys.ofShard(shard)
      const found = await this.#indexes.latest(withLetters ? letters : created, fromMs, untilMs, count)
      // What this shard has beyond is not known.
      if (found.length === count) allAfterMs = Math.max(allAfterMs, found.at(-1)?.[1] ?? 0)
      if (found.length === 0) return []
      const texts = await this.#indexes.fields(
        notes,
        found.map(([runId]) => runId),
      )
      return texts.flatMap((text) => text ?? [])
    }
    const notes = (await Promise.all(this.#shards.map(ofShard))).flat()
    return { notes, allAfterMs }
  }

  async due({ unsentOnly, flows }: MarkedQuery): Promise<readonly MarkedRuns[]> {
    const ofShard = async (_: ShardAccess, shard: number) => {
      const { remind, flows: all } = this.#keys.ofShard(shard)
      if (unsentOnly) return [this.#marked(shard, remind)]
      const names = flows === undefined ? await this.#indexes.members(all) : namesFor(flows)
      return names.map((name) => this.#marked(shard, this.#keys.due(shard, name)))
    }
    return (await Promise.all(this.#shards.map(ofShard))).flat()
  }

  ended(): readonly MarkedRuns[] {
    return this.#shards.map((_, shard) => this.#marked(shard, this.#keys.ofShard(shard).ended))
  }

  async enlist(runId: RunId, flow: DueFlow): Promise<void> {
    const key = this.#keys.waiting(this.#keys.shardOf(runId), flowName(flow))
    await this.#shardOf(runId).line.send({ name: 'enlist', keys: [key], words: '', texts: [runId] })
  }

  async delist(runId: RunId, flow: DueFlow, { position, stamp }: Known): Promise<void> {
    const key = this.#keys.waiting(this.#keys.shardOf(runId), flowName(flow))
    const keys = [this.#keys.log(runId), key]
    const step = { name: 'delist', keys, words: `${position} ${stamp || '-'}`, texts: [] } as const
    await unlessCorrupt(this.#shardOf(runId).line.send(step))
  }

  async waiting(flows?: readonly DueFlow[]): Promise<readonly Waiting[]> {
    const ofShard = async (_: ShardAccess, shard: number) => {
      const names = flows === undefined ? await this.#indexes.members(this.#keys.ofShard(shard).flows) : namesFor(flows)
      const onList = async (name: string): Promise<Waiting> => {
        const runIds = await this.#indexes.members(this.#keys.waiting(shard, name))
        return { list: flowOfName(name), runIds: runIds as readonly RunId[] }
      }
      return Promise.all(names.map(onList))
    }
    return (await Promise.all(this.#shards.map(ofShard))).flat()
  }

  tellWaiting(flow: DueFlow): void {
    const channel = this.#keys.waitingNews(flowName(flow))
    void this.#redis[this.#isCluster ? 'spublish' : 'publish'](channel, '1').catch(this.#onFailure)
  }

  watchLog(runId: RunId, wake: Wake): () => void {
    return this.#news.watch(this.#keys.log(runId), wake)
  }

  watchEnd(runId: RunId, wake: Wake): () => void {
    return this.#news.watch(this.#keys.endNews(runId), wake)
  }

  watchWaiting(flows: readonly DueFlow[], wake: () => void): () => void {
    const stops = namesFor(flows).map((name) => this.#news.watch(this.#keys.waitingNews(name), wake))
    return () => {
      for (const stop of stops) stop()
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#shards.map(({ line }) => line.settled()))
  }

  async close(): Promise<void> {
    this.#news.close()
    // What is still asked then fails with the connection.
    await within(CLOSE_WITHIN_MS, this.settled()).catch(() => {})
    this.#redis.disconnect()
  }

  #marked(shard: number, key: string): MarkedRuns {
    const { line } = this.#shards[shard] as ShardAccess
    return new MarkedInRedis({ key, keys: this.#keys, indexes: this.#indexes, line })
  }

  #shardOf(runId: RunId): ShardAccess {
    return this.#shards[this.#keys.shardOf(runId)] as ShardAccess
  }

  #access(shard: number): ShardAccess {
    const { redispatchMs, timeoutMs } = this.#options
    const line = new ScriptLine({
      redis: this.#redis,
      keys: this.#keys.ofShard(shard),
      lookMs: redispatchMs,
      publish: this.#isCluster ? 'SPUBLISH' : 'PUBLISH',
      clock: this.clock,
      timeoutMs,
    })
    const dueKey = (flow: DueFlow) => this.#keys.due(shard, flowName(flow))
    return { line, dueKey, readBlobs: (key, digests) => this.#indexes.fields(key, digests) }
  }
}

/** ioredis goes on with the first database where the server lacks the one that it is told, and there may be somebody else's runs. */
async function checkDatabase(redis: Redis | Cluster, timeoutMs: number): Promise<void> {
  const { db } = redis.options as { readonly db?: number }
  if (db === undefined || db === 0) return
  try {
    await within(timeoutMs, redis.select(db))
  } catch (error) {
    if (!/out of range/i.test(redisMessageOf(error))) throw error
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
