/** What a flow has done to the outside, as its test noted it. */
export interface Effect {
  readonly name: string
  /** What the outside was given to know it again. */
  readonly key: string | undefined
}

export class Ledger {
  readonly #effects: Effect[] = []
  readonly #keys = new Set<string>()

  /** Each one, in order; also those that were done again. */
  get all(): readonly Effect[] {
    return this.#effects
  }

  /** How often something of this name happened, for an outside that knows its keys. */
  count(name: string): number {
    return this.distinct.filter((effect) => effect.name === name).length
  }

  /** Without those whose name and key had been there before. */
  get distinct(): readonly Effect[] {
    const known = new Set<string>()
    return this.#effects.filter(({ name, key }) => {
      if (key === undefined) return true
      const text = JSON.stringify([name, key])
      if (known.has(text)) return false
      known.add(text)
      return true
    })
  }

  /** @returns whether it is new */
  add(name: string, key: string | undefined): boolean {
    this.#effects.push({ name, key })
    if (key === undefined) return true
    const text = JSON.stringify([name, key])
    if (this.#keys.has(text)) return false
    this.#keys.add(text)
    return true
  }
}
