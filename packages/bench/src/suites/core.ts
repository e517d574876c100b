/** Baton in one process: against flowcraft, against floors, and against itself on graphs of another size. */
import type { Budget, Case, Comparison, Suite } from '../suite.ts'

const RATE = 'nodes/s'
const MEMORY = 'MB peak'
const BATON = 'baton-in-process'

const W1 = 'w1-line-10'
const W2 = 'w2-layers-10000'
const W3 = 'w3-fan-out-100'

// Sizes that are compared stand side by side, and Baton at the end that touches the other size: whichever way a round
// goes, its two samples come right after each other.
const cases: readonly Case[] = [
  { workload: W1, contenders: [BATON, 'flowcraft', 'floor-engine', 'floor-loop'] },
  { workload: 'layers-1000', contenders: [BATON] },
  { workload: W2, contenders: [BATON, 'flowcraft', 'floor-engine'] },
  { workload: W3, contenders: [BATON, 'flowcraft', 'floor-engine', 'floor-loop'] },
  { workload: 'line-1000', contenders: [BATON] },
  { workload: 'line-10000', contenders: [BATON] },
]

const comparisons: readonly Comparison[] = [
  versus(W1, BATON, 'flowcraft', RATE, { atLeast: 10 }),
  versus(W2, BATON, 'flowcraft', RATE, { atLeast: 30 }),
  versus(W3, BATON, 'flowcraft', RATE, { atLeast: 10 }),
  versus(W1, BATON, 'floor-engine', RATE, {
    atLeast: 0.15,
    countsIf: { comparison: `${W1}: floor-engine / flowcraft, ${RATE}`, atLeast: 60 },
  }),
  versus(W2, BATON, 'floor-engine', RATE),
  versus(W3, BATON, 'floor-engine', RATE),
  versus(W1, 'floor-engine', 'flowcraft', RATE),
  versus(W2, 'floor-engine', 'flowcraft', RATE),
  versus(W3, 'floor-engine', 'flowcraft', RATE),
  scaling('line-10000', 'line-1000'),
  scaling(W2, 'layers-1000'),
  versus(W1, BATON, 'flowcraft', MEMORY, { atMost: 1 }),
  versus(W2, BATON, 'flowcraft', MEMORY, { atMost: 1 }),
  versus(W3, BATON, 'flowcraft', MEMORY, { atMost: 1 }),
]

export const core: Suite = { name: 'core', cases, comparisons }

function versus(workload: string, contender: string, other: string, unit: string, budget?: Budget): Comparison {
  return {
    name: `${workload}: ${contender} / ${other}, ${unit}`,
    of: { workload, contender, unit },
    to: { workload, contender: other, unit },
    ...(budget === undefined ? {} : { budget }),
  }
}

/** A node of a large graph should cost what a node of a small one costs. */
function scaling(large: string, small: string): Comparison {
  return {
    name: `${BATON}: ${large} / ${small}, ${RATE}`,
    of: { workload: large, contender: BATON, unit: RATE },
    to: { workload: small, contender: BATON, unit: RATE },
    budget: { atLeast: 0.8 },
  }
}
