import { checkOptions } from '../model/check-options.ts'
import { checkInjected } from '../ports/check-injected.ts'
import { type IClock, systemClock } from '../ports/clock.ts'
import {
  checkCoordinationKey,
  checkedSum,
  type ExpiryOptions,
  type ICoordinationStore,
} from '../ports/coordination-store.ts'

export interface InMemoryCoordinationStoreOptions {
  readonly clock?: IClock
}

interface Entry {
  readonly value: string
  readonly untilMs: number
}

/** Locks, counters and marks in memory: the reference. */
export class InMemoryCoordinationStore implements ICoordinationStore {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: IClock

  constructor(options: InMemoryCoordinationStoreOptions = {}) {
    checkOptions(options, ['clock'] satisfies (keyof InMemoryCoordinationStoreOptions)[])
    checkInjected(options)
    this.#clock = options.clock ?? systemClock
  }

  get(key: string): string | undefined {
    return this.#live(key)?.value
  }

  setIfNotExist(key: string, value: string, options?: ExpiryOptions): boolean {
    if (this.#live(key) !== undefined) return false
    this.#put(key, value, options)
    return true
  }

  compareAndSet(key: string, expected: string, value: string, options?: ExpiryOptions): boolean {
    if (this.#live(key)?.value !== expected) return false
    this.#put(key, value, options)
    return true
  }

  compareAndDelete(key: string, expected: string): boolean {
    return this.#live(key)?.value === expected && this.#entries.delete(key)
  }

  increment(key: string, by = 1, options?: ExpiryOptions): number {
    const entry = this.#live(key)
    if (entry === undefined) {
      this.#put(key, String(by), options)
      return by
    }
    const sum = checkedSum(key, entry.value, by)
    this.#entries.set(key, { ...entry, value: String(sum) })
    return sum
  }

  extendTTL(key: string, ttlMs: number): boolean {
    const entry = this.#live(key)
    if (entry === undefined) return false
    this.#put(key, entry.value, { ttlMs })
    return true
  }

  delete(key: string): boolean {
    return this.#live(key) !== undefined && this.#entries.delete(key)
  }

  close(): void {}

  #live(key: string): Entry | undefined {
    checkCoordinationKey(key)
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.untilMs > this.#clock.now()) return entry
    this.#entries.delete(key)
    return undefined
  }

  #put(key: string, value: string, { ttlMs }: ExpiryOptions = {}): void {
    this.#entries.set(key, {
      value,
      untilMs: ttlMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() + ttlMs,
    })
  }
}
