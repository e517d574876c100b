import { createFlow, type NodeArguments } from '@baton/core'
import type { Scenario } from './scenario.ts'

const pass = ({ input }: NodeArguments) => ({ output: input ?? null })
const name = ({ nodeId }: NodeArguments) => ({ output: nodeId })
const add = ({ input }: NodeArguments) => ({ output: Number(input) + 1 })
const below = (limit: number) => ({
  condition: ({ output }: { readonly output: unknown }) => Number(output) < limit,
})
/** Notes the visit in the context, in the order in which visits happen. */
const note = async ({ instanceId, context, input }: NodeArguments) => {
  await context.append('log', [instanceId])
  return { output: input ?? null }
}

/** Ways back: what is visited again, what begins the next visit, and what a loop leaves behind. */
export const loops: readonly Scenario[] = [
  {
    name: 'a loop goes round until an action ends it, each visit on what the one before gave',
    flow: () =>
      createFlow('review')
        .node('draft', ({ input }: NodeArguments) => ({ output: `${input}!` }))
        .node('check', ({ input }: NodeArguments<string>) => ({
          output: input,
          action: input.length < 5 ? 'again' : 'good',
        }))
        .node('publish', pass)
        .edge('draft', 'check')
        .edge('check', 'draft', { action: 'again', loop: { maxVisits: 5 } })
        .edge('check', 'publish', { action: 'good' }),
    input: 'ok',
    expect: {
      status: 'completed',
      output: 'ok!!!',
      instances: { draft: 'succeeded', 'draft#2': 'succeeded', 'check#3': 'succeeded', publish: 'succeeded' },
    },
  },
  {
    name: 'a node that leads back to itself gives what its last visit gave, and its edge may turn that into the next input',
    flow: () =>
      createFlow('self')
        .node('a', add)
        .edge('a', 'a', {
          ...below(20),
          transform: (output) => Number(output) * 2,
          loop: { maxVisits: 10 },
        }),
    input: 1,
    expect: { status: 'completed', output: 23, instances: { 'a#4': 'succeeded' } },
  },
  {
    name: 'the next visit begins when all branches of the body have settled, and two ways back count once',
    flow: () =>
      createFlow('branches')
        .node('head', async ({ context }: NodeArguments) => ({
          output: (await context.get<readonly unknown[]>('log'))?.length ?? 0,
        }))
        .node('left', note)
        .node('right', note)
        .node('deep', note)
        .edge('head', 'left')
        .edge('head', 'right')
        .edge('right', 'deep')
        .edge('left', 'head', { ...below(3), loop: { maxVisits: 3 } })
        .edge('deep', 'head', { ...below(3), loop: { maxVisits: 3 } }),
    expect: {
      status: 'completed',
      output: { left: 3, deep: 3 },
      instances: { 'head#1!': 'succeeded', 'head#2': 'succeeded', 'head#2!': 'skipped' },
    },
  },
  {
    name: 'a body in which a branch is not taken goes round all the same',
    flow: () =>
      createFlow('untaken-branch')
        .node('head', ({ input }: NodeArguments<number>) => ({
          output: input + 1,
          action: input % 2 === 0 ? 'even' : 'odd',
        }))
        .node('even', pass)
        .node('odd', pass)
        .edge('head', 'even', { action: 'even' })
        .edge('head', 'odd', { action: 'odd' })
        .edge('even', 'head', { ...below(4), loop: { maxVisits: 9 } })
        .edge('odd', 'head', { ...below(4), loop: { maxVisits: 9 } }),
    input: 0,
    expect: {
      status: 'completed',
      output: 4,
      instances: { even: 'succeeded', odd: 'skipped', 'even#2': 'skipped', 'odd#4': 'succeeded' },
    },
  },
  {
    name: 'a loop in a loop begins anew in each visit of the outer one',
    flow: () =>
      createFlow('nested')
        .node('outer', note)
        .node('inner', async ({ instanceId, context, input }: NodeArguments<number>) => {
          await context.append('log', [instanceId])
          return { output: input + 1 }
        })
        .node('last', note)
        .edge('outer', 'inner')
        .edge('inner', 'inner', { condition: ({ output }) => Number(output) % 3 !== 0, loop: { maxVisits: 5 } })
        .edge('inner', 'last', { condition: ({ output }) => Number(output) % 3 === 0 })
        .edge('last', 'outer', { ...below(6), loop: { maxVisits: 5 } }),
    input: 0,
    expect: {
      status: 'completed',
      output: 6,
      context: {
        log: [
          'outer',
          'inner',
          'inner#1#2',
          'inner#1#3',
          'last',
          'outer#2',
          'inner#2',
          'inner#2#2',
          'inner#2#3',
          'last#2',
        ],
      },
    },
  },
  {
    name: 'an edge that leads out arrives once, however often it is taken, and what was never taken is skipped at the end',
    flow: () =>
      createFlow('exits', { failFast: false })
        .node('a', add)
        .node('log', async ({ context, input }: NodeArguments) => {
          await context.append('log', [input as number])
          return { output: input }
        })
        .node('alarm', name)
        .node('join', pass)
        .edge('a', 'a', { ...below(4), loop: { maxVisits: 9 } })
        .edge('a', 'log', { condition: ({ output }) => Number(output) > 1 })
        .edge('a', 'alarm', { condition: ({ output }) => Number(output) > 9 })
        .edge('log', 'join')
        .edge('alarm', 'join'),
    input: 0,
    expect: { status: 'completed', output: { log: 2 }, context: { log: [2] }, instances: { alarm: 'skipped' } },
  },
]
