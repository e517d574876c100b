/** Lines that a caller does not know yet, as they are found: those that follow on what it knows, without a gap. */
export class Missed {
  readonly #from: number
  readonly #lines: string[] = []

  /** @param from how many the caller knows */
  constructor(from: number) {
    this.#from = from
  }

  /** @param before how many lines there are before these */
  add(before: number, lines: readonly string[]): void {
    const next = this.#from + this.#lines.length
    if (before > next) return
    this.#lines.push(...lines.slice(next - before))
  }

  get lines(): readonly string[] {
    return this.#lines
  }
}
