import { BatonError } from '@baton/core'
import { type ConsumeOptions, type Delivery, type IJobQueue, type Job, within } from '@baton/core/adapter'
import { Queue } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import { openPatient } from './connection.ts'
import { queueFailure, redisMessageOf } from './errors.ts'
import { Consumer } from './job-queue/consumer.ts'
import { Fetcher } from './job-queue/fetcher.ts'
import { bullJobOf, jobIdOf } from './job-queue/job-form.ts'
import { JobSender } from './job-queue/sender.ts'
import { type BullMQJobQueueOptions, checkJobQueueOptions } from './options.ts'
import { whenReady } from './readiness.ts'

/** A job that was taken out for good: what it said, and why. */
export interface DeadLetter {
  readonly message: unknown
  readonly reason: string
}

/** How long `close` waits for handlers that still run to answer for their jobs, and for jobs that are being sent. */
const CLOSE_WITHIN_MS = 1_000

/** Who fetches says after this long that there is no connection, and goes on waiting for one. */
const FETCH_FROM_MS = 2_000

/**
 * Jobs in a BullMQ queue. Any producer of BullMQ can put one there, and any tool for BullMQ shows what there is.
 *
 * Whatever BullMQ loses, doubles or gives to another costs time and nothing else: a job is a hint. It opens a connection
 * like the one it is given when it is first used, and another one for each `consume`, on which fetching blocks.
 */
export class BullMQJobQueue implements IJobQueue {
  readonly #options: Required<BullMQJobQueueOptions>
  readonly #sender: JobSender
  readonly #closing = new AbortController()
  /** From here on nothing is waited for any more. */
  readonly #closed = new AbortController()
  readonly #consumers = new Set<Promise<void>>()
  readonly #sending = new Set<Promise<void>>()
  /** Acknowledgements that are held back, by job id. */
  readonly #held = new Map<string, () => Promise<void>>()
  #redis: Redis | Cluster | undefined
  #queue: Queue | undefined
  #waiting: Promise<Queue> | undefined
  #isDown = false

  constructor(options: BullMQJobQueueOptions) {
    this.#options = checkJobQueueOptions(options)
    this.#sender = new JobSender(this.#options.timeoutMs)
  }

  async enqueue(jobs: readonly Job[]): Promise<void> {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    if (jobs.length === 0) return
    const sending = this.#send(jobs).finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
    return sending
  }

  consume(handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<void> {
    const { logger, visibilityMs, timeoutMs } = this.#options
    const consumer = new Consumer(handler, {
      concurrency: options.concurrency,
      stop: AbortSignal.any([options.signal, this.#closing.signal]),
      logger,
      visibilityMs,
      timeoutMs,
      open: (onError) => this.#openFetcher(onError),
      onHold: (jobId, flush) => {
        if (flush === undefined) this.#held.delete(jobId)
        else this.#held.set(jobId, flush)
      },
    })
    const running = consumer.run().finally(() => this.#consumers.delete(running))
    this.#consumers.add(running)
    return running
  }

  /** The newest of the jobs that were taken out for good. They are the failed jobs of the queue. */
  async deadLetters(limit = 100): Promise<readonly DeadLetter[]> {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    try {
      const queue = await this.#readyQueue()
      const failed = await within(this.#options.timeoutMs, queue.getFailed(0, limit - 1))
      return failed.map(({ data, failedReason }) => ({ message: data, reason: failedReason ?? '' }))
    } catch (error) {
      throw queueFailure(error)
    }
  }

  /** Stops those that consume, and closes its connections. The client that it was made with stays as it is. */
  async close(): Promise<void> {
    this.#closing.abort()
    await within(CLOSE_WITHIN_MS, Promise.allSettled([...this.#consumers, ...this.#sending])).catch(() => {})
    this.#closed.abort()
    await Promise.allSettled([...this.#held.values()].map((flush) => within(CLOSE_WITHIN_MS, flush())))
    await this.#queue?.close().catch(() => {})
    this.#redis?.disconnect()
  }

  async #send(jobs: readonly Job[]): Promise<void> {
    try {
      const queue = await this.#readyQueue()
      // BullMQ would take a job for the one that is worked on here, while the acknowledgement of that is held back.
      if (this.#held.size > 0) await Promise.all(jobs.map((job) => this.#held.get(jobIdOf(job))?.()))
      await this.#sender.send(queue, jobs.map(bullJobOf))
    } catch (error) {
      throw queueFailure(error)
    }
  }

  get #connection(): Redis | Cluster {
    this.#redis ??= openPatient(this.#options.connection, this.#options.logger)
    return this.#redis
  }

  /** The queue, when there is a connection. Those who come while one is waited for wait together. */
  #readyQueue(): Promise<Queue> {
    if (this.#queue !== undefined && this.#connection.status === 'ready') return Promise.resolve(this.#queue)
    this.#waiting ??= this.#untilReady().finally(() => {
      this.#waiting = undefined
    })
    return this.#waiting
  }

  /**
   * Waits a while for a connection, once per outage: who sends must not be held up by each job again. Nothing is left
   * with the client while it has none, where it would pile up and come out stale.
   */
  async #untilReady(): Promise<Queue> {
    const { name, prefix, timeoutMs } = this.#options
    const patienceMs = this.#isDown ? 0 : timeoutMs
    this.#isDown = true
    await whenReady(this.#connection, patienceMs, this.#closed.signal)
    this.#isDown = false
    if (this.#queue !== undefined) return this.#queue
    const queue = new Queue(name, { prefix, connection: this.#connection })
    queue.on('error', () => {})
    // Kept only now: what BullMQ asks a connection first is asked once, and what came of it would stay.
    await within(timeoutMs, queue.waitUntilReady())
    this.#queue = queue
    return queue
  }

  async #openFetcher(onError: (error: unknown) => void): Promise<Fetcher> {
    const { name, prefix, visibilityMs, keepDeadLetters, logger, timeoutMs } = this.#options
    // BullMQ would wait for it without a word, for as long as it takes.
    await whenReady(this.#connection, Math.min(timeoutMs, FETCH_FROM_MS), this.#closed.signal)
    const fetcher = new Fetcher(name, null, {
      connection: this.#connection,
      prefix,
      lockDuration: visibilityMs,
      stalledInterval: visibilityMs / 2,
      // How often a job has stalled says nothing about it. The run store knows when to give up.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: keepDeadLetters },
    })
    fetcher.on('error', (error) => {
      logger.log('debug', 'the job queue reports a failure', { error: redisMessageOf(error) })
      onError(error)
    })
    try {
      await fetcher.waitUntilReady()
      await fetcher.startStalledCheckTimer()
      return fetcher
    } catch (error) {
      await fetcher.close(true).catch(() => {})
      throw error
    }
  }
}
