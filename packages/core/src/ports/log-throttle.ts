import type { IClock } from './clock.ts'

/** How loud to say what goes wrong again and again: a warning the first time, and then once in a while. */
export class LogThrottle {
  readonly #clock: Pick<IClock, 'now'>
  readonly #everyMs: number
  #nextAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<IClock, 'now'>, everyMs = 60_000) {
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** Of one more failure. */
  level(): 'warn' | 'debug' {
    const nowMs = this.#clock.now()
    if (nowMs < this.#nextAtMs) return 'debug'
    this.#nextAtMs = nowMs + this.#everyMs
    return 'warn'
  }

  /** It went well again: the next failure is news. @returns whether it went wrong before */
  over(): boolean {
    const wasWrong = this.#nextAtMs !== Number.NEGATIVE_INFINITY
    this.#nextAtMs = Number.NEGATIVE_INFINITY
    return wasWrong
  }
}
