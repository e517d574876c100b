/** Locks, counters and marks for all processes that share the folder. How, without a lock: `coordination-shard.ts`. */
import { BatonError } from '@baton/core'
import { checkCoordinationKey, type ExpiryOptions, type IClock, type ICoordinationStore } from '@baton/core/adapter'
import type { CoordinationAnswer, CoordinationOperation } from './coordination-fold.ts'
import { CoordinationShard } from './coordination-shard.ts'
import { OpenFiles } from './open-files.ts'
import { checkCoordinationStoreOptions, type FileCoordinationStoreOptions, type FileDurability } from './options.ts'
import { COORDINATION_SHARDS } from './paths.ts'
import { openStoreFolder, type StoreFolder } from './store-folder.ts'

// All of them at once, and those of an epoch that is being replaced.
const OPEN_LOGS = 4 * COORDINATION_SHARDS

export class FileCoordinationStore implements ICoordinationStore {
  readonly durability: FileDurability
  readonly #clock: IClock
  readonly #sealBytes: number
  readonly #folder: StoreFolder
  readonly #files = new OpenFiles(OPEN_LOGS)
  readonly #shards: CoordinationShard[] = []
  #closed = false

  constructor(options: FileCoordinationStoreOptions) {
    const { directory, durability, clock, sealBytes } = checkCoordinationStoreOptions(options)
    this.#folder = openStoreFolder(directory, durability)
    this.durability = this.#folder.durability
    this.#clock = clock
    this.#sealBytes = sealBytes
  }

  async get(key: string): Promise<string | undefined> {
    return this.#shardOf(key).get(key, this.#clock.now())
  }

  async setIfNotExist(key: string, value: string, options: ExpiryOptions = {}): Promise<boolean> {
    return (
      (await this.#run(key, { op: 'set-if-absent', ...this.#now(), key, value: text(value), ...expiry(options) })) ===
      true
    )
  }

  async compareAndSet(key: string, expected: string, value: string, options: ExpiryOptions = {}): Promise<boolean> {
    const operation = {
      op: 'replace',
      ...this.#now(),
      key,
      expected: text(expected),
      value: text(value),
      ...expiry(options),
    } as const
    return (await this.#run(key, operation)) === true
  }

  async compareAndDelete(key: string, expected: string): Promise<boolean> {
    return (await this.#run(key, { op: 'delete', ...this.#now(), key, expected: text(expected) })) === true
  }

  async increment(key: string, by = 1, options: ExpiryOptions = {}): Promise<number> {
    if (!Number.isSafeInteger(by)) throw invalid('by', 'must be a whole number')
    const answer = await this.#run(key, { op: 'increment', ...this.#now(), key, by, ...expiry(options) })
    if (typeof answer === 'number') return answer
    throw new BatonError('DELTA_CONFLICT', {
      field: key,
      message: 'the value is no whole number, or would become too large',
    })
  }

  async extendTTL(key: string, ttlMs: number): Promise<boolean> {
    return (await this.#run(key, { op: 'extend', ...this.#now(), key, ttlMs: checkTtl(ttlMs) })) === true
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#run(key, { op: 'delete', ...this.#now(), key })) === true
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#files.close()
  }

  #run(key: string, operation: CoordinationOperation): Promise<CoordinationAnswer> {
    return this.#shardOf(key).run(operation)
  }

  #now(): { readonly atMs: number } {
    return { atMs: this.#clock.now() }
  }

  #shardOf(key: string): CoordinationShard {
    if (this.#closed) throw new BatonError('CLOSED')
    checkCoordinationKey(key)
    const { paths, folders, durability } = this.#folder
    const index = paths.coordinationShardOf(key)
    this.#shards[index] ??= new CoordinationShard({
      folder: paths.coordination,
      shard: index,
      files: this.#files,
      folders,
      fsynced: durability === 'power',
      sealBytes: this.#sealBytes,
    })
    return this.#shards[index]
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw invalid('value', 'must be text')
}

function expiry({ ttlMs }: ExpiryOptions): { readonly ttlMs?: number } {
  return ttlMs === undefined ? {} : { ttlMs: checkTtl(ttlMs) }
}

function checkTtl(ttlMs: unknown): number {
  if (typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0) return ttlMs
  throw invalid('ttlMs', 'must be a positive number')
}

function invalid(field: string, message: string): BatonError {
  return new BatonError('INVALID_OPTION', { field, message })
}
