import {
  BaseDistributedAdapter,
  checkEngineOptions,
  type DistributedAdapterOptions,
  type EngineOptions,
  partOptions,
  remindersFor,
} from '@baton/core/adapter'
import { FileCoordinationStore } from './coordination-store.ts'
import { FileJobQueue } from './job-queue.ts'
import type { FileRunStoreOptions, FolderOptions } from './options.ts'
import { FileRunStore } from './run-store.ts'

export interface FileAdapterOptions extends EngineOptions, Omit<FileRunStoreOptions, 'redispatchMs'> {
  /** As for `FileRunStore`. Default: `leaseMs` when that is given, so that what a dead worker held is not late. */
  readonly redispatchMs?: number
  /** Another queue than the folder's own: any queue works with any store. */
  readonly queue?: DistributedAdapterOptions['queue']
}

/** The whole engine on one folder: several processes on one machine, no server. */
export class FileAdapter extends BaseDistributedAdapter {
  constructor(options: FileAdapterOptions) {
    checkEngineOptions(options, ['directory', 'queue', ...storeOptions])
    const { directory, queue, clock, logger } = options
    const ports = { directory, ...(clock === undefined ? {} : { clock }), ...(logger === undefined ? {} : { logger }) }
    const { directory: _directory, queue: _queue, ...others } = options
    const { ours, others: ofEngine } = partOptions<StoreOptions, EngineOptions>(others, storeOptions)
    super({
      ...ofEngine,
      store: new FileRunStore({ ...ours, ...ports, ...remindersFor(options) }),
      queue: queue ?? new FileJobQueue(ports),
      coordinationStore: new FileCoordinationStore(ports),
    })
  }
}

type StoreOptions = Omit<FileRunStoreOptions, keyof FolderOptions>

const storeOptions = Object.keys({
  durability: true,
  redispatchMs: true,
  redispatchMaxMs: true,
  inlineMaxBytes: true,
  recordMaxBytes: true,
  valueMaxBytes: true,
  redoMaxBytes: true,
  cachedRuns: true,
  cachedBytes: true,
  openFiles: true,
  repairMs: true,
  tombstoneMs: true,
  pollMs: true,
} satisfies Record<keyof StoreOptions, true>) as (keyof StoreOptions)[]
