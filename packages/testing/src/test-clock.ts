import type { IClock } from '@baton/core'
import { settled } from './signal.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

export interface TestClockOptions {
  /** The first instant. Default: some Monday morning in 2026. */
  readonly nowMs?: number
  /** How what runs gets its turns between two instants. Default: until only timers are left, where all is in memory. */
  readonly settle?: () => Promise<void>
}

/** With no timer left, what is under way (a digest, another test loop on this clock) gets this many turns to end. */
const MOST_IDLE_TURNS = 100

/** A clock that stands still until a test moves it. Timers fire in the order of their times, one instant at a time. */
export class TestClock implements IClock {
  readonly #timers = new Set<Timer>()
  readonly #settle: () => Promise<void>
  #nowMs: number

  constructor({ nowMs = Date.UTC(2026, 0, 5, 9), settle = settled }: TestClockOptions = {}) {
    this.#nowMs = nowMs
    this.#settle = settle
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets this much time pass. Whatever becomes due on the way happens at its own instant, and settles. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.#settle()
    while (this.#fireNext(untilMs)) await this.#settle()
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  /** Moves on from timer to timer until the promise is settled, and gives what it gives. */
  async until<Value>(promise: PromiseLike<Value>, withinMs = 3_600_000): Promise<Value> {
    const untilMs = this.#nowMs + withinMs
    let isOver = false
    const over = () => {
      isOver = true
    }
    promise.then(over, over)
    let idleTurns = 0
    while (idleTurns < MOST_IDLE_TURNS) {
      await this.#settle()
      if (isOver) return promise
      idleTurns = this.#fireNext(untilMs) ? 0 : idleTurns + 1
    }
    throw new Error(`it did not happen within ${withinMs} ms of the test's clock`)
  }

  #fireNext(untilMs: number): boolean {
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
