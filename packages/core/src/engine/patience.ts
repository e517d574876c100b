import { BatonError } from '../model/errors.ts'
import { type IClock, wait } from '../ports/clock.ts'
import type { ILogger, LogFields } from '../ports/logger.ts'

export interface PatienceOptions {
  readonly clock: IClock
  readonly logger: ILogger
  readonly fields: LogFields
  /** After this instant nobody waits any longer, and the last error is thrown. */
  readonly untilMs: number
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000

/**
 * Asks a store until it answers. Safe because every change carries an id: asked again, a store that has already done it
 * says so. An outage is never the failure of a node (nothing here counts as an attempt).
 */
export async function patiently<Answer>(
  ask: () => Answer | PromiseLike<Answer>,
  options: PatienceOptions,
): Promise<Answer> {
  const { clock, logger, fields, untilMs } = options
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await ask()
    } catch (error) {
      const isHopeless = BatonError.is(error) && !error.retryable
      if (isHopeless || clock.now() + pauseMs > untilMs) throw error
      logger.log('warn', `the store did not answer; asking again in ${pauseMs} ms`, { ...fields, error })
      await wait(clock, pauseMs)
    }
  }
}
