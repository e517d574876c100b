/** The simulator: real engine code on a clock, a store and a queue that a seed plays with. Needs no test runner. */
export { Dice } from '../dice.ts'
export { type Invariant, type InvariantId, invariants } from './checker/invariants.ts'
export type { Violation } from './checker/violation.ts'
export type { FaultKind } from './faults/faults.ts'
export type { Limits } from './plan.ts'
export { type Simulated, type SimulateOptions, simulate } from './simulate.ts'
export type { StoreCall } from './world/recording-store.ts'
