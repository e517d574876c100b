import { systemClock } from './clock.ts'
import { LogThrottle } from './log-throttle.ts'
import type { ILogger, LogFields } from './logger.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000

/**
 * How long a consumer leaves a queue alone that failed: longer each time, with a part left to chance, so that nobody spins on a queue
 * that is down and a fleet does not come back as one. Tells of it, seldom.
 */
export class QueueOutage {
  readonly #logger: ILogger
  readonly #fields: LogFields
  readonly #failures = new LogThrottle(systemClock)
  #pauseMs = FIRST_PAUSE_MS

  /** @param fields which queue, for the log */
  constructor(logger: ILogger, fields: LogFields = {}) {
    this.#logger = logger
    this.#fields = fields
  }

  /** @param why for the log. @returns how long to wait */
  failed(why: LogFields): number {
    const pauseMs = Math.round(this.#pauseMs * (0.5 + Math.random() / 2))
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
    const fields = { ...this.#fields, ...why, pauseMs }
    this.#logger.log(this.#failures.level(), 'the job queue failed, will look again', fields)
    return pauseMs
  }

  /** The queue has answered. */
  answered(): void {
    this.#pauseMs = FIRST_PAUSE_MS
    if (this.#failures.over()) this.#logger.log('info', 'the job queue is back', this.#fields)
  }
}
