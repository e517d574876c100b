/** The limits that a run is under, as the referee follows them from its events: at which gate it waits, and what it tells. */
import type { Gate } from '@baton/core'
import type { FamilyModel } from './family-model.ts'

export class GatesModel {
  readonly gates: readonly Gate[]
  /** How many it has passed. */
  passed = 0
  readonly #family: FamilyModel
  #askedAtMs: number

  /** @param atMs from when on it asks */
  constructor(gates: readonly Gate[], family: FamilyModel, atMs: number) {
    this.gates = gates
    this.#family = family
    this.#askedAtMs = atMs
    this.#asks(atMs)
  }

  /** Nothing of the run may start yet. */
  get isClosed(): boolean {
    return this.passed < this.gates.length
  }

  /** Whether a slot of this limiter is the one that it waits for. */
  passes(limiter: string, atMs: number): boolean {
    const gate = this.gates[this.passed]
    if (gate?.limiter !== limiter) return false
    this.#family.takesBack(requestOf(gate))
    this.passed += 1
    this.#asks(atMs)
    return true
  }

  /** It has ended: what it holds or waits for is given back. What a rate has let in holds nothing. */
  leaves(atMs: number): void {
    for (const [index, gate] of this.gates.slice(0, this.passed + 1).entries()) {
      const isWaiting = index === this.passed
      if (!isWaiting && gate.perMs !== undefined) continue
      const wasAsked = this.#family.outbox.has(requestOf(gate))
      this.#family.takesBack(requestOf(gate))
      if (isWaiting && wasAsked && this.#askedAtMs > atMs) continue
      this.#family.tells(`slot-release:${gate.limiter}`, { type: 'slot-release', to: gate.limiter })
    }
  }

  #asks(atMs: number): void {
    const gate = this.gates[this.passed]
    if (gate === undefined) return
    this.#askedAtMs = atMs
    this.#family.tells(requestOf(gate), { type: 'slot-request', to: gate.limiter })
  }
}

function requestOf({ limiter }: Gate): string {
  return `slot-request:${limiter}`
}
