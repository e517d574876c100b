import { BatonError } from '@baton/core'
import { type ConsumeOptions, type Delivery, type IJobQueue, type Job, settledWithin } from '@baton/core/adapter'
import type { IKafkaClient } from './client-port.ts'
import { Consumer } from './job-queue/consumer.ts'
import { type DeadLetter, DeadLetters } from './job-queue/dead-letters.ts'
import { messageOfJob } from './job-queue/message-form.ts'
import { Sender } from './job-queue/sender.ts'
import { type CheckedJobQueueOptions, checkJobQueueOptions, type KafkaJobQueueOptions } from './job-queue-options.ts'
import { isClient, openClient } from './kafka-client.ts'

/** How long `close` waits for handlers that still run to answer for their jobs, and for jobs that are being sent. */
const CLOSE_WITHIN_MS = 5_000
const PARTITION_BYTES = 262_144

/**
 * Jobs in a topic of Kafka. Any producer can put one there: `{ runId, blueprintId, nodeId }` as JSON.
 *
 * Whatever Kafka loses, doubles or delays costs time and nothing else: a job is a hint. A topic holds up what comes behind a job that
 * is not answered for; so workers answer when they have claimed.
 */
export class KafkaJobQueue implements IJobQueue {
  /** A partition has one number for all of its jobs: one that is not answered for holds up all that come behind it. */
  readonly acknowledge = 'claim'
  readonly #options: CheckedJobQueueOptions
  readonly #client: IKafkaClient
  readonly #sender: Sender
  readonly #deadLetters: DeadLetters
  readonly #closing = new AbortController()
  readonly #consumers = new Set<Promise<void>>()

  constructor(options: KafkaJobQueueOptions) {
    this.#options = checkJobQueueOptions(options)
    const { client, timeoutMs, deadLetterTopic, logger } = this.#options
    this.#client = openClient(client, { timeoutMs, logger })
    this.#sender = new Sender(this.#client)
    this.#deadLetters = new DeadLetters(deadLetterTopic, this.#sender, logger)
  }

  /** Those that are sent at the same time go with one request. Resolves when all in-sync replicas have all of them. */
  async enqueue(jobs: readonly Job[]): Promise<void> {
    this.#assertOpen()
    const sent = await Promise.allSettled(jobs.map((job) => this.#sender.send(this.#topicFor(job), messageOfJob(job))))
    for (const one of sent) if (one.status === 'rejected') throw one.reason
  }

  consume(handler: (delivery: Delivery) => Promise<void>, { concurrency, signal }: ConsumeOptions): Promise<void> {
    const { topic, highTopic, lowTopic, deadLetterTopic, groupId, logger } = this.#options
    const { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatMs, waitMs, mostWaiting, commitMs, silentMs } = this.#options
    const consumer = new Consumer(handler, {
      client: this.#client,
      member: {
        groupId,
        topics: [highTopic, topic, lowTopic].filter((name) => name !== undefined),
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        heartbeatMs,
        waitMs,
        partitionBytes: PARTITION_BYTES,
      },
      deadLetterTopic,
      deadLetters: this.#deadLetters,
      sender: this.#sender,
      concurrency,
      mostWaiting,
      commitMs,
      silentMs,
      stop: AbortSignal.any([signal, this.#closing.signal]),
      logger,
    })
    const running = consumer.run().finally(() => this.#consumers.delete(running))
    this.#consumers.add(running)
    return running
  }

  /** The first of the messages in the dead letter topic, which stay there. Reads all of them: for people and tests. */
  async deadLetters(limit = 100): Promise<readonly DeadLetter[]> {
    this.#assertOpen()
    return this.#deadLetters.list(this.#client, limit, this.#closing.signal)
  }

  /** Stops those that consume, and commits what they answered. A client that was given stays as it is. */
  async close(): Promise<void> {
    this.#closing.abort()
    await settledWithin(CLOSE_WITHIN_MS, Promise.all([...this.#consumers, this.#sender.settled()]))
    if (!isClient(this.#options.client)) await this.#client.close()
  }

  #topicFor({ priority = 0 }: Job): string {
    const { topic, highTopic = topic, lowTopic = topic } = this.#options
    return priority > 0 ? highTopic : priority < 0 ? lowTopic : topic
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
  }
}
