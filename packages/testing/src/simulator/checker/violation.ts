import type { InvariantId } from './invariants.ts'

/** Something that must never be so, and was. */
export class Violation extends Error {
  readonly invariant: InvariantId
  readonly runId: string

  constructor(invariant: InvariantId, runId: string, message: string) {
    super(`${invariant}: ${message} (run ${runId})`)
    this.name = 'Violation'
    this.invariant = invariant
    this.runId = runId
  }
}
