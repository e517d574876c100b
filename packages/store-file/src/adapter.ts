import { defaults } from '@baton/core'
import { BaseDistributedAdapter, type DistributedAdapterOptions } from '@baton/core/adapter'
import { FileCoordinationStore } from './coordination-store.ts'
import { FileJobQueue } from './job-queue.ts'
import type { FileRunStoreOptions } from './options.ts'
import { FileRunStore } from './run-store.ts'

export interface FileAdapterOptions
  extends Omit<DistributedAdapterOptions, 'store' | 'queue' | 'coordinationStore'>,
    Omit<FileRunStoreOptions, 'redispatchMs'> {
  /** As for `FileRunStore`. Default: `leaseMs` when that is given, so that what a dead worker held is not late. */
  readonly redispatchMs?: number
  /** Another queue than the folder's own: any queue works with any store. */
  readonly queue?: DistributedAdapterOptions['queue']
}

/** The whole engine on one folder: several processes on one machine, no server. */
export class FileAdapter extends BaseDistributedAdapter {
  constructor({ directory, queue, ...options }: FileAdapterOptions) {
    const { clock, logger } = options
    const ports = { directory, ...(clock === undefined ? {} : { clock }), ...(logger === undefined ? {} : { logger }) }
    super({
      ...options,
      store: new FileRunStore({ ...options, directory, ...reminders(options) }),
      queue: queue ?? new FileJobQueue(ports),
      coordinationStore: new FileCoordinationStore(ports),
    })
  }
}

type Times = Pick<FileAdapterOptions, 'leaseMs' | 'redispatchMs' | 'redispatchMaxMs'>

/** A lease that is no usable time is for the worker to refuse, by its own name. */
function reminders({ leaseMs, redispatchMs, redispatchMaxMs }: Times): Times {
  if (redispatchMs !== undefined || !Number.isSafeInteger(leaseMs) || (leaseMs as number) < 1) return {}
  const byLeaseMs = leaseMs as number
  // Whoever names the longest pause alone means it.
  if (redispatchMaxMs !== undefined) return { redispatchMs: Math.min(byLeaseMs, redispatchMaxMs) }
  return { redispatchMs: byLeaseMs, redispatchMaxMs: Math.max(byLeaseMs, defaults.redispatchMaxMs) }
}
