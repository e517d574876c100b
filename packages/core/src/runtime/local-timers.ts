import type { IClock } from '../ports/clock.ts'

/** What of one run waits for its time. There is no sweep here: as long as something waits, the run has not come to rest. */
export class LocalTimers {
  readonly #clock: IClock
  readonly #timers = new Set<() => void>()

  constructor(clock: IClock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#timers.size === 0
  }

  at(atMs: number, callback: () => void): void {
    const cancel = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => {
      this.#timers.delete(cancel)
      callback()
    })
    this.#timers.add(cancel)
  }

  stop(): void {
    for (const cancel of this.#timers) cancel()
  }
}
