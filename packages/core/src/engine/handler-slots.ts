/** How many handlers of a queue may run at a time. For queues: one loop waits for a free one. */
export class HandlerSlots {
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
