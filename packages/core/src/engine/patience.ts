import { BatonError } from '../model/errors.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { Awaitable } from '../ports/awaitable.ts'
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

  /** No async function where the store answers: this is done for every node. */
  ask<Answer>(asked: Asked, ask: () => Awaitable<Answer>): Promise<Answer> {
    const { clock, leaseMs } = this.#options
    const untilMs = clock.now() + leaseMs
    try {
      return Promise.resolve(ask()).then(undefined, (error: unknown) => this.#askAgain(error, asked, ask, untilMs))
    } catch (error) {
      return this.#askAgain(error, asked, ask, untilMs)
    }
  }

  async #askAgain<Answer>(
    first: unknown,
    asked: Asked,
    ask: () => Awaitable<Answer>,
    untilMs: number,
  ): Promise<Answer> {
    let failure = first
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      await this.#bear(failure, asked, pauseMs, untilMs)
      try {
        return await ask()
      } catch (error) {
        failure = error
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
