import type { IClock } from '../ports/clock.ts'

/** Something that must be over by an instant. It is its own link in the list of all that is timed. */
export abstract class Timed {
  abstract readonly untilMs: number
  /** @internal */
  previousTimed: Timed | undefined = undefined
  /** @internal */
  nextTimed: Timed | undefined = undefined
  abstract expire(): void
}

/**
 * The timeouts of all attempts of a process behind one timer, at next to no cost for attempts that are over before the
 * process turns to its timers: only what is still under way then is looked at. While something is timed the process
 * stays alive; afterwards it may exit.
 */
export class Deadlines {
  readonly #clock: IClock
  /** The newest; the others hang behind it. A set would be made anew every few attempts. */
  #first: Timed | undefined
  #isSoon = false
  #cancel: (() => void) | undefined
  #armedForMs = Number.POSITIVE_INFINITY

  constructor(clock: IClock) {
    this.#clock = clock
  }

  *[Symbol.iterator](): Iterator<Timed> {
    for (let timed = this.#first; timed !== undefined; timed = timed.nextTimed) yield timed
  }

  add(timed: Timed): void {
    const next = this.#first
    timed.nextTimed = next
    if (next !== undefined) next.previousTimed = timed
    this.#first = timed
    if (this.#isSoon) return
    this.#isSoon = true
    this.#clock.after(0, () => {
      this.#isSoon = false
      this.#look()
    })
  }

  remove(timed: Timed): void {
    const { previousTimed: previous, nextTimed: next } = timed
    if (previous !== undefined) previous.nextTimed = next
    else if (this.#first === timed) this.#first = next
    if (next !== undefined) next.previousTimed = previous
    timed.previousTimed = undefined
    timed.nextTimed = undefined
    if (this.#first === undefined && this.#cancel !== undefined) this.#disarm()
  }

  #look(): void {
    const nowMs = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const timed of [...this]) {
      if (timed.untilMs <= nowMs) {
        this.remove(timed)
        timed.expire()
      } else if (timed.untilMs < next) next = timed.untilMs
    }
    if (next >= this.#armedForMs) return
    this.#disarm()
    this.#armedForMs = next
    this.#cancel = this.#clock.after(next - nowMs, () => {
      this.#disarm()
      this.#look()
    })
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
  }
}
