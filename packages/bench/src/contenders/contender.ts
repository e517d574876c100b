import type { Workload } from '../workloads/workload.ts'

/**
 * Something that can run a graph. What it does once per graph (building, compiling) happens in `prepare`; each call of
 * what that gives is one whole run, and resolves to the sum of what the terminal nodes gave.
 */
export interface GraphContender {
  prepare(workload: Workload): GraphRun
}

export type GraphRun = () => Promise<number>

/** Sums the terminals' outputs in a way that misses none: something absent makes it NaN. */
export function sumOf(workload: Workload, outputOf: (nodeId: string) => unknown): number {
  let sum = 0
  for (const id of workload.terminals) sum += outputOf(id) as number
  return sum
}
