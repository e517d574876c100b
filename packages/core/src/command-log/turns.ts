/** Who asks a backend many things lets so many of them go at the same time; the others wait, those that came first going first. */

/** Of runs: what runs are worked on meanwhile wants answers as well, and a client has only so many sockets. */
export const AT_ONCE = 32

export class Turns {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#taken < this.#most) this.#taken += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#taken -= 1
      else next()
    }
  }
}
