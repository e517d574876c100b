/** The file store against the machine's own rate of durable appends, and the bytes that a commit writes. */
import type { Case, Comparison, Suite } from '../suite.ts'

const W4 = 'w4-line-10'
const W7 = 'w7-context-1mb'
const FLOOR = { workload: W4, contender: 'append-fdatasync', unit: 'appends/s' }

const cases: readonly Case[] = [
  { workload: W4, contenders: ['append-fdatasync', 'file-store, 1 run', 'file-store, 50 runs'] },
  { workload: W7, contenders: ['file-store, 1 MB context'] },
]

const comparisons: readonly Comparison[] = [
  versusAppends('file-store, 1 run', 0.5),
  versusAppends('file-store, 50 runs', 2),
]

export const file: Suite = { name: 'file', cases, comparisons }

function versusAppends(contender: string, atLeast: number): Comparison {
  return {
    name: `${W4}: ${contender}, nodes/s / append-fdatasync, appends/s`,
    of: { workload: W4, contender, unit: 'nodes/s' },
    to: FLOOR,
    budget: { atLeast },
  }
}
