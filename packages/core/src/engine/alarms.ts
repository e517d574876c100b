/**
 * Alarms for limiters under a rate: the process that hears when the next run may be let in sees to it at that time. Where
 * it has died by then, the sweep is a little late.
 */
import type { RunId } from '../model/ids.ts'
import type { IClock } from '../ports/clock.ts'

export class Alarms {
  readonly #clock: IClock
  readonly #longestMs: number
  readonly #ring: (runId: RunId) => void
  readonly #set = new Map<RunId, { readonly atMs: number; readonly cancel: () => void }>()
  #isStopped = false

  /** @param longestMs what takes longer is left to the sweep */
  constructor(clock: IClock, longestMs: number, ring: (runId: RunId) => void) {
    this.#clock = clock
    this.#longestMs = longestMs
    this.#ring = ring
  }

  set(runId: RunId, delayMs: number): void {
    const atMs = this.#clock.now() + delayMs
    const known = this.#set.get(runId)
    if (this.#isStopped || delayMs > this.#longestMs || (known !== undefined && known.atMs <= atMs)) return
    known?.cancel()
    // The store's clock may be a little behind this one: then it is asked again, but not without end in one go.
    const cancel = this.#clock.after(Math.max(1, delayMs), () => {
      this.#set.delete(runId)
      this.#ring(runId)
    })
    this.#set.set(runId, { atMs, cancel })
  }

  stop(): void {
    this.#isStopped = true
    for (const { cancel } of this.#set.values()) cancel()
    this.#set.clear()
  }
}
