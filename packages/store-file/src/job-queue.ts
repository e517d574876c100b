/**
 * A job queue in a folder, for all processes that share it. Files and their names: `job-folder.ts`, `job-name.ts`.
 */
import { setImmediate } from 'node:timers/promises'
import { BatonError } from '@baton/core'
import {
  type ConsumeOptions,
  type Delivery,
  HandlerSlots,
  type IClock,
  type IJobQueue,
  type ILogger,
  type Job,
  messageOf,
  wait,
} from '@baton/core/adapter'
import { JobFolder, type TakenJob } from './job-folder.ts'
import { checkJobQueueOptions, type FileJobQueueOptions } from './options.ts'
import { openQueueFolder } from './store-folder.ts'
import { Watcher } from './watcher.ts'

type Handler = (delivery: Delivery) => Promise<void>

/** What writing jobs may take of the event loop at a time. */
const JOBS_PER_TURN = 64
const SWEEP_MS = 3_600_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** What a handler failed to finish comes again after this, doubled each time up to `visibilityMs`. */
const RETRY_MS = 1_000

export class FileJobQueue implements IJobQueue {
  readonly #clock: IClock
  readonly #logger: ILogger
  readonly #visibilityMs: number
  readonly #pollMs: number
  readonly #folder: JobFolder
  readonly #watcher: Watcher
  readonly #closing = new AbortController()
  #returnedAtMs = Number.NEGATIVE_INFINITY
  #sweptAtMs = Number.NEGATIVE_INFINITY

  constructor(options: FileJobQueueOptions) {
    const { directory, clock, logger, visibilityMs, pollMs } = checkJobQueueOptions(options)
    const paths = openQueueFolder(directory)
    this.#clock = clock
    this.#logger = logger
    this.#visibilityMs = visibilityMs
    this.#pollMs = pollMs
    this.#folder = new JobFolder(paths.queue, clock, visibilityMs)
    this.#watcher = new Watcher({ path: this.#folder.pending, clock, pollMs })
  }

  async enqueue(jobs: readonly Job[]): Promise<void> {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    try {
      for (const [index, job] of jobs.entries()) {
        this.#folder.add(job)
        if (index % JOBS_PER_TURN === JOBS_PER_TURN - 1) await setImmediate()
      }
    } catch (error) {
      throw new BatonError('QUEUE_UNAVAILABLE', { message: messageOf(error), cause: error })
    }
    this.#watcher.wake()
  }

  async consume(handler: Handler, { concurrency, signal }: ConsumeOptions): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closing.signal])
    const slots = new HandlerSlots(concurrency, stop)
    let pauseMs = FIRST_PAUSE_MS
    while (!stop.aborted) {
      await slots.oneFree()
      if (stop.aborted) break
      try {
        const { version } = this.#watcher
        const taken = await this.#next()
        pauseMs = FIRST_PAUSE_MS
        if (taken === undefined)
          await this.#watcher.changed({ since: version, signal: stop, withinMs: this.#untilNextReturn() })
        else if (stop.aborted) this.#folder.giveBack(taken, 0)
        else slots.use(this.#deliver(taken, handler))
      } catch (error) {
        this.#logger.log('warn', 'the job folder failed, will look again', { error: messageOf(error), pauseMs })
        await wait(this.#clock, pauseMs, stop)
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
      }
    }
    await slots.allFree()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#watcher.close()
    this.#folder.close()
  }

  async #next(): Promise<TakenJob | undefined> {
    const nowMs = this.#clock.now()
    // Others may have died or delayed something: look at least as often as the poll, and when we know of something.
    if (nowMs >= this.#folder.nextReturnAtMs || nowMs - this.#returnedAtMs >= this.#pollMs) {
      this.#returnedAtMs = nowMs
      await this.#folder.returnDue()
      await this.#sweepNowAndThen(nowMs)
    }
    if (this.#folder.isListOld) this.#folder.dropList()
    return this.#folder.take()
  }

  async #sweepNowAndThen(nowMs: number): Promise<void> {
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return
    this.#sweptAtMs = nowMs
    await this.#folder.sweepSegments()
  }

  #untilNextReturn(): number {
    return this.#folder.nextReturnAtMs - this.#clock.now()
  }

  async #deliver(taken: TakenJob, handler: Handler): Promise<void> {
    const delivery = new FileDelivery(taken, this.#folder, this.#clock)
    try {
      await handler(delivery)
    } catch (error) {
      this.#logger.log('warn', 'a handler failed, its job comes again', {
        runId: taken.job.runId,
        error: messageOf(error),
      })
    }
    if (delivery.settled) return
    try {
      this.#folder.giveBack(taken, Math.min(this.#visibilityMs, RETRY_MS * 2 ** Math.min(taken.delivered, 20)))
    } catch {
      // It comes back by itself when its time is up.
    }
  }
}

class FileDelivery implements Delivery {
  readonly #taken: TakenJob
  readonly #folder: JobFolder
  readonly #clock: IClock
  #settled = false

  constructor(taken: TakenJob, folder: JobFolder, clock: IClock) {
    this.#taken = taken
    this.#folder = folder
    this.#clock = clock
  }

  get job(): Job {
    return this.#taken.job
  }

  get redelivered(): number {
    return this.#taken.delivered
  }

  get settled(): boolean {
    return this.#settled
  }

  async acknowledge(): Promise<void> {
    if (this.#settle()) await this.#folder.finish(this.#taken)
  }

  handBack({ delayMs }: { readonly delayMs: number }): void {
    if (this.#settle()) this.#folder.giveBack(this.#taken, delayMs)
  }

  extend({ byMs }: { readonly byMs: number }): void {
    if (!this.#settled) this.#folder.keepUntil(this.#taken, this.#clock.now() + byMs)
  }

  deadLetter(reason: string): void {
    if (this.#settle()) this.#folder.bury(this.#taken.name, reason)
  }

  #settle(): boolean {
    const first = !this.#settled
    this.#settled = true
    return first
  }
}
