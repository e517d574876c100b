/** Flows of a few nodes, each about one race. */
import { createFlow } from '@baton/core'
import type { TinyGraph } from './tiny-world.ts'

export type { TinyGraph }

const ok = () => ({ output: 1 })
const fails = () => {
  throw new Error('no')
}
const approve = async ({ approval }: { approval(name: string): Promise<unknown> }) => {
  await approval('ok')
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
]
