import { BatonError } from '@baton/core'
import {
  BaseDistributedAdapter,
  checkEngineOptions,
  type DistributedAdapterOptions,
  type EngineOptions,
  partOptions,
} from '@baton/core/adapter'
import { KafkaJobQueue } from './job-queue.ts'
import { checkTopics, type KafkaJobQueueOptions, queueOptions } from './job-queue-options.ts'
import { KafkaJournalSink } from './journal-sink.ts'
import { checkClient } from './kafka-client.ts'

type QueueOptions = Omit<KafkaJobQueueOptions, 'client' | 'logger'>

export interface KafkaAdapterOptions extends EngineOptions, QueueOptions {
  /** The configuration of kafkajs, or a client, as `KafkaJobQueue` takes it. */
  readonly kafka: KafkaJobQueueOptions['client']
  /**
   * The topic where the journals of runs are published that were started so (`publishJournals` of a client); in place of a `journalSink` for
   * another place. It has to be there, as all topics.
   */
  readonly journalTopic?: string
  /** Where runs are kept: Kafka carries jobs, and knows nothing of runs. */
  readonly store: DistributedAdapterOptions['store']
  /** Mostly of the same technology as the store. */
  readonly coordinationStore: DistributedAdapterOptions['coordinationStore']
}

/** The whole engine with jobs in Kafka, beside any run store. A job is answered when it is claimed. */
export class KafkaAdapter extends BaseDistributedAdapter {
  constructor(options: KafkaAdapterOptions) {
    checkEngineOptions(options, ['coordinationStore', 'store', 'kafka', 'journalTopic', ...queueOptions])
    const { kafka, logger, store, coordinationStore, journalTopic, ...others } = options
    checkClient(kafka, 'kafka')
    checkJournalTopic(options)
    const { ours, others: ofEngine } = partOptions<QueueOptions, EngineOptions>(others, [...queueOptions])
    const log = logger === undefined ? {} : { logger }
    super({
      ...ofEngine,
      ...log,
      store,
      coordinationStore,
      queue: new KafkaJobQueue({ ...ours, ...log, client: kafka }),
      ...(journalTopic === undefined
        ? {}
        : { journalSink: new KafkaJournalSink({ ...log, client: kafka, topic: journalTopic }) }),
    })
  }
}

function checkJournalTopic(options: KafkaAdapterOptions): void {
  const { journalTopic, journalSink, topic = 'baton', highTopic, lowTopic, deadLetterTopic } = options
  if (journalTopic === undefined) return
  checkTopics({ topic, highTopic, lowTopic, deadLetterTopic, journalTopic })
  if (journalSink === undefined) return
  const hint = 'Give the one or the other: the topic is for a sink that the adapter makes.'
  throw new BatonError('INVALID_OPTION', { field: 'journalTopic', message: 'given beside a journalSink', hint })
}
