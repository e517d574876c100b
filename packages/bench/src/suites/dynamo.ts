/** Baton on DynamoDB and SQS, by servers that play them: what a wide run on four workers costs beside as many runs of one node. */
import { openAws } from '../dynamo/server.ts'
import type { Comparison, Limit, Suite } from '../suite.ts'

const W6 = 'w6-fan-200'
const W5 = 'w5-line-10'
const WIDE = 'a wide run on four workers'
const SINGLE = '200 runs of one node'
const LINES = 'lines on four workers'

const comparisons: readonly Comparison[] = [
  {
    name: `${W6}: ${WIDE} / ${SINGLE}, ms`,
    of: { workload: W6, contender: WIDE, unit: 'ms' },
    to: { workload: W6, contender: SINGLE, unit: 'ms' },
    budget: { atMost: 3 },
  },
]

const limits: readonly Limit[] = [
  { workload: W6, contender: WIDE, unit: 'writes in vain/node', atMost: 0.05 },
  // One for each node; and for each run of ten its beginning, its claim, its end, and up to three moves of its marks.
  { workload: W5, contender: LINES, unit: 'writes/node', atMost: 1.6 },
  { workload: W5, contender: LINES, unit: 'reads/node', atMost: 1 },
  { workload: W5, contender: LINES, unit: 'write units/node', atMost: 3 },
]

export const dynamo: Suite = {
  name: 'dynamo',
  cases: [
    { workload: W6, contenders: [WIDE, SINGLE] },
    { workload: W5, contenders: [LINES] },
  ],
  comparisons,
  limits,
  open: openAws,
}
