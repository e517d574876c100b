/** A bounded number of places to work in. When the signal fires, nobody waits for one any more. */
export class Slots {
  readonly count: number
  readonly #signal: AbortSignal
  #taken = 0
  readonly #waiting: ((release: (() => void) | undefined) => void)[] = []
  readonly #idle: (() => void)[] = []

  constructor(count: number, signal: AbortSignal) {
    this.count = count
    this.#signal = signal
    // One listener for all who wait: there may be more of them than an event target likes to have.
    signal.addEventListener('abort', () => {
      for (const resolve of this.#waiting.splice(0)) resolve(undefined)
    })
  }

  get free(): number {
    return this.count - this.#taken
  }

  /** @returns how to give the place back, or undefined when none is free */
  tryTake(): (() => void) | undefined {
    if (this.#taken >= this.count) return undefined
    this.#taken += 1
    let given = false
    return () => {
      if (given) return
      given = true
      this.#taken -= 1
      const next = this.#waiting.shift()
      if (next !== undefined) next(this.tryTake())
      else if (this.#taken === 0) for (const resolve of this.#idle.splice(0)) resolve()
    }
  }

  /** Waits for a place; undefined when the signal fires first. */
  async take(): Promise<(() => void) | undefined> {
    if (this.#signal.aborted) return undefined
    return this.tryTake() ?? new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when no place is taken. */
  whenIdle(): Promise<void> {
    if (this.#taken === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }
}
