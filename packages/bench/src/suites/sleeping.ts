/** Whether a look for due work costs what is due, or what exists. */
import type { Comparison, Suite } from '../suite.ts'

const WORKLOAD = 'sleeping-100000'
const FEW = 'µs/look, 1000 asleep'
const MANY = 'µs/look, 100000 asleep'
const ON_FILES = 'sleeping, files'
const contenders = ['sleeping, in memory', ON_FILES]

export const sleeping: Suite = {
  name: 'sleeping',
  cases: [{ workload: WORKLOAD, contenders }],
  comparisons: contenders.map(manyToFew),
}

function manyToFew(contender: string): Comparison {
  return {
    name: `${WORKLOAD}: ${contender}, 100,000 asleep / 1,000`,
    of: { workload: WORKLOAD, contender, unit: MANY },
    to: { workload: WORKLOAD, contender, unit: FEW },
    // In memory a heap says what is due: a hundred times the runs are seven more levels of it, and colder ones.
    ...(contender === ON_FILES ? { budget: { atMost: 1.5 } } : {}),
  }
}
