import { BaseDistributedAdapter, type DistributedAdapterOptions } from '@baton/core/adapter'
import { FileCoordinationStore } from './coordination-store.ts'
import { FileJobQueue } from './job-queue.ts'
import type { FileRunStoreOptions } from './options.ts'
import { FileRunStore } from './run-store.ts'

export interface FileAdapterOptions
  extends Omit<DistributedAdapterOptions, 'store' | 'queue' | 'coordinationStore'>,
    Pick<FileRunStoreOptions, 'directory' | 'durability'> {
  /** Another queue than the folder's own: any queue works with any store. */
  readonly queue?: DistributedAdapterOptions['queue']
}

/** The whole engine on one folder: several processes on one machine, no server. */
export class FileAdapter extends BaseDistributedAdapter {
  constructor({ directory, durability, queue, ...options }: FileAdapterOptions) {
    const { clock, logger } = options
    const ports = { directory, ...(clock === undefined ? {} : { clock }), ...(logger === undefined ? {} : { logger }) }
    super({
      ...options,
      store: new FileRunStore({ ...ports, ...(durability === undefined ? {} : { durability }) }),
      queue: queue ?? new FileJobQueue(ports),
      coordinationStore: new FileCoordinationStore(ports),
    })
  }
}
