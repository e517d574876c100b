import {
  BaseDistributedAdapter,
  type DistributedAdapterOptions,
  type EngineOptions,
} from '../engine/distributed-adapter.ts'
import { assertOptions } from '../model/check-options.ts'
import { InMemoryCoordinationStore } from './coordination-store.ts'
import { InMemoryJobQueue } from './job-queue.ts'
import { InMemoryRunStore } from './run-store.ts'

export interface InMemoryAdapterOptions
  extends EngineOptions,
    Partial<Pick<DistributedAdapterOptions, 'store' | 'queue' | 'coordinationStore'>> {}

/** The reference adapter: the whole engine, with every port in memory. Several of them can share their ports. */
export class InMemoryAdapter extends BaseDistributedAdapter {
  constructor(options: InMemoryAdapterOptions) {
    assertOptions(options)
    const clock = options.clock === undefined ? {} : { clock: options.clock }
    super({
      ...options,
      store: options.store ?? new InMemoryRunStore(clock),
      queue: options.queue ?? new InMemoryJobQueue(clock),
      coordinationStore: options.coordinationStore ?? new InMemoryCoordinationStore(clock),
    })
  }
}
