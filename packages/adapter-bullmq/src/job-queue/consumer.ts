import { randomUUID } from 'node:crypto'
import {
  type Delivery,
  HandlerSlots,
  type Job,
  parseJob,
  QueueOutage,
  systemClock,
  wait,
  within,
} from '@baton/core/adapter'
import type { Job as BullMQJob } from 'bullmq'
import { failureFields, redisMessageOf } from '../errors.ts'
import { BullMQDelivery, type DeliveryTools } from './delivery.ts'
import type { Fetcher } from './fetcher.ts'

/** No command to Redis comes back as soon as this. */
const INSTANT_MS = 0.2
const LONGEST_VAIN_MS = 500
/** How long a fetch that is under way at the stop may take to bring back what it has taken. */
const LAST_FETCH_MS = 1_000

export interface ConsumerOptions extends Omit<DeliveryTools, 'fetcher' | 'mayFetch'> {
  readonly concurrency: number
  readonly stop: AbortSignal
  /** One that is ready to fetch. Rejects when it could not be made so. */
  open(onError: (error: unknown) => void): Promise<Fetcher>
}

/** One call of `consume`: fetches jobs while there are slots, and gives them to the handler. */
export class Consumer {
  readonly #handler: (delivery: Delivery) => Promise<void>
  readonly #options: ConsumerOptions
  readonly #slots: HandlerSlots
  readonly #outage: QueueOutage
  #fetcher: Fetcher | undefined
  #failure: unknown
  #vainFetches = 0

  constructor(handler: (delivery: Delivery) => Promise<void>, options: ConsumerOptions) {
    this.#handler = handler
    this.#options = options
    this.#outage = new QueueOutage(options.logger)
    this.#slots = new HandlerSlots(options.concurrency, options.stop)
  }

  /** Until the stop. Resolves when no handler runs any more. */
  async run(): Promise<void> {
    const { stop } = this.#options
    // Closing interrupts the fetch that waits. What has been fetched goes on over the connection that is shared.
    const close = () => void this.#fetcher?.close(true).catch(() => {})
    stop.addEventListener('abort', close, { once: true })
    while (!stop.aborted) {
      await this.#slots.oneFree()
      if (stop.aborted) break
      try {
        const job = await this.#fetch()
        if (job !== undefined) this.#slots.use(this.#serve(job))
        // BullMQ keeps some failures to itself, and says so with an event.
        if (this.#failure !== undefined) throw this.#failure
        if (!stop.aborted) this.#outage.answered()
      } catch (error) {
        if (!stop.aborted) await wait(systemClock, this.#outage.failed(failureFields(error)), stop)
      }
    }
    await this.#slots.allFree()
    stop.removeEventListener('abort', close)
  }

  async #fetch(): Promise<BullMQJob | undefined> {
    const { stop } = this.#options
    this.#failure = undefined
    this.#fetcher ??= await orStopped(this.#open(), stop)
    if (this.#fetcher === undefined || stop.aborted) return undefined
    const askedAtMs = performance.now()
    const fetching = this.#fetcher.getNextJob(randomUUID())
    const job = await orStopped(fetching, stop)
    if (!stop.aborted) {
      await this.#pace(job !== undefined || performance.now() - askedAtMs > INSTANT_MS)
      return job
    }
    const returned = fetching.then((late) => late?.moveToWait(late.token))
    await within(LAST_FETCH_MS, returned).catch(() => {})
    return undefined
  }

  /**
   * A fetch that finds nothing waits in Redis for what comes. One that comes back at once, and again, did not even ask:
   * somebody has set a rate limit to this queue, and BullMQ knows that it is reached.
   */
  async #pace(isServed: boolean): Promise<void> {
    this.#vainFetches = isServed ? 0 : this.#vainFetches + 1
    if (this.#vainFetches < 2) return
    await wait(systemClock, Math.min(LONGEST_VAIN_MS, 2 ** this.#vainFetches), this.#options.stop)
  }

  async #open(): Promise<Fetcher> {
    const fetcher = await this.#options.open((error) => {
      this.#failure = error
    })
    if (this.#options.stop.aborted) await fetcher.close(true)
    return fetcher
  }

  /** A slot goes on with what the answer for its last job has brought. */
  async #serve(first: BullMQJob): Promise<void> {
    let job: BullMQJob | undefined = first
    while (job !== undefined) job = await this.#deliver(job)
  }

  async #deliver(bull: BullMQJob): Promise<BullMQJob | undefined> {
    const { stop, logger, timeoutMs } = this.#options
    const fetcher = this.#fetcher
    try {
      if (stop.aborted || fetcher === undefined) {
        await within(timeoutMs, bull.moveToWait(bull.token))
        return undefined
      }
      const job = await this.#parse(bull, fetcher)
      if (job === undefined) return undefined
      const mayFetch = () => !stop.aborted
      const delivery = new BullMQDelivery(job, bull, { ...this.#options, fetcher, mayFetch })
      await this.#handle(delivery)
      return await delivery.end()
    } catch (error) {
      logger.log('debug', 'a job could not be answered for; it comes again', { error: redisMessageOf(error) })
      return undefined
    }
  }

  async #parse(bull: BullMQJob, fetcher: Fetcher): Promise<Job | undefined> {
    try {
      return parseJob(bull.data)
    } catch (error) {
      await within(this.#options.timeoutMs, fetcher.bury(bull, redisMessageOf(error)))
      return undefined
    }
  }

  async #handle(delivery: BullMQDelivery): Promise<void> {
    try {
      await this.#handler(delivery)
    } catch (error) {
      const { runId } = delivery.job
      this.#options.logger.log('warn', 'a handler failed, its job comes again', { runId, error: redisMessageOf(error) })
    }
  }
}

/** What comes of it, or nothing at the stop. */
function orStopped<Value>(promise: Promise<Value>, stop: AbortSignal): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const stopped = () => resolve(undefined)
    stop.addEventListener('abort', stopped, { once: true })
    promise.then(resolve, reject).finally(() => stop.removeEventListener('abort', stopped))
    if (stop.aborted) stopped()
  })
}
