export { KafkaAdapter, type KafkaAdapterOptions } from './adapter.ts'
export type {
  Headers,
  IKafkaClient,
  IKafkaMember,
  MemberEvents,
  MemberOptions,
  NewTopic,
  Offset,
  OutgoingMessage,
  Partition,
  Reach,
  ReceivedMessage,
} from './client-port.ts'
export { KafkaJobQueue } from './job-queue.ts'
export type { DeadLetter } from './job-queue/dead-letters.ts'
export type { KafkaJobQueueOptions } from './job-queue-options.ts'
export { KafkaJournalSink } from './journal-sink.ts'
export type { KafkaJournalSinkOptions } from './journal-sink-options.ts'
export { createKafkaJsClient, type KafkaJsOptions } from './kafkajs-client.ts'
export { ensureTopics, type TopicsOptions } from './topics.ts'
