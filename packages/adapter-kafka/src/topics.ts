/** Topics, made on purpose and with settings: no broker is let make them when somebody happens to write to one. */
import { BatonError } from '@baton/core'
import { checkNumber, checkOptions } from '@baton/core/adapter'
import type { KafkaConfig } from 'kafkajs'
import type { IKafkaClient, NewTopic } from './client-port.ts'
import { checkTopics } from './job-queue-options.ts'
import { checkClient, isClient, openClient } from './kafka-client.ts'
import { kafkaFailure } from './kafka-errors.ts'

export interface TopicsOptions {
  readonly client: KafkaConfig | IKafkaClient
  /** Default `baton`; none where only a `journalTopic` is given. */
  readonly topic?: string
  readonly highTopic?: string
  readonly lowTopic?: string
  readonly deadLetterTopic?: string
  /** For a `KafkaJournalSink`. */
  readonly journalTopic?: string
  /** The most workers that have something to do. The dead letter topic has one. Default 12. */
  readonly partitions?: number
  /** On how many brokers each message is. Default: what the brokers take by default. In production: 3. */
  readonly replicationFactor?: number
  /** On how many of them it has to be before it counts as sent. Default: what the brokers take by default. In production: 2. */
  readonly minInsyncReplicas?: number
  /** How long messages are kept. Jobs need no longer than the longest outage of all workers. Default: what the brokers take by default. */
  readonly retentionMs?: number
}

/**
 * Makes those topics that are not there; those that are there stay as they are.
 * @returns the names of those that it made
 */
export async function ensureTopics(options: TopicsOptions): Promise<readonly string[]> {
  const topics = newTopics(options)
  const client = openClient(options.client, {})
  try {
    return await client.createTopics(topics)
  } catch (error) {
    throw kafkaFailure(error)
  } finally {
    if (!isClient(options.client)) await client.close()
  }
}

function newTopics(options: TopicsOptions): readonly NewTopic[] {
  checkOptions(options, names)
  const { client, highTopic, lowTopic, deadLetterTopic, journalTopic } = options
  const isForJournals = journalTopic !== undefined && (highTopic ?? lowTopic ?? deadLetterTopic) === undefined
  const { topic = isForJournals ? undefined : 'baton' } = options
  const { partitions = 12, replicationFactor = -1, minInsyncReplicas, retentionMs } = options
  checkClient(client)
  checkTopics({ topic, highTopic, lowTopic, deadLetterTopic, journalTopic })
  checkNumber(partitions, 'partitions', { least: 1, most: 100_000 })
  if (replicationFactor !== -1) checkNumber(replicationFactor, 'replicationFactor', { least: 1, most: 100 })
  if (minInsyncReplicas !== undefined) {
    checkNumber(minInsyncReplicas, 'minInsyncReplicas', { least: 1, most: 100 })
    if (replicationFactor !== -1 && minInsyncReplicas > replicationFactor) {
      const message = 'is more than there are replicas: nothing could be sent'
      throw new BatonError('INVALID_OPTION', { field: 'minInsyncReplicas', message })
    }
  }
  if (retentionMs !== undefined) checkNumber(retentionMs, 'retentionMs', { least: 1_000 })
  const config = {
    'cleanup.policy': 'delete',
    ...(minInsyncReplicas === undefined ? {} : { 'min.insync.replicas': String(minInsyncReplicas) }),
  }
  const forJobs = retentionMs === undefined ? config : { ...config, 'retention.ms': String(retentionMs) }
  const jobs = [topic, highTopic, lowTopic].filter((name) => name !== undefined)
  return [
    ...jobs.map((name) => ({ topic: name, partitions, replicationFactor, config: forJobs })),
    ...(deadLetterTopic === undefined ? [] : [{ topic: deadLetterTopic, partitions: 1, replicationFactor, config }]),
    ...(journalTopic === undefined ? [] : [{ topic: journalTopic, partitions, replicationFactor, config }]),
  ]
}

const names = Object.keys({
  client: true,
  topic: true,
  highTopic: true,
  lowTopic: true,
  deadLetterTopic: true,
  journalTopic: true,
  partitions: true,
  replicationFactor: true,
  minInsyncReplicas: true,
  retentionMs: true,
} satisfies Record<keyof TopicsOptions, true>) as readonly (keyof TopicsOptions)[]
