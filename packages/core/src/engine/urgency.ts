import type { IClock } from '../ports/clock.ts'

/** For this long it counts that something urgent came by: there may be more of it in the queue. */
const RECENT_MS = 1_000

/**
 * What came by of late. Nobody can look into a queue; but where urgent work has come, more may wait behind the work that
 * a worker is at. So a run that is less urgent goes back to the queue after each node for a while, and the queue says
 * who is next.
 */
export class Urgency {
  readonly #clock: IClock
  #priority = 0
  #untilMs = 0

  constructor(clock: IClock) {
    this.#clock = clock
  }

  note(priority: number): void {
    const nowMs = this.#clock.now()
    if (priority < this.#priority && nowMs < this.#untilMs) return
    this.#priority = priority
    this.#untilMs = nowMs + RECENT_MS
  }

  /** Whether something of a higher priority came by a short while ago. */
  outranks(priority: number): boolean {
    return priority < this.#priority && this.#clock.now() < this.#untilMs
  }
}
