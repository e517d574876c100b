/** All that runs under attack: graphs, waits, other runs, limits, and what a client and operators do about each. */
import type { RunnableFlow } from '@baton/core'
import { withSchedules } from '@baton/schedule'
import { chain, newsOf } from './chains.ts'
import { failingLeaf, family, leaf, limitedLeaf, middle, orphans, slowLeaf } from './families.ts'
import { choice, doomed, fanOut, flaky, line, list, long, race, raceToTheEnd } from './graphs.ts'
import type { Kind } from './kind.ts'
import { rated, slots, slotsLeft } from './limits.ts'
import { rounds, tours } from './loops.ts'
import { brittle, brittleBranch } from './redrives.ts'
import { approval, cancelled, nap, news, steps } from './waits.ts'

export const kinds: readonly Kind[] = [
  { flow: line },
  { flow: fanOut },
  { flow: race },
  { flow: raceToTheEnd },
  { flow: choice },
  { flow: list },
  { flow: flaky },
  { flow: doomed },
  { flow: long },
  { flow: steps },
  { flow: nap },
  { flow: approval, decide: (run, input) => (input % 3 === 0 ? run.deny() : run.approve()) },
  { flow: news, begin: (run, input) => run.signal('news', { heard: input }, { signalId: 'once' }) },
  { flow: cancelled, mayBeCancelled: true },
  { flow: rounds },
  { flow: tours },
  { flow: family },
  { flow: orphans, mayBeCancelled: true },
  { flow: chain, news: newsOf },
  { flow: chain, news: newsOf, mayBeCancelled: true },
  { flow: slots, options: (input) => ({ limitKey: `customer-${input % 3}`, priority: input % 2 }) },
  { flow: slotsLeft, mayBeCancelled: true },
  { flow: rated },
  { flow: brittle, isBrittle: true },
  { flow: brittleBranch, isBrittle: true },
]

/** What schedules start. */
export const scheduled: Kind = { flow: line }

/** Started by others alone. */
const children: readonly RunnableFlow[] = [leaf, limitedLeaf, failingLeaf, slowLeaf, middle]

const own = [...kinds.map(({ flow }) => flow), ...children]

export const flows: readonly RunnableFlow[] = withSchedules(own)

const byId = new Map(own.map((flow) => [flow.toBlueprint().id, flow]))

export function flowOf(flowId: string): RunnableFlow | undefined {
  return byId.get(flowId)
}

/** Inputs are few, so that the oracle need not run each run again. */
export const INPUTS = 8
