import type { Measurement } from '../suite.ts'

/** Something that is measured on its own terms: no graph to run, or figures of its own. One sample, in its process. */
export type Meter = (workload: string) => Promise<readonly Measurement[]>
