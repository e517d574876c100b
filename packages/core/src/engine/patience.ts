import { BatonError } from '../model/errors.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import { type IClock, wait } from '../ports/clock.ts'
import type { ILogger } from '../ports/logger.ts'
import { workFields } from './environment.ts'

export interface PatienceOptions {
  readonly clock: IClock
  readonly logger: ILogger
  readonly workerId: string
  /** Nobody waits any longer than this, and the last error is thrown: another worker may have the work by then. */
  readonly leaseMs: number
}

/** What the store is asked about. */
interface Asked {
  readonly runId: RunId
  readonly instanceId: InstanceId
  readonly attempt?: number
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000

/**
 * Asks a store until it answers. Safe because every change carries an id: asked again, a store that has already done it
 * says so. An outage is never the failure of a node (nothing here counts as an attempt).
 */
export class Patience {
  readonly #options: PatienceOptions

  constructor(options: PatienceOptions) {
    this.#options = options
  }

  async ask<Answer>(asked: Asked, ask: () => Answer | PromiseLike<Answer>): Promise<Answer> {
    const { clock, leaseMs } = this.#options
    const untilMs = clock.now() + leaseMs
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        return await ask()
      } catch (error) {
        await this.#bear(error, asked, pauseMs, untilMs)
      }
    }
  }

  async #bear(
    error: unknown,
    { runId, instanceId, attempt = 0 }: Asked,
    pauseMs: number,
    untilMs: number,
  ): Promise<void> {
    const { clock, logger, workerId } = this.#options
    const isHopeless = BatonError.is(error) && !error.retryable
    if (isHopeless || clock.now() + pauseMs > untilMs) throw error
    const fields = workFields(runId, instanceId, attempt, workerId)
    logger.log('warn', `the store did not answer; asking again in ${pauseMs} ms`, { ...fields, error })
    await wait(clock, pauseMs)
  }
}
