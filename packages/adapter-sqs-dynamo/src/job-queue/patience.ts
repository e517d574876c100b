import { type ILogger, QueueOutage } from '@baton/core/adapter'
import { failureFields } from '../aws-errors.ts'

/** Of a server that does not wait although it is told to. No request to SQS that finds nothing comes back as soon as this. */
const VAIN_MS = 300

/** How long to leave a queue alone: while it fails, and while it does not wait for what it has not. */
export class Patience {
  readonly #outage: QueueOutage
  #vain = 0

  /** @param name of the queue, for the log */
  constructor(logger: ILogger, name: string) {
    this.#outage = new QueueOutage(logger, { queue: name })
  }

  /** @returns how long to wait */
  failed(error: unknown): number {
    return this.#outage.failed(failureFields(error))
  }

  /** @returns how long to wait: nothing, unless it answers at once and again that there is nothing */
  answered(came: number, tookMs: number): number {
    this.#outage.answered()
    this.#vain = came === 0 && tookMs < VAIN_MS ? this.#vain + 1 : 0
    return this.#vain < 3 ? 0 : Math.min(1_000, 50 * 2 ** Math.min(this.#vain, 10))
  }
}
