/** Every option of the journal sink: what it means, its default and its check, once. */
import { checkInjected, checkNumber, checkOptions, type ILogger, silentLogger } from '@baton/core/adapter'
import type { KafkaConfig } from 'kafkajs'
import type { IKafkaClient } from './client-port.ts'
import { checkTopics } from './job-queue-options.ts'
import { checkClient } from './kafka-client.ts'

export interface KafkaJournalSinkOptions {
  /** The configuration of kafkajs, as `KafkaJobQueue` takes it; or a client, which stays open when the sink is closed. */
  readonly client: KafkaConfig | IKafkaClient
  /** The name of the topic. It has to be there: `ensureTopics` makes it as `journalTopic`. Default `baton-journal`. */
  readonly topic?: string
  /**
   * An event whose JSON is longer is published without its content. The topic's `max.message.bytes` has to be a little more. Default
   * 1,000,000, which is what brokers take by default.
   */
  readonly mostBytes?: number
  /** How long an answer may take, over all tries of the client, before Kafka counts as down. Not for a client that was given. Default 10 s. */
  readonly timeoutMs?: number
  readonly logger?: ILogger
}

export type CheckedJournalSinkOptions = Required<KafkaJournalSinkOptions>

const names = Object.keys({
  client: true,
  topic: true,
  mostBytes: true,
  timeoutMs: true,
  logger: true,
} satisfies Record<keyof KafkaJournalSinkOptions, true>)

export function checkJournalSinkOptions(options: KafkaJournalSinkOptions): CheckedJournalSinkOptions {
  checkOptions(options, names)
  checkInjected(options)
  const { client, topic = 'baton-journal', mostBytes = 1_000_000, timeoutMs = 10_000, logger = silentLogger } = options
  checkClient(client)
  checkTopics({ topic })
  // Less would not even hold what says which event it was.
  checkNumber(mostBytes, 'mostBytes', { least: 1_000, most: 90_000_000 })
  checkNumber(timeoutMs, 'timeoutMs', { least: 1, most: 600_000 })
  return { client, topic, mostBytes, timeoutMs, logger }
}
