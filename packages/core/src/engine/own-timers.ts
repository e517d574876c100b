/**
 * A retry or a sleep that ends soon is timed by the worker that recorded it, so that it does not wait for the next sweep.
 * Where that worker has died by then, the sweep is a little late.
 */
import type { Claim } from '../ports/claim.ts'
import type { IClock } from '../ports/clock.ts'

/** Waits that end sooner are timed by the worker that recorded them; longer ones are the sweep's. */
export const OWN_TIMER_MS = 60_000

export class OwnTimers {
  readonly #clock: IClock
  readonly #ring: (claim: Claim) => void
  readonly #timers = new Set<() => void>()
  #isStopped = false

  constructor(clock: IClock, ring: (claim: Claim) => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** @param claim what it was, before it waited */
  set(claim: Claim, delayMs: number): void {
    if (delayMs > OWN_TIMER_MS || this.#isStopped) return
    const dueAtMs = this.#clock.now() + delayMs
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      // Timers may fire a moment before the clock says so, and a claim that comes too early is refused.
      const leftMs = dueAtMs - this.#clock.now()
      if (leftMs > 0) this.set(claim, leftMs)
      else this.#ring(claim)
    })
    this.#timers.add(cancel)
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
  }
}
