import { BatonError } from '@baton/core'
import { systemClock, wait } from '@baton/core/adapter'
import { ask } from '../asking.ts'
import { queueFailure, storeFailure } from '../aws-errors.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
/** One answer. */
const ANSWER_WITHIN_MS = 20_000

type Call<Answer> = (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>

/** Until when something has to be there. Everything rejects in Baton's words. */
export class Deadline {
  readonly #untilMs: number
  readonly #outage: 'STORE_UNAVAILABLE' | 'QUEUE_UNAVAILABLE'
  #pauseMs = FIRST_PAUSE_MS

  constructor(withinMs: number, outage: 'STORE_UNAVAILABLE' | 'QUEUE_UNAVAILABLE') {
    this.#untilMs = performance.now() + withinMs
    this.#outage = outage
  }

  /** @param orElse makes an answer of a failure that is one, or undefined */
  async ask<Answer>(call: Call<Answer>, orElse: (error: unknown) => Answer | undefined = () => undefined) {
    const leftMs = Math.max(1, this.#untilMs - performance.now())
    try {
      return await ask(call, { withinMs: Math.min(ANSWER_WITHIN_MS, leftMs) })
    } catch (error) {
      const answer = orElse(error)
      if (answer !== undefined) return answer
      throw this.#outage === 'STORE_UNAVAILABLE' ? storeFailure(error) : queueFailure(error)
    }
  }

  /** Waits a little before the next look. @param what there is to wait for, should it never come */
  async pause(what: string): Promise<void> {
    const leftMs = this.#untilMs - performance.now()
    if (leftMs <= 0) throw new BatonError(this.#outage, { message: `${what}, and the time is up` })
    await wait(systemClock, Math.min(leftMs, this.#pauseMs * (0.5 + Math.random() / 2)))
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 1.5)
  }
}
