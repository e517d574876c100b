/**
 * Keeps a journal from growing without end. At nine tenths of its greatest length a line in the log says so, once; at
 * the limit the run is paused, and an operator decides: a higher limit, or a cancel. What is to run for ever goes on as
 * new (`continueAsNew`) before it comes to that.
 *
 * The limit is no wall: what is claimed may record what happened, and news are taken. Nothing is lost by it.
 */
import { codedError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { isTerminal } from '../model/run.ts'
import type { RunSignal } from '../ports/claim.ts'
import type { ILogger } from '../ports/logger.ts'
import type { Notice } from '../ports/notice.ts'
import type { IRunStore } from '../ports/run-store.ts'

export interface JournalLimitOptions {
  readonly store: Pick<IRunStore, 'notify'>
  readonly logger: ILogger
  readonly workerId: string
  readonly maxEvents: number
}

const WARN_AT = 0.9
/** Runs that were warned of; of more than these the oldest may be warned of twice. */
const REMEMBERED = 1_000

export class JournalLimit {
  readonly #options: JournalLimitOptions
  readonly #warnAt: number
  readonly #warned = new Set<RunId>()

  constructor(options: JournalLimitOptions) {
    this.#options = options
    this.#warnAt = Math.floor(options.maxEvents * WARN_AT)
  }

  /** Whoever holds a claim of such a run should take nothing new upon itself. */
  isReached({ seq, status }: RunSignal): boolean {
    return seq >= this.#options.maxEvents && !isTerminal(status)
  }

  /** What a commit has answered about its run. @returns what to wait for; nothing for nearly every run */
  heed(runId: RunId, run: RunSignal): Promise<void> | undefined {
    if (run.seq < this.#warnAt || run.stopping || isTerminal(run.status)) return undefined
    if (this.isReached(run)) return this.#pause(runId, run)
    this.#warn(runId, run)
    return undefined
  }

  #warn(runId: RunId, { seq }: RunSignal): void {
    if (this.#warned.has(runId)) return
    if (this.#warned.size >= REMEMBERED) for (const oldest of [...this.#warned].slice(0, 1)) this.#warned.delete(oldest)
    this.#warned.add(runId)
    const { logger, workerId, maxEvents } = this.#options
    const what = `a journal of ${seq} events will soon be full at ${maxEvents}: let the run go on as new`
    logger.log('warn', what, { runId, workerId })
  }

  async #pause(runId: RunId, { seq }: RunSignal): Promise<void> {
    const { store, logger, workerId, maxEvents } = this.#options
    const { message: reason } = codedError('JOURNAL_FULL', `${seq} events, and the limit is ${maxEvents}`)
    const notice: Notice = { type: 'pause', runId, reason, code: 'JOURNAL_FULL' }
    try {
      const { status } = await store.notify(notice)
      if (status === 'accepted') logger.log('error', reason, { runId, workerId })
    } catch (error) {
      logger.log('warn', 'a full journal could not be paused; the next commit tries again', { runId, workerId, error })
    }
  }
}
