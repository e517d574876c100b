/** What goes wrong in the world of a test. By itself nothing does; each check of a flow plans its own. */

import type { FaultRates } from '../../simulator/faults/faults.ts'
import { Faults, faultKinds } from '../../simulator/faults/faults.ts'
import type { Actor } from '../../simulator/world/actor.ts'
import type { Happening } from '../../simulator/world/timeline.ts'

const NONE = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as FaultRates

export class Mishaps extends Faults {
  constructor() {
    super({ seed: 0, rates: NONE, leaseMs: 0 })
    this.heal()
  }

  /** Which of several workers a job goes to. */
  override below(_limit: number): number {
    return 0
  }

  /** What a dead process goes on to ask, because nobody can stop its code, never arrives. */
  override losesRequestOfTheDead(): boolean {
    return true
  }

  /** Told of each thing before it happens. @returns the worker that dies now */
  strikes(_happening: Happening): Actor | undefined {
    return undefined
  }

  /** Told of each effect that node code has had on the outside. @returns whether the worker dies now */
  strikesAfterEffect(_name: string): boolean {
    return false
  }
}
