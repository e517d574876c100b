import type { ICoordinationStore } from '@baton/core'
import {
  BaseDistributedAdapter,
  checkEngineOptions,
  type DistributedAdapterOptions,
  type EngineOptions,
  partOptions,
  remindersFor,
} from '@baton/core/adapter'
import type { RedisSource } from './connection.ts'
import { RedisCoordinationStore } from './coordination-store.ts'
import { BullMQJobQueue } from './job-queue.ts'
import type { BullMQJobQueueOptions } from './options.ts'
import { RedisRunStore } from './run-store.ts'
import { type RedisRunStoreOptions, runStoreOptions } from './run-store-options.ts'

type StoreOptions = Omit<RedisRunStoreOptions, 'connection' | 'logger'>

export interface BullMQAdapterOptions extends EngineOptions, StoreOptions {
  /** A client or a cluster of ioredis, or a URL. The ports open connections like it; it stays untouched. */
  readonly connection: RedisSource
  /** Another one than that of the same Redis. */
  readonly coordinationStore?: ICoordinationStore
  /** Another queue than BullMQ's: any queue works with any store. */
  readonly queue?: DistributedAdapterOptions['queue']
  /** BullMQ's name of the queue; producers outside Baton use it too. Default: the prefix. */
  readonly queueName?: string
}

/** The whole engine on one Redis: runs in `RedisRunStore`, jobs in BullMQ. */
export class BullMQAdapter extends BaseDistributedAdapter {
  constructor(options: BullMQAdapterOptions) {
    checkEngineOptions(options, ['coordinationStore', 'queue', 'queueName', ...runStoreOptions])
    const { connection, coordinationStore, queue, queueName, logger, ...others } = options
    const { ours, others: ofEngine } = partOptions<StoreOptions, EngineOptions>(others, storeOptions)
    const log = logger === undefined ? {} : { logger }
    const prefix = ours.prefix === undefined ? {} : { prefix: ours.prefix }
    super({
      ...ofEngine,
      ...log,
      store: new RedisRunStore({ ...ours, ...log, connection, ...remindersFor(options) }),
      queue: queue ?? new BullMQJobQueue({ connection, ...log, ...nameOf(queueName ?? ours.prefix) }),
      coordinationStore: coordinationStore ?? new RedisCoordinationStore(connection, { ...prefix, ...log }),
    })
  }
}

const storeOptions = runStoreOptions.filter(
  (name) => name !== 'connection' && name !== 'logger',
) as (keyof StoreOptions)[]

function nameOf(name: string | undefined): Pick<BullMQJobQueueOptions, 'name'> {
  return name === undefined ? {} : { name: name.replaceAll(':', '-') }
}
