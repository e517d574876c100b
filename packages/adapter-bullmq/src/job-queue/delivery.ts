import { type Delivery, type ILogger, type Job, within } from '@baton/core/adapter'
import type { Job as BullMQJob } from 'bullmq'
import { queueFailure, redisMessageOf } from '../errors.ts'
import type { Fetcher } from './fetcher.ts'

/** What a handler failed to finish comes again after this, doubled each time up to the visibility. */
const RETRY_MS = 1_000
/** An acknowledgement goes out with the end of its handler, and after this at the latest. */
const HOLD_MS = 1_000

export interface DeliveryTools {
  readonly fetcher: Fetcher
  readonly logger: ILogger
  readonly visibilityMs: number
  readonly timeoutMs: number
  /** Whether another job may be fetched. */
  mayFetch(): boolean
  /** An acknowledgement is held back, or has gone out. */
  onHold(jobId: string, flush: (() => Promise<void>) | undefined): void
}

/**
 * One receipt of a job, held by the lock that BullMQ keeps for it.
 *
 * An acknowledgement is held back for a moment: mostly the handler ends soon, and then finishing this job and fetching
 * the next are one call. If the process dies in between, the job comes once more and finds nothing to claim.
 */
export class BullMQDelivery implements Delivery {
  readonly job: Job
  readonly #bull: BullMQJob
  readonly #token: string
  readonly #tools: DeliveryTools
  #state: 'open' | 'held' | 'answered' = 'open'
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(job: Job, bull: BullMQJob, tools: DeliveryTools) {
    this.job = job
    this.#bull = bull
    this.#token = bull.token ?? ''
    this.#tools = tools
  }

  get redelivered(): number {
    return Math.max(0, this.#bull.attemptsStarted - 1)
  }

  acknowledge(): void {
    if (this.#state !== 'open') return
    this.#state = 'held'
    const flush = () => this.#finish()
    this.#timer = setTimeout(flush, Math.min(HOLD_MS, this.#tools.visibilityMs / 4))
    this.#tools.onHold(this.#id, flush)
  }

  async handBack({ delayMs }: { readonly delayMs: number }): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'answered'
    // Not `moveToWait`: there it would be the next to be taken, before all that have waited longer.
    await this.#ask(() => this.#bull.moveToDelayed(Date.now() + Math.ceil(delayMs), this.#token))
  }

  async extend({ byMs }: { readonly byMs: number }): Promise<void> {
    if (this.#state !== 'open') return
    await this.#ask(() => this.#bull.extendLock(this.#token, Math.ceil(byMs)))
  }

  /** Among BullMQ's failed jobs, with the reason: every tool that shows a queue shows them, and can send them again. */
  async deadLetter(reason: string): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'answered'
    await this.#ask(() => this.#tools.fetcher.bury(this.#bull, reason))
  }

  /** The handler has ended. @returns the next job, which has come along with the answer for this one */
  async end(): Promise<BullMQJob | undefined> {
    if (this.#state === 'held') return this.#finishAndFetch()
    if (this.#state === 'answered') return undefined
    const delayMs = Math.min(this.#tools.visibilityMs, RETRY_MS * 2 ** Math.min(this.redelivered, 20))
    try {
      await this.handBack({ delayMs })
    } catch {
      // It comes back by itself when its lock has run out.
    }
    return undefined
  }

  get #id(): string {
    return this.#bull.id ?? ''
  }

  async #finishAndFetch(): Promise<BullMQJob | undefined> {
    const { fetcher, mayFetch, timeoutMs } = this.#tools
    if (!mayFetch()) {
      await this.#finish()
      return undefined
    }
    this.#release()
    const finishing = fetcher.finishAndFetch(this.#bull, this.#token)
    try {
      return await within(timeoutMs, finishing)
    } catch (error) {
      this.#tell(error)
      // What still comes has nobody who waits for it.
      finishing.then((late) => late?.moveToWait(late.token)).catch(() => {})
      return undefined
    }
  }

  async #finish(): Promise<void> {
    if (this.#state !== 'held') return
    this.#release()
    try {
      await within(this.#tools.timeoutMs, this.#bull.moveToCompleted('', this.#token, false))
    } catch (error) {
      this.#tell(error)
    }
  }

  #release(): void {
    this.#state = 'answered'
    clearTimeout(this.#timer)
    this.#tools.onHold(this.#id, undefined)
  }

  /** That a job is gone, or somebody else's by now, is no news to anybody: it was worked on. */
  #tell(error: unknown): void {
    const { runId, instanceId } = this.job
    this.#tools.logger.log('debug', 'a job could not be finished in the queue', {
      runId,
      instanceId,
      error: redisMessageOf(error),
    })
  }

  async #ask(call: () => Promise<unknown>): Promise<void> {
    try {
      await within(this.#tools.timeoutMs, call())
    } catch (error) {
      throw queueFailure(error)
    }
  }
}
