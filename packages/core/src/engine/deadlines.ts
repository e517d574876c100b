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
 * The timeouts of all attempts of a process behind one timer. Most attempts end long before their time is up, so that
 * adding and removing one has to cost next to nothing; only the timer, every once in a while, looks at all of them. It
 * stays armed when nothing is timed any more: disarming and arming it for every run would cost more than the run.
 */
export class Deadlines {
  readonly #clock: IClock
  /** The newest; the others hang behind it. A set would be made anew every few attempts. */
  #first: Timed | undefined
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
    if (timed.untilMs < this.#armedForMs) this.#arm(timed.untilMs)
  }

  remove(timed: Timed): void {
    const { previousTimed: previous, nextTimed: next } = timed
    if (previous !== undefined) previous.nextTimed = next
    else if (this.#first === timed) this.#first = next
    if (next !== undefined) next.previousTimed = previous
    timed.previousTimed = undefined
    timed.nextTimed = undefined
  }

  #arm(untilMs: number): void {
    this.#cancel?.()
    this.#armedForMs = untilMs
    this.#cancel = this.#clock.after(Math.max(0, untilMs - this.#clock.now()), () => this.#expire(), {
      background: true,
    })
  }

  #expire(): void {
    this.#cancel = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
    const nowMs = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const timed of [...this]) {
      if (timed.untilMs <= nowMs) {
        this.remove(timed)
        timed.expire()
      } else if (timed.untilMs < next) next = timed.untilMs
    }
    if (next !== Number.POSITIVE_INFINITY && next < this.#armedForMs) this.#arm(next)
  }
}
