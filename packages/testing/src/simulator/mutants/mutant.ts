/** A bug on purpose: what the simulation has to find, or it proves nothing. */
import type { IJobQueue, IRunStore } from '@baton/core'
import type { Delivery, RunMachine } from '@baton/core/adapter'
import type { Actor } from '../world/actor.ts'

export interface Mutant {
  readonly name: string
  /** Where the bug would sit in the engine. */
  readonly where: string
  /** A seed that catches it, for the tests. */
  readonly seed: number
  /** The store as a process sees it: bugs of decide, chain, leases, sweeper and client show in what they ask of it. */
  store?(store: IRunStore, actor: Actor): IRunStore
  queue?(queue: IJobQueue, actor: Actor): IJobQueue
  delivery?(delivery: Delivery, actor: Actor): Delivery
  /** The machine of a run, right after it was made: bugs of the rules by which a run changes. */
  machine?(machine: RunMachine): void
}
