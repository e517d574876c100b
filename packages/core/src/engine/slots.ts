/** A bounded number of places to work in. */
export class Slots {
  readonly count: number
  #taken = 0
  readonly #waiting: ((release: (() => void) | undefined) => void)[] = []
  readonly #idle: (() => void)[] = []

  constructor(count: number) {
    this.count = count
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
  async take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined
    const release = this.tryTake()
    if (release !== undefined) return release
    return new Promise((resolve) => {
      const leave = () => {
        const index = this.#waiting.indexOf(granted)
        if (index !== -1) this.#waiting.splice(index, 1)
        resolve(undefined)
      }
      const granted = (given: (() => void) | undefined) => {
        signal.removeEventListener('abort', leave)
        resolve(given)
      }
      this.#waiting.push(granted)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** Resolves when no place is taken. */
  whenIdle(): Promise<void> {
    if (this.#taken === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }
}
