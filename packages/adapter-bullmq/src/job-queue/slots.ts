/** Places for handlers. One loop waits for them. */
export class Slots {
  readonly #limit: number
  readonly #stop: AbortSignal
  #used = 0
  #wake = () => {}

  constructor(limit: number, stop: AbortSignal) {
    this.#limit = limit
    this.#stop = stop
    stop.addEventListener('abort', () => this.#wake(), { once: true })
  }

  use(work: Promise<void>): void {
    this.#used += 1
    void work.finally(() => {
      this.#used -= 1
      this.#wake()
    })
  }

  /** Resolves at the stop, too. */
  async oneFree(): Promise<void> {
    while (this.#used >= this.#limit && !this.#stop.aborted) await this.#change()
  }

  async allFree(): Promise<void> {
    while (this.#used > 0) await this.#change()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
