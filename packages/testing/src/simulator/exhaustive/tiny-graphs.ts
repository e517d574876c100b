/** Flows of a few nodes, each about one race. */
import { createFlow, type NodeArguments } from '@baton/core'
import { continuedInput } from '../workload/inputs.ts'
import type { TinyGraph } from './tiny-world.ts'

export type { TinyGraph }

/** What the referee expects the run to be given that goes on for the first. */
const continued = continuedInput('tiny')

const ok = () => ({ output: 1 })
const fails = () => {
  throw new Error('no')
}
const approve = async ({ approval }: { approval(name: string): Promise<unknown> }) => {
  await approval('ok')
}

const child = createFlow('child').node('c', ok)

const runOf = async (runChild: NodeArguments['runChild']) => ({
  output: await runChild(child, 1, { runId: 'tiny-child' }),
})

/** The run goes on once, and the next one waits for news: also for what has come to the first. */
const goesOn = async ({ runId, waitForSignal, continueAsNew }: NodeArguments) => {
  if (!runId.endsWith('@2')) return continueAsNew(continued)
  await waitForSignal('news')
  return { output: 1 }
}

const fork = (name: string, join: 'all' | 'any') =>
  createFlow(name)
    .node('a', ok)
    .node('b', ok)
    .node('join', ok, { joinStrategy: join })
    .edge('a', 'join')
    .edge('b', 'join')

export const tinyGraphs: readonly TinyGraph[] = [
  { name: 'claim race', flow: createFlow('claim-race').node('a', ok), doubled: true, ends: ['completed'] },
  { name: 'all join of two', flow: fork('all-join', 'all'), ends: ['completed'] },
  { name: 'any join of two', flow: fork('any-join', 'any'), ends: ['completed'] },
  {
    name: 'any join of a success and a failure',
    flow: createFlow('any-or-failure')
      .node('a', ok)
      .node('b', fails)
      .node('join', ok, { joinStrategy: 'any' })
      .edge('a', 'join')
      .edge('b', 'join'),
    // Whichever comes first: the failure calls the join off, or comes too late for it.
    ends: ['completed', 'failed'],
  },
  {
    name: 'redelivered last branch',
    flow: createFlow('last-branch').node('a', ok).node('join', ok).edge('a', 'join'),
    doubled: true,
    ends: ['completed'],
  },
  {
    name: 'cancel race',
    flow: createFlow('cancel-race').node('a', ok).node('b', ok).edge('a', 'b'),
    deeds: [(handle) => handle.cancel('enough')],
    ends: ['completed', 'cancelled'],
  },
  {
    name: 'approval race',
    flow: createFlow('approval-race').node('ask', approve),
    deeds: [(handle) => handle.approve(), (handle) => handle.deny()],
    ends: ['completed', 'failed'],
  },
  {
    name: 'failure beside a success',
    flow: createFlow('fail-fast').node('a', fails).node('b', ok).node('c', ok).edge('b', 'c'),
    ends: ['failed'],
  },
  {
    name: 'loop of two visits',
    flow: fork('loop', 'all')
      .node('head', ok)
      .node('last', ({ visit }: NodeArguments) => ({ action: visit === 1 ? 'again' : 'on' }))
      .edge('head', 'a')
      .edge('head', 'b')
      .edge('join', 'last')
      .edge('last', 'head', { action: 'again', loop: { maxVisits: 2 } }),
    ends: ['completed'],
  },
  {
    name: 'child',
    flow: createFlow('parent').node('a', ({ runChild }: NodeArguments) => runOf(runChild)),
    children: [child],
    ends: ['completed'],
  },
  {
    name: 'child of a cancelled parent',
    flow: createFlow('parent').node('a', ({ runChild }: NodeArguments) => runOf(runChild)),
    children: [child],
    deeds: [(handle) => handle.cancel('enough')],
    ends: ['completed', 'cancelled'],
  },
  {
    name: 'going on as new, and a signal',
    flow: createFlow('row').node('a', goesOn),
    deeds: [(handle) => handle.signal('news', undefined, { signalId: 'one' })],
    ends: ['completed'],
  },
]
