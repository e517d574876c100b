import type { Measurement } from '../suite.ts'

/** Something that is measured on its own terms: no graph to run, or figures of its own. One sample, in its process. */
export type Meter = (workload: string) => Promise<readonly Measurement[]>

/** A sample that is warm, and works only when it is its turn: those that it is compared with have the turns between. */
export interface TurnTaker {
  turn(): Promise<void>
  /** Of all its turns. Afterwards it is of no use any more. */
  end(): Promise<readonly Measurement[]>
}

export type TurningMeter = (workload: string) => Promise<TurnTaker>
