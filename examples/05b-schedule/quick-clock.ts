import type { IClock } from '@baton/core'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock that jumps from timer to timer as soon as nothing else is left to do. For examples; tests have better ones. */
export class QuickClock implements IClock {
  #nowMs: number
  readonly #timers = new Set<Timer>()

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    while (await this.#fireNext(untilMs)) {}
    this.#nowMs = untilMs
  }

  /** Lets time pass until this is done. */
  async during(work: Promise<void>): Promise<void> {
    let isDone = false
    const over = () => {
      isDone = true
    }
    work.then(over, over)
    while (!isDone && (await this.#fireNext(Number.POSITIVE_INFINITY))) {}
    await work
  }

  async #fireNext(untilMs: number): Promise<boolean> {
    // What runs gets its turns first.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer
    }
    if (next === undefined) return false
    this.#timers.delete(next)
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.callback()
    return true
  }
}
