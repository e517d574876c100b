import type { RecordedStep } from '../model/run.ts'

/**
 * Feeds recorded results back in the order in which they were recorded.
 *
 * Calls have positions, in the order in which the code makes them. Where branches of a function run side by side, who
 * makes the next call depends on whose result came first. Giving all recorded results at once would let another branch
 * be first than in the attempt that recorded them, and take the other's place; so each result waits until those before
 * it have been given, and what their branches did with them has had time to ask for the next.
 */
export class Replay {
  readonly #turns: ReadonlyMap<number, number>
  readonly #waiting = new Map<number, () => void>()
  #next = 0
  #isGiving = false

  /** @param steps in the order in which they were recorded */
  constructor(steps: readonly RecordedStep[]) {
    this.#turns = new Map(steps.map(({ position }, turn) => [position, turn]))
  }

  /** Resolves when the result recorded for this position may be given. */
  turnOf(position: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(this.#turns.get(position) ?? this.#next, resolve)
      void this.#give()
    })
  }

  async #give(): Promise<void> {
    if (this.#isGiving) return
    this.#isGiving = true
    for (let resolve = this.#take(); resolve !== undefined; resolve = this.#take()) {
      resolve()
      this.#next += 1
      // Long enough for what follows the result, through a few layers of promises, to make its next durable call.
      for (let turn = 0; turn < CONTINUATION_TURNS; turn++) await undefined
    }
    this.#isGiving = false
  }

  #take(): (() => void) | undefined {
    const resolve = this.#waiting.get(this.#next)
    this.#waiting.delete(this.#next)
    return resolve
  }
}

const CONTINUATION_TURNS = 50
