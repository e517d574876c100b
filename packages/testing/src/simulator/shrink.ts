/** A failing seed made small: fewer people, fewer nodes, fewer faults, as long as the same thing still goes wrong. */
import { faultKinds } from './faults/faults.ts'
import type { Mutant } from './mutants/mutant.ts'
import type { Limits } from './plan.ts'
import { type Simulated, simulate } from './simulate.ts'
import { features } from './workload/features/index.ts'

export interface Shrunk {
  readonly limits: Limits
  readonly simulated: Simulated
}

export interface ShrinkOptions {
  readonly mutant?: Mutant | undefined
  /** How many smaller worlds are tried at most. */
  readonly tries?: number
}

/** Enough for most; what is not small after that is small enough. */
const MOST_TRIES = 300

export async function shrink(found: Simulated, { mutant, tries = MOST_TRIES }: ShrinkOptions = {}): Promise<Shrunk> {
  const shrinking = new Shrinking(found, mutant, tries)
  await shrinking.go()
  const simulated = await simulate({ seed: found.seed, limits: shrinking.limits, mutant, keepsTrace: true })
  return { limits: shrinking.limits, simulated }
}

class Shrinking {
  limits: Limits = {}
  #best: Simulated
  readonly #mutant: Mutant | undefined
  #triesLeft: number

  constructor(found: Simulated, mutant: Mutant | undefined, tries: number) {
    this.#triesLeft = tries
    this.#best = found
    this.#mutant = mutant
  }

  async go(): Promise<void> {
    // What one pass leaves out may make it possible to leave out more.
    for (let steps = 0; steps !== this.#best.steps; ) {
      steps = this.#best.steps
      await this.#pass()
    }
  }

  async #pass(): Promise<void> {
    for (const limits of [{ runs: 1 }, { operators: 0 }, { clients: 1 }]) await this.#fails(limits)
    for (const workers of [1, 2, 3]) if (await this.#fails({ workers })) break
    for (const maxNodes of [1, 2, 3, 5, 8, 15]) if (await this.#fails({ maxNodes })) break
    for (const kind of faultKinds) {
      if (this.limits.without?.includes(kind) !== true)
        await this.#fails({ without: [...(this.limits.without ?? []), kind] })
    }
    for (const { name } of features) {
      if (this.limits.withoutFeatures?.includes(name) !== true)
        await this.#fails({ withoutFeatures: [...(this.limits.withoutFeatures ?? []), name] })
    }
    await this.#dropFaults()
  }

  /** Leaves out ever smaller parts of the faults that happened. */
  async #dropFaults(): Promise<void> {
    for (let size = Math.ceil(this.#best.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < this.#best.faults.length; ) {
        const faults = this.#best.faults.toSpliced(at, size)
        if (!(await this.#fails({ faults }))) at += size
      }
    }
  }

  /** Whether the same goes wrong with less. Then that is where to go on from. */
  async #fails(less: Limits): Promise<boolean> {
    if (this.#triesLeft-- <= 0) return false
    const limits = { ...this.limits, ...less }
    const tried = await simulate({ seed: this.#best.seed, limits, mutant: this.#mutant })
    if (tried.violation?.invariant !== this.#best.violation?.invariant) return false
    // With less to go wrong it may take longer until it does. That is not smaller.
    if (tried.steps > this.#best.steps) return false
    this.limits = limits
    this.#best = tried
    return true
  }
}
