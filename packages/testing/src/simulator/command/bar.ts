const WIDTH = 30

/** How far it is, on stderr: a bar for people, a line now and then for logs. */
export class Bar {
  readonly #total: number
  readonly #unit: string
  readonly #isTerminal = process.stderr.isTTY === true
  #done = 0
  #told = 0

  constructor(total: number, unit: string) {
    this.#total = total
    this.#unit = unit
  }

  add(count: number, note: string): void {
    this.#done += count
    const part = this.#done / this.#total
    if (this.#isTerminal) {
      const filled = Math.min(WIDTH, Math.round(part * WIDTH))
      const bar = `${'█'.repeat(filled)}${'·'.repeat(WIDTH - filled)}`
      process.stderr.write(`\r${bar} ${this.#done}/${this.#total} ${this.#unit} ${note}\u001b[K`)
    } else if (part - this.#told >= 0.1) {
      this.#told = part
      process.stderr.write(`${this.#done}/${this.#total} ${this.#unit} ${note}\n`)
    }
  }

  end(): void {
    if (this.#isTerminal) process.stderr.write('\n')
  }
}
