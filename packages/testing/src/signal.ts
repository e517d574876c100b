/** Something that has happened or not: what tests wait for instead of sleeping. */
export class Signal<Value = void> {
  readonly #promise: Promise<Value>
  #resolve: ((value: Value) => void) | undefined
  #fired = false

  constructor() {
    this.#promise = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get hasFired(): boolean {
    return this.#fired
  }

  /** Only the first call counts. */
  fire(value: Value): void {
    this.#fired = true
    this.#resolve?.(value)
  }

  wait(): Promise<Value> {
    return this.#promise
  }
}

/** Fires when it was counted down as often as it was told to. */
export class Countdown {
  readonly #signal = new Signal()
  #left: number

  constructor(count: number) {
    this.#left = count
  }

  count(): void {
    this.#left -= 1
    if (this.#left <= 0) this.#signal.fire()
  }

  wait(): Promise<void> {
    return this.#signal.wait()
  }
}

/** Lets everything go on that waits for nothing but its turn. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
