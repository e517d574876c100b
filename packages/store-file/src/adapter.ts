import { defaults } from '@baton/core'
import {
  BaseDistributedAdapter,
  checkEngineOptions,
  type DistributedAdapterOptions,
  type EngineOptions,
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
    const { ofStore, ofEngine } = sorted(options)
    super({
      ...ofEngine,
      store: new FileRunStore({ ...ofStore, ...ports, ...reminders(options) }),
      queue: queue ?? new FileJobQueue(ports),
      coordinationStore: new FileCoordinationStore(ports),
    })
  }
}

/** What is for the store, and what is for the engine: neither takes what it does not know. */
function sorted({ directory: _directory, queue: _queue, ...options }: FileAdapterOptions) {
  const ofStore: Record<string, unknown> = {}
  const ofEngine: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) {
    const isOfStore = (storeOptions as readonly string[]).includes(name)
    if (isOfStore) ofStore[name] = value
    else ofEngine[name] = value
  }
  return { ofStore: ofStore as Partial<FileRunStoreOptions>, ofEngine: ofEngine as unknown as EngineOptions }
}

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
} satisfies Record<Exclude<keyof FileRunStoreOptions, keyof FolderOptions>, true>)

type Times = Pick<FileAdapterOptions, 'leaseMs' | 'redispatchMs' | 'redispatchMaxMs'>

/** A lease that is no usable time is for the worker to refuse, by its own name. */
function reminders({ leaseMs, redispatchMs, redispatchMaxMs }: Times): Times {
  if (redispatchMs !== undefined || !Number.isSafeInteger(leaseMs) || (leaseMs as number) < 1) return {}
  const byLeaseMs = leaseMs as number
  // Whoever names the longest pause alone means it.
  if (redispatchMaxMs !== undefined) return { redispatchMs: Math.min(byLeaseMs, redispatchMaxMs) }
  return { redispatchMs: byLeaseMs, redispatchMaxMs: Math.max(byLeaseMs, defaults.redispatchMaxMs) }
}
