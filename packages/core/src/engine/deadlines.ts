import type { IClock } from '../ports/clock.ts'

/** Something that must be over by an instant. */
export interface Timed {
  readonly untilMs: number
  expire(): void
}

/**
 * The timeouts of all attempts of a process behind one timer. Most attempts end long before their time is up, so that
 * adding and removing one has to cost next to nothing; only the timer, every once in a while, looks at all of them.
 */
export class Deadlines {
  readonly #clock: IClock
  readonly #timed = new Set<Timed>()
  #cancel: (() => void) | undefined
  #armedForMs = Number.POSITIVE_INFINITY

  constructor(clock: IClock) {
    this.#clock = clock
  }

  get timed(): Iterable<Timed> {
    return this.#timed
  }

  add(timed: Timed): void {
    this.#timed.add(timed)
    if (timed.untilMs < this.#armedForMs) this.#arm(timed.untilMs)
  }

  remove(timed: Timed): void {
    this.#timed.delete(timed)
  }

  /** Lets the process exit when nothing is timed any more. For the end of a run, not of each attempt: timers cost. */
  rest(): void {
    if (this.#timed.size === 0) this.#disarm()
  }

  #arm(untilMs: number): void {
    this.#cancel?.()
    this.#armedForMs = untilMs
    this.#cancel = this.#clock.after(Math.max(0, untilMs - this.#clock.now()), () => this.#expire())
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
  }

  #expire(): void {
    this.#disarm()
    const nowMs = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const timed of [...this.#timed]) {
      if (timed.untilMs <= nowMs) {
        this.#timed.delete(timed)
        timed.expire()
      } else if (timed.untilMs < next) next = timed.untilMs
    }
    if (next !== Number.POSITIVE_INFINITY && next < this.#armedForMs) this.#arm(next)
  }
}
