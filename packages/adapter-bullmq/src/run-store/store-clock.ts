/** The time by Redis, as far as it is known here: that of the last answer, and what has passed since. */
export class StoreClock {
  #offsetMs: number | undefined

  /** @param nowMs the time in an answer */
  note(nowMs: number): void {
    // An answer is older than its arrival: the latest that we ever were is nearest to the truth, until clocks drift.
    const offsetMs = nowMs - performance.now()
    if (this.#offsetMs === undefined || offsetMs > this.#offsetMs || offsetMs < this.#offsetMs - 1_000) {
      this.#offsetMs = offsetMs
    } else this.#offsetMs += (offsetMs - this.#offsetMs) / 256
  }

  now(): number {
    return Math.floor(this.#offsetMs === undefined ? Date.now() : this.#offsetMs + performance.now())
  }
}
