import { BatonError } from '@baton/core'
import { checkCoordinationKey, type ExpiryOptions, type ICoordinationStore, within } from '@baton/core/adapter'
import type { Cluster, Redis } from 'ioredis'
import { openImpatient, type RedisSource } from './connection.ts'
import { storeFailure } from './errors.ts'
import { checkCoordinationStoreOptions, type RedisCoordinationStoreOptions } from './options.ts'
import { compareAndDelete, compareAndSet, increment } from './scripts/coordination.ts'
import type { Script } from './scripts/script.ts'

/**
 * Locks, counters and marks in Redis: one key each, with Redis' own expiry.
 *
 * It opens a connection like the one it is given, when it is first used. Nothing is sent twice: when the connection is
 * lost before the answer came, the call throws `STORE_UNAVAILABLE`, and nobody knows whether it took effect.
 */
export class RedisCoordinationStore implements ICoordinationStore {
  readonly #redis: Redis | Cluster
  readonly #prefix: string
  readonly #timeoutMs: number
  #isClosed = false

  constructor(redis: RedisSource, options: RedisCoordinationStoreOptions = {}) {
    const { prefix, logger, timeoutMs } = checkCoordinationStoreOptions(redis, options)
    this.#redis = openImpatient(redis, logger, timeoutMs)
    // An empty hash tag: otherwise braces in a user's key would choose the slot that it goes to.
    this.#prefix = `${prefix}:coordination:{}`
    this.#timeoutMs = timeoutMs
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#ask(key, (name) => this.#redis.get(name))) ?? undefined
  }

  async setIfNotExist(key: string, value: string, { ttlMs }: ExpiryOptions = {}): Promise<boolean> {
    const px = ttlMs === undefined ? undefined : checkTtl(ttlMs)
    const answer = await this.#ask(key, (name) =>
      px === undefined ? this.#redis.set(name, value, 'NX') : this.#redis.set(name, value, 'PX', px, 'NX'),
    )
    return answer === 'OK'
  }

  async compareAndSet(key: string, expected: string, value: string, options: ExpiryOptions = {}): Promise<boolean> {
    return (await this.#run(compareAndSet, key, [expected, value, ttlText(options)])) === 1
  }

  async compareAndDelete(key: string, expected: string): Promise<boolean> {
    return (await this.#run(compareAndDelete, key, [expected])) === 1
  }

  async increment(key: string, by = 1, options: ExpiryOptions = {}): Promise<number> {
    const ttl = ttlText(options)
    const sum = Number.isSafeInteger(by) ? await this.#run(increment, key, [String(by), ttl]) : null
    if (typeof sum === 'string') return Number(sum)
    throw new BatonError('DELTA_CONFLICT', {
      field: key,
      message: 'not a whole number, or too large to add to exactly',
    })
  }

  async extendTTL(key: string, ttlMs: number): Promise<boolean> {
    const px = checkTtl(ttlMs)
    return (await this.#ask(key, (name) => this.#redis.pexpire(name, px))) === 1
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#ask(key, (name) => this.#redis.del(name))) === 1
  }

  /** Closes its connection. The client that it was made with stays as it is. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#redis.disconnect()
  }

  #run(script: Script, key: string, args: readonly string[]): Promise<unknown> {
    return this.#ask(key, (name) => script.run(this.#redis, [name], args))
  }

  async #ask<Answer>(key: string, call: (name: string) => Promise<Answer>): Promise<Answer> {
    checkCoordinationKey(key)
    if (this.#isClosed) throw new BatonError('CLOSED')
    try {
      return await within(this.#timeoutMs, call(this.#prefix + key))
    } catch (error) {
      throw storeFailure(error)
    }
  }
}

function ttlText({ ttlMs }: ExpiryOptions): string {
  return ttlMs === undefined ? '' : String(checkTtl(ttlMs))
}

/** Whole milliseconds, and never fewer than asked for. */
function checkTtl(ttlMs: unknown): number {
  if (typeof ttlMs === 'number' && ttlMs > 0 && ttlMs <= MOST_MS) return Math.ceil(ttlMs)
  throw new BatonError('INVALID_OPTION', { field: 'ttlMs', message: `must be a positive number up to ${MOST_MS}` })
}

/** Redis adds it to the time of day and refuses what does not fit. A hundred years do. */
const MOST_MS = 36_525 * 86_400_000
