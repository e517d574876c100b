/** The handlers of one consumer: how many run, and for how many more there is room. Pure bookkeeping. */
export class Slots {
  readonly count: number
  #running = 0

  constructor(count: number) {
    this.count = count
  }

  get spare(): number {
    return this.count - this.#running
  }

  get isQuiet(): boolean {
    return this.#running === 0
  }

  /** @returns how many of those that came may run, and count as running from now on */
  take(came: number): number {
    const taken = Math.min(came, this.spare)
    this.#running += taken
    return taken
  }

  ended(): void {
    this.#running -= 1
  }
}
