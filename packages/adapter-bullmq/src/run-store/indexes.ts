/** What stands beside the logs in Redis, by the keys of `keys.ts`. Every answer within its time. */
import { within } from '@baton/core/adapter'
import type { Cluster, Redis } from 'ioredis'
import { storeFailure } from '../errors.ts'

export class Indexes {
  readonly #redis: Redis | Cluster
  readonly #timeoutMs: number

  constructor(redis: Redis | Cluster, timeoutMs: number) {
    this.#redis = redis
    this.#timeoutMs = timeoutMs
  }

  /** Those whose mark is not behind the instant, the earliest first. */
  marked(key: string, untilMs: number, offset: number, count: number): Promise<readonly string[]> {
    return this.#asked(this.#redis.zrange(key, '-inf', bound(untilMs), 'BYSCORE', 'LIMIT', offset, count))
  }

  members(key: string): Promise<readonly string[]> {
    return this.#asked(this.#redis.smembers(key))
  }

  fields(key: string, names: readonly string[]): Promise<readonly (string | null)[]> {
    return this.#asked(this.#redis.hmget(key, ...names))
  }

  /** Run ids with their instants, those of the latest first, between two instants. */
  async latest(
    key: string,
    fromMs: number,
    untilMs: number,
    count: number,
  ): Promise<readonly (readonly [string, number])[]> {
    const found = await this.#asked(
      this.#redis.zrange(key, bound(untilMs), bound(fromMs), 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES'),
    )
    const pairs: [string, number][] = []
    for (let index = 0; index < found.length; index += 2) pairs.push([found[index] ?? '', Number(found[index + 1])])
    return pairs
  }

  async #asked<Result>(answer: Promise<Result>): Promise<Result> {
    try {
      return await within(this.#timeoutMs, answer)
    } catch (error) {
      throw storeFailure(error)
    }
  }
}

function bound(atMs: number): string {
  if (atMs === Number.POSITIVE_INFINITY) return '+inf'
  return atMs === Number.NEGATIVE_INFINITY ? '-inf' : String(atMs)
}
