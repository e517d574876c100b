/** Whether a late step of a long loop costs what an early one costs. */
import type { Comparison, Suite } from '../suite.ts'

const WORKLOAD = 'loop-10000'
const EARLY = 'ns/step, 200 to 300'
const LATE = 'ns/step, 9900 to 10000'
const contenders = ['loop, in-process', 'loop, files']

export const loop: Suite = {
  name: 'loop',
  cases: [{ workload: WORKLOAD, contenders }],
  comparisons: contenders.map(lateToEarly),
}

function lateToEarly(contender: string): Comparison {
  return {
    name: `${WORKLOAD}: ${contender}, ${LATE} / 200 to 300`,
    of: { workload: WORKLOAD, contender, unit: LATE },
    to: { workload: WORKLOAD, contender, unit: EARLY },
    budget: { atMost: 1.2 },
  }
}
