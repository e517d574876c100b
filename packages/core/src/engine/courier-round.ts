/**
 * One round of a courier. Whom it tells something may say something in turn: that stands in line, and is brought in the
 * same round, as are the jobs for what has become ready.
 */
import { BatonError } from '../model/errors.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import type { NewRun, RunSummary } from '../model/run.ts'
import type { IClock } from '../ports/clock.ts'
import type { IJobQueue } from '../ports/job-queue.ts'
import type { ILogger } from '../ports/logger.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { jobFor } from './jobs.ts'
import { type BringSuccessor, notifyNewest } from './notify-newest.ts'
import { sendJobs } from './own-worker.ts'

export interface CourierOptions {
  readonly store: IRunStore
  /** Without one, workers find the work with their next look. */
  readonly queue: IJobQueue | undefined
  readonly clock: IClock
  readonly logger: ILogger
  /** A run was called off: its nodes in this process need not wait for their next renewal to hear of it. */
  readonly onStop?: ((runId: RunId) => void) | undefined
  /** After that time a limiter may let in another run. */
  readonly onAgain?: ((runId: RunId, delayMs: number) => void) | undefined
  /** Events were recorded of a run whose journal is published. */
  readonly onUnpublished?: ((runId: RunId) => void) | undefined
}

/** What one run has to say to others. */
export interface Bag {
  readonly from: RunId
  readonly messages: readonly RunMessage[]
}

export class Round {
  readonly options: CourierOptions
  readonly #bringSuccessor: BringSuccessor
  readonly #line: Bag[] = []
  readonly #taken = new Set<string>()

  constructor(options: CourierOptions, bringSuccessor: BringSuccessor) {
    this.options = options
    this.#bringSuccessor = bringSuccessor
  }

  add(bag: Bag): void {
    this.#line.push(bag)
  }

  /** What to bring next; undefined when the round is over. */
  take(): Bag | undefined {
    return this.#line.shift()
  }

  /** It has served, though its sender's outbox may still have it. */
  noteTaken(from: RunId, key: string): void {
    this.#taken.add(`${from} ${key}`)
  }

  hasTaken(from: RunId, key: string): boolean {
    return this.#taken.has(`${from} ${key}`)
  }

  /** @returns which run took it: the one it is for, or the one that goes on for it; undefined where there is none */
  async tell(notice: Notice): Promise<RunId | undefined> {
    const { runId, result } = await notifyNewest(this.options.store, notice, this.#bringSuccessor)
    await this.heed(runId, result)
    return result.status === 'unknown-run' ? undefined : runId
  }

  /** What is for this run alone: who goes on for it has a slot of its own. */
  async tellHere(notice: Notice): Promise<NoticeResult['status']> {
    const result = await this.options.store.notify(notice)
    await this.heed(notice.runId, result)
    return result.status
  }

  /** What a notice has led to. */
  async heed(runId: RunId, result: NoticeResult): Promise<void> {
    const { store, onAgain, onUnpublished } = this.options
    if (result.status === 'too-large') throw new BatonError('TOO_LARGE', { field: 'message', runId })
    if (result.status !== 'accepted' && result.status !== 'unchanged') return
    if (result.againInMs !== undefined) onAgain?.(runId, result.againInMs)
    if (result.status === 'unchanged') return
    if (result.run.publishJournal === true) onUnpublished?.(runId)
    if (result.sent !== undefined) this.add({ from: runId, messages: result.sent })
    if (result.ready.length > 0) {
      const run = await store.summary(runId)
      if (run !== undefined) await this.sendJobs(run, result.ready)
    }
  }

  async sendJobs(run: NewRun | RunSummary, ready: readonly InstanceId[]): Promise<void> {
    if (ready.length === 0) return
    const { store, queue, logger } = this.options
    if (queue === undefined) return
    const { runId, flowId, version, priority = 0 } = run
    const head = { runId, flowId, priority, ...(version === undefined ? {} : { version }) }
    const jobs = ready.map((id) => jobFor(head, id, 0))
    try {
      await sendJobs({ store, queue }, jobs)
    } catch (error) {
      logger.log('warn', 'jobs could not be sent', { runId, error })
    }
  }
}
