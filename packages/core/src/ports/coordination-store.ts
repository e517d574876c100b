import { BatonError } from '../model/errors.ts'
import type { Awaitable } from './awaitable.ts'

/**
 * An atomic key-value store with expiry, for locks, counters and once-only marks: users' own, the role of the
 * sweeper, and the blueprint id of a run as a second source. No promise about a run rests on it.
 *
 * Each method is one atomic step of the backend, seen in the same order by everybody. Keys are any text of 1 to 512
 * characters without control characters; values are text. A key past its time is absent, at most `tickMs` later.
 */
export interface ICoordinationStore {
  get(key: string): Awaitable<string | undefined>

  /** Sets the key if it is absent. @returns whether it did: of many callers exactly one sees true */
  setIfNotExist(key: string, value: string, options?: ExpiryOptions): Awaitable<boolean>

  /** Replaces the value if it is `expected`; the time to live becomes the new one, or none. */
  compareAndSet(key: string, expected: string, value: string, options?: ExpiryOptions): Awaitable<boolean>

  /** Removes the key if its value is `expected`: how the holder of a lock, and nobody else, lets go. */
  compareAndDelete(key: string, expected: string): Awaitable<boolean>

  /**
   * Adds to a whole number, absent counting as 0. `ttlMs` sets the time to live when the key is made, not later.
   * Throws `DELTA_CONFLICT` where the value is no whole number in its usual writing, or the sum would not be exact
   * (beyond 2^53). @returns the sum
   */
  increment(key: string, by?: number, options?: ExpiryOptions): Awaitable<number>

  /** Gives a key that exists a new time to live from now. @returns false when it is absent */
  extendTTL(key: string, ttlMs: number): Awaitable<boolean>

  /** @returns whether there was something to remove */
  delete(key: string): Awaitable<boolean>

  close(): Awaitable<void>
}

export interface ExpiryOptions {
  readonly ttlMs?: number
}

/** The one rule for keys, so that every store gives the same answer to the same key. */
export function checkCoordinationKey(key: string): void {
  if (typeof key === 'string' && key.length >= 1 && key.length <= 512 && !/[\p{Cc}\p{Cs}]/u.test(key)) return
  const message = 'a key has 1 to 512 characters, none of them a control character or half of a pair'
  throw new BatonError('INVALID_ID', { field: 'key', message })
}

/** The one rule for counters: a whole number in its usual writing, and a sum that is exact. */
export function checkedSum(key: string, value: string, by: number): number {
  const sum = Number(value) + by
  const isCounter = String(Number(value)) === value && Number.isSafeInteger(Number(value))
  if (isCounter && Number.isSafeInteger(sum)) return sum
  throw new BatonError('DELTA_CONFLICT', { field: key, message: 'not a whole number, or too large to add to exactly' })
}
