import { SQSClient } from '@aws-sdk/client-sqs'
import { BatonError } from '@baton/core'
import { type ConsumeOptions, type Delivery, type IJobQueue, type Job, settledWithin } from '@baton/core/adapter'
import { isClient } from './aws-client.ts'
import { Consumer } from './job-queue/consumer.ts'
import { type DeadLetter, DeadLetters } from './job-queue/dead-letters.ts'
import { bodyOf, groupOf } from './job-queue/message-form.ts'
import { SqsQueue } from './job-queue/sqs-queue.ts'
import {
  type CheckedJobQueueOptions,
  checkJobQueueOptions,
  nameOfQueue,
  type SqsJobQueueOptions,
  TWELVE_HOURS_MS,
} from './job-queue-options.ts'

/** How long `close` waits for handlers that still run to answer for their jobs, and for jobs that are being sent. */
const CLOSE_WITHIN_MS = 1_000
/** SQS counts from when the message was received, which for a function is twenty minutes ago at most. */
const MOST_LATER_MS = TWELVE_HOURS_MS - 20 * 60_000

/**
 * Jobs in a queue of SQS, standard or FIFO. Any producer can put one there: `{ runId, blueprintId, nodeId }` as JSON.
 *
 * Whatever SQS loses, doubles or delays costs time and nothing else: a job is a hint. SQS knows no priorities: jobs come as they come,
 * unless those of a higher and a lower one have queues of their own. What becomes due later than SQS can wait, the sweep sends
 * when it is due.
 */
export class SqsJobQueue implements IJobQueue {
  /**
   * A node that may take ten minutes lives by its lease alone: SQS keeps a message from others for twelve hours at most, and bills each
   * time that this is made longer.
   */
  readonly acknowledge = { claimFromMs: 600_000 }
  readonly #options: CheckedJobQueueOptions
  readonly #client: SQSClient
  readonly #queue: SqsQueue
  readonly #highQueue: SqsQueue | undefined
  readonly #lowQueue: SqsQueue | undefined
  readonly #deadLetterQueue: SqsQueue | undefined
  readonly #deadLetters: DeadLetters
  readonly #closing = new AbortController()
  readonly #consumers = new Set<Promise<void>>()

  constructor(options: SqsJobQueueOptions) {
    this.#options = checkJobQueueOptions(options)
    const { queue, highQueue, lowQueue, deadLetterQueue, timeoutMs, logger, client = {} } = this.#options
    this.#client = isClient<SQSClient>(client) ? client : new SQSClient(client)
    const open = (option: string, name: string) => new SqsQueue(this.#client, name, { option, timeoutMs })
    this.#queue = open('queue', queue)
    this.#highQueue = highQueue === undefined ? undefined : open('highQueue', highQueue)
    this.#lowQueue = lowQueue === undefined ? undefined : open('lowQueue', lowQueue)
    this.#deadLetterQueue = deadLetterQueue === undefined ? undefined : open('deadLetterQueue', deadLetterQueue)
    this.#deadLetters = new DeadLetters(this.#deadLetterQueue, logger)
  }

  /**
   * Resolves when each of its queues has been seen to be there; those that are given by their URL are not asked for. Nothing is
   * changed. Rejects with `INVALID_OPTION` and the option that names what is not there or lets nobody in, and with `QUEUE_UNAVAILABLE`.
   */
  async look(): Promise<void> {
    this.#assertOpen()
    for (const queue of [...this.#levels, this.#deadLetterQueue]) await queue?.look()
  }

  /** Ten go with one request, also of those that are sent at the same time. Resolves when SQS has all of them. */
  async enqueue(jobs: readonly Job[]): Promise<void> {
    this.#assertOpen()
    const sent = await Promise.allSettled(
      jobs.map((job) => this.#queueFor(job).send({ body: bodyOf(job), groupId: groupOf(job) })),
    )
    for (const one of sent) if (one.status === 'rejected') throw one.reason
  }

  consume(handler: (delivery: Delivery) => Promise<void>, { concurrency, signal }: ConsumeOptions): Promise<void> {
    const { visibilityMs, waitMs, lostHintsMs, logger } = this.#options
    const consumer = new Consumer(handler, {
      queues: this.#levels,
      concurrency,
      stop: AbortSignal.any([signal, this.#closing.signal]),
      deadLetters: this.#deadLetters,
      lostHints: this.#deadLetterQueue,
      lostHintsMs,
      visibilityMs,
      waitMs,
      logger,
    })
    const running = consumer.run().finally(() => this.#consumers.delete(running))
    this.#consumers.add(running)
    return running
  }

  /**
   * Some of the messages in the dead letter queue, which stay there; for some seconds nobody else sees them. Those that SQS itself
   * has put there are among them until they have been looked at as lost hints.
   */
  async deadLetters(limit = 100): Promise<readonly DeadLetter[]> {
    this.#assertOpen()
    return this.#deadLetters.list(limit, this.#closing.signal)
  }

  /**
   * Of a message that somebody else has received and answers for, such as a function of AWS Lambda: lets it come again after the
   * delay, or after the eleven hours and some that SQS still can.
   *
   * @param from the name of the queue that it was received from, which alone can do that. Default: that of `queue`
   */
  async handBack(
    receiptHandle: string,
    { delayMs, from }: { readonly delayMs: number; readonly from?: string | undefined },
  ): Promise<void> {
    this.#assertOpen()
    const queue = this.#levelNamed(from)
    if (queue === undefined) {
      const message = `jobs come from ${this.#levels.map(({ name }) => name).join(', ')}, and not from ${from}`
      throw new BatonError('INVALID_OPTION', {
        field: 'from',
        message,
        hint: 'Give it as queue, highQueue or lowQueue.',
      })
    }
    await queue.hide(receiptHandle, Math.max(0, Math.min(delayMs, MOST_LATER_MS)))
  }

  /** Whether jobs come from the queue with this name: those of the dead letters are no jobs. */
  takesFrom(name: string): boolean {
    return this.#levelNamed(name) !== undefined
  }

  /** Keeps such a message where a person can look at it, with the reason. Whoever received it is to delete it then. */
  async deadLetter(body: string, reason: string): Promise<void> {
    this.#assertOpen()
    await this.#deadLetters.put(body, reason)
  }

  /** Stops those that consume, and sends what they answered. A client that was given stays as it is. */
  async close(): Promise<void> {
    this.#closing.abort()
    const queues = [...this.#levels, this.#deadLetterQueue]
    const ended = Promise.all(this.#consumers).then(() => Promise.all(queues.map((queue) => queue?.flush())))
    await settledWithin(CLOSE_WITHIN_MS, ended)
    const { client } = this.#options
    if (client === undefined || !isClient(client)) this.#client.destroy()
  }

  /** The most urgent first. */
  get #levels(): readonly SqsQueue[] {
    return [this.#highQueue, this.#queue, this.#lowQueue].filter((queue) => queue !== undefined)
  }

  #levelNamed(name: string | undefined): SqsQueue | undefined {
    return name === undefined ? this.#queue : this.#levels.find((level) => nameOfQueue(level.name) === name)
  }

  #queueFor({ priority = 0 }: Job): SqsQueue {
    const own = priority > 0 ? this.#highQueue : priority < 0 ? this.#lowQueue : undefined
    return own ?? this.#queue
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
  }
}
