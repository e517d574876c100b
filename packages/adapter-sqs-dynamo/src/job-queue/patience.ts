import { type ILogger, LogThrottle, systemClock } from '@baton/core/adapter'
import { failureFields } from '../aws-errors.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** Of a server that does not wait although it is told to. No request to SQS that finds nothing comes back as soon as this. */
const VAIN_MS = 300

/**
 * How long to leave a queue alone that failed: longer each time, with a part left to chance, so that nobody spins on a queue that is down
 * and a fleet does not come back as one. Tells of it, seldom.
 */
export class Patience {
  readonly #logger: ILogger
  readonly #name: string
  readonly #failures = new LogThrottle(systemClock)
  #pauseMs = FIRST_PAUSE_MS
  #vain = 0

  /** @param name of the queue, for the log */
  constructor(logger: ILogger, name: string) {
    this.#logger = logger
    this.#name = name
  }

  /** @returns how long to wait */
  failed(error: unknown): number {
    const pauseMs = Math.round(this.#pauseMs * (0.5 + Math.random() / 2))
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
    const fields = { queue: this.#name, ...failureFields(error), pauseMs }
    this.#logger.log(this.#failures.level(), 'the job queue failed, will look again', fields)
    return pauseMs
  }

  /** @returns how long to wait: nothing, unless it answers at once and again that there is nothing */
  answered(came: number, tookMs: number): number {
    this.#pauseMs = FIRST_PAUSE_MS
    if (this.#failures.over()) this.#logger.log('info', 'the job queue is back', { queue: this.#name })
    this.#vain = came === 0 && tookMs < VAIN_MS ? this.#vain + 1 : 0
    return this.#vain < 3 ? 0 : Math.min(1_000, 50 * 2 ** Math.min(this.#vain, 10))
  }
}
