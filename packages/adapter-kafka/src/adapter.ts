import {
  BaseDistributedAdapter,
  checkEngineOptions,
  type DistributedAdapterOptions,
  type EngineOptions,
  partOptions,
} from '@baton/core/adapter'
import { KafkaJobQueue } from './job-queue.ts'
import { type KafkaJobQueueOptions, queueOptions } from './job-queue-options.ts'

type QueueOptions = Omit<KafkaJobQueueOptions, 'client' | 'logger'>

export interface KafkaAdapterOptions extends EngineOptions, QueueOptions {
  /** The configuration of kafkajs, or a client, as `KafkaJobQueue` takes it. */
  readonly kafka: KafkaJobQueueOptions['client']
  /** Where runs are kept: Kafka carries jobs, and knows nothing of runs. */
  readonly store: DistributedAdapterOptions['store']
  /** Mostly of the same technology as the store. */
  readonly coordinationStore: DistributedAdapterOptions['coordinationStore']
}

/** The whole engine with jobs in Kafka, beside any run store. A job is answered when it is claimed. */
export class KafkaAdapter extends BaseDistributedAdapter {
  constructor(options: KafkaAdapterOptions) {
    checkEngineOptions(options, ['coordinationStore', 'store', 'kafka', ...queueOptions])
    const { kafka, logger, store, coordinationStore, ...others } = options
    const { ours, others: ofEngine } = partOptions<QueueOptions, EngineOptions>(others, [...queueOptions])
    const log = logger === undefined ? {} : { logger }
    super({
      ...ofEngine,
      ...log,
      store,
      coordinationStore,
      queue: new KafkaJobQueue({ ...ours, ...log, client: kafka }),
    })
  }
}
