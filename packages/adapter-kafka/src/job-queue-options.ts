/** Every option of the job queue: what it means, its default and its check, once. */
import { BatonError } from '@baton/core'
import { checkInjected, checkNumber, checkOptions, type ILogger, silentLogger } from '@baton/core/adapter'
import type { KafkaConfig } from 'kafkajs'
import type { IKafkaClient } from './client-port.ts'
import { checkClient } from './kafka-client.ts'

export interface KafkaJobQueueOptions {
  /**
   * The configuration of kafkajs, with brokers, TLS and SASL: `{ brokers: ['box:9092'], ssl: true, sasl: { … } }`. Or a client, of
   * whatever library, which stays open when the queue is closed.
   */
  readonly client: KafkaConfig | IKafkaClient
  /** The name of the topic. It has to be there: `ensureTopics` makes it. Default `baton`. */
  readonly topic?: string
  /**
   * Another topic, for jobs of a priority above 0, and one for those below: Kafka knows no priorities. Who consumes takes from the
   * next only when the one before has nothing. Without one, its jobs go to the topic itself.
   */
  readonly highTopic?: string
  readonly lowTopic?: string
  /**
   * Another topic: for what is no job, and for jobs taken out for good, each with its reason. Without one, such messages are logged as
   * errors with all that they say.
   */
  readonly deadLetterTopic?: string
  /** Whoever consumes with the same group shares the jobs. Default: the name of the topic. */
  readonly groupId?: string
  /** After so long without a heartbeat a worker counts as dead, and others get its partitions. Brokers take 6 s or more. Default 10 s. */
  readonly sessionTimeoutMs?: number
  /** How long a worker may take to join again when the group changes. Default 30 s. */
  readonly rebalanceTimeoutMs?: number
  /** How often a worker says that it lives, and hears that the group changes. Default 3 s. */
  readonly heartbeatMs?: number
  /** How long a broker waits with its answer while it has no jobs: from 10 ms to a third of the session. Default 1 s. */
  readonly waitMs?: number
  /** After something was done, Kafka is told within this time. What it has not heard of comes again when the group changes. Default 250 ms. */
  readonly commitMs?: number
  /** How many jobs of one level a worker may have waiting before it pauses, and reads on at half of that. Default 5,000. */
  readonly mostWaiting?: number
  /** A consumer that reads nothing for this long although there is something is made anew. Default 60 s. */
  readonly silentMs?: number
  /** How long an answer may take, over all tries of the client, before Kafka counts as down. Not for a client that was given. Default 10 s. */
  readonly timeoutMs?: number
  readonly logger?: ILogger
}

export type CheckedJobQueueOptions = Required<Omit<KafkaJobQueueOptions, MayLack>> & {
  readonly [name in MayLack]: KafkaJobQueueOptions[name] | undefined
}

type MayLack = 'highTopic' | 'lowTopic' | 'deadLetterTopic'

const names = Object.keys({
  client: true,
  topic: true,
  highTopic: true,
  lowTopic: true,
  deadLetterTopic: true,
  groupId: true,
  sessionTimeoutMs: true,
  rebalanceTimeoutMs: true,
  heartbeatMs: true,
  waitMs: true,
  commitMs: true,
  mostWaiting: true,
  silentMs: true,
  timeoutMs: true,
  logger: true,
} satisfies Record<keyof KafkaJobQueueOptions, true>) as readonly (keyof KafkaJobQueueOptions)[]

/** What the queue takes beside a client and a logger. */
export const queueOptions = names.filter((name) => name !== 'client' && name !== 'logger') as readonly Exclude<
  keyof KafkaJobQueueOptions,
  'client' | 'logger'
>[]

export function checkJobQueueOptions(options: KafkaJobQueueOptions): CheckedJobQueueOptions {
  checkOptions(options, names)
  checkInjected(options)
  const { client, topic = 'baton', highTopic, lowTopic, deadLetterTopic, groupId = topic } = options
  const { sessionTimeoutMs = 10_000, rebalanceTimeoutMs = 30_000 } = options
  const third = Math.max(10, Math.floor(Number(sessionTimeoutMs) / 3))
  const { heartbeatMs = Math.min(3_000, third), waitMs = Math.min(1_000, third) } = options
  const { commitMs = 250, mostWaiting = 5_000, silentMs = 60_000, timeoutMs = 10_000, logger = silentLogger } = options
  checkClient(client)
  checkTopics({ topic, highTopic, lowTopic, deadLetterTopic })
  if (typeof groupId !== 'string' || groupId === '') {
    throw new BatonError('INVALID_OPTION', { field: 'groupId', message: 'must be a text that is not empty' })
  }
  checkNumber(sessionTimeoutMs, 'sessionTimeoutMs', { least: 1_000, most: 3_600_000 })
  checkNumber(rebalanceTimeoutMs, 'rebalanceTimeoutMs', { least: 1_000, most: 3_600_000 })
  checkNumber(heartbeatMs, 'heartbeatMs', { least: 10, most: Math.floor(sessionTimeoutMs / 2) })
  // A heartbeat goes out between two answers.
  checkNumber(waitMs, 'waitMs', { least: 10, most: Math.floor(sessionTimeoutMs / 3) })
  checkNumber(commitMs, 'commitMs', { least: 1, most: 60_000 })
  checkNumber(mostWaiting, 'mostWaiting', { least: 1 })
  checkNumber(silentMs, 'silentMs', { least: 2 * waitMs })
  checkNumber(timeoutMs, 'timeoutMs', { least: 1, most: 600_000 })
  return {
    client,
    topic,
    highTopic,
    lowTopic,
    deadLetterTopic,
    groupId,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    heartbeatMs,
    waitMs,
    commitMs,
    mostWaiting,
    silentMs,
    timeoutMs,
    logger,
  }
}

/** Whether they are names of topics, and all different. */
export function checkTopics(topics: Readonly<Record<string, unknown>>): void {
  const seen = new Set<unknown>()
  for (const [field, name] of Object.entries(topics)) {
    if (name === undefined) continue
    checkTopicName(name, field)
    if (seen.has(name)) {
      const message = 'is another of the topics as well: each needs one of its own'
      throw new BatonError('INVALID_OPTION', { field, message })
    }
    seen.add(name)
  }
}

function checkTopicName(name: unknown, field: string): asserts name is string {
  if (typeof name === 'string' && /^[\w.-]{1,249}$/.test(name) && !/^\.{1,2}$/.test(name)) return
  const message = 'must be the name of a topic: up to 249 of the characters A-Z a-z 0-9 . _ -'
  throw new BatonError('INVALID_OPTION', { field, message })
}
