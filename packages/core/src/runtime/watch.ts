import { NEVER } from '../model/run-state.ts'
import type { IClock } from '../ports/clock.ts'

export interface Watched {
  /** Where the watch keeps it. */
  place: number
  /** Ends what is late. @returns when to look again */
  lookAt(nowMs: number): number
}

/**
 * Sees to it that attempts of plain runs end in time, at next to no cost for those that are over before the process
 * turns to its timers: only what is still under way then is looked at, and counts from there.
 */
export class Watch {
  readonly #clock: IClock
  readonly #runs: Watched[] = []
  #isSoon = false
  #cancel: (() => void) | undefined
  #nextMs = NEVER

  constructor(clock: IClock) {
    this.#clock = clock
  }

  add(run: Watched): void {
    run.place = this.#runs.length
    this.#runs.push(run)
  }

  remove(run: Watched): void {
    const last = this.#runs.pop() as Watched
    if (last !== run) {
      this.#runs[run.place] = last
      last.place = run.place
    } else if (this.#runs.length === 0 && this.#cancel !== undefined) {
      this.#cancel()
      this.#cancel = undefined
      this.#nextMs = NEVER
    }
  }

  /** An attempt has begun. */
  soon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    this.#clock.after(0, () => {
      this.#isSoon = false
      this.#look()
    })
  }

  #look(): void {
    const nowMs = this.#clock.now()
    let next = NEVER
    for (const run of this.#runs.slice()) next = Math.min(next, run.lookAt(nowMs))
    if (next >= this.#nextMs) return
    this.#cancel?.()
    this.#nextMs = next
    this.#cancel = this.#clock.after(next - nowMs, () => {
      this.#cancel = undefined
      this.#nextMs = NEVER
      this.#look()
    })
  }
}
