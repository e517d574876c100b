/** All that runs under attack: graphs, waits, and what a client does about each. */
import { choice, doomed, fanOut, flaky, line, list, long, race, raceToTheEnd } from './graphs.ts'
import type { Kind } from './kind.ts'
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
]

export const flows = kinds.map(({ flow }) => flow)

/** Inputs are few, so that the oracle need not run each run again. */
export const INPUTS = 8
