import { createFlow, type NodeArguments } from '@baton/core'
import type { Scenario } from './scenario.ts'

const name = ({ nodeId }: NodeArguments) => ({ output: nodeId })
const pass = ({ input }: NodeArguments) => ({ output: input ?? null })
const fails = ({ nodeId }: NodeArguments): never => {
  throw new Error(`${nodeId} failed`)
}

/** Joins, conditions, skips: where runs part and come together. */
export const branches: readonly Scenario[] = [
  {
    name: 'a straight line hands each output to the next node',
    flow: () =>
      createFlow<number>('line')
        .node('a', ({ input }: NodeArguments<number>) => ({ output: input + 1 }))
        .node('b', ({ input }: NodeArguments<number>) => ({ output: input * 2 }))
        .node('c', ({ input }: NodeArguments<number>) => ({ output: [input] }))
        .edge('a', 'b')
        .edge('b', 'c'),
    input: 4,
    expect: { status: 'completed', output: [10] },
  },
  {
    name: 'a join of all gets the output of every branch by its name',
    flow: () =>
      createFlow('diamond')
        .node('start', name)
        .node('left', name)
        .node('right', name)
        .node('join', pass)
        .edge('start', 'left')
        .edge('start', 'right')
        .edge('left', 'join')
        .edge('right', 'join'),
    expect: { status: 'completed', output: { left: 'left', right: 'right' } },
  },
  {
    name: 'all three branches into an `any` join succeed, and it runs once',
    flow: () =>
      createFlow('any-of-three')
        .node('a', name)
        .node('b', name)
        .node('c', name)
        .node('join', () => ({ output: 'once' }), { joinStrategy: 'any' })
        .node('after', pass)
        .edge('a', 'join')
        .edge('b', 'join')
        .edge('c', 'join')
        .edge('join', 'after'),
    expect: {
      status: 'completed',
      output: 'once',
      instances: { a: 'succeeded', b: 'succeeded', c: 'succeeded', join: 'succeeded', after: 'succeeded' },
    },
  },
  {
    name: 'a branch whose jobs come twice is done once',
    flow: () =>
      createFlow('twice')
        .node('a', async ({ context }: NodeArguments) => context.increment('a', 1))
        .node('b', async ({ context }: NodeArguments) => context.increment('b', 1))
        .node('join', async ({ context }: NodeArguments) => context.increment('join', 1))
        .edge('a', 'join')
        .edge('b', 'join'),
    drive: async ({ runId }, { world }) => {
      const job = { runId, blueprintId: 'twice', dispatch: 1 }
      const jobs = ['a', 'a', 'b', 'join', 'b'].map((id) => ({ ...job, nodeId: id, instanceId: id }))
      await world.queue.enqueue(jobs)
    },
    expect: { status: 'completed', context: { a: 1, b: 1, join: 1 } },
  },
  {
    name: 'a branch that is not taken does not keep an `all` join waiting',
    flow: () =>
      createFlow('untaken')
        .node('choose', () => ({ action: 'left' }))
        .node('left', name)
        .node('right', name)
        .node('deep', name)
        .node('always', name)
        .node('join', pass)
        .edge('choose', 'left', { action: 'left' })
        .edge('choose', 'right', { action: 'right' })
        .edge('choose', 'always')
        .edge('right', 'deep')
        .edge('left', 'join')
        .edge('deep', 'join')
        .edge('always', 'join'),
    expect: {
      status: 'completed',
      output: { left: 'left', always: 'always' },
      instances: { right: 'skipped', deep: 'skipped', join: 'succeeded' },
    },
  },
  {
    name: 'a join none of whose branches was taken is skipped with what follows it',
    flow: () =>
      createFlow('all-skipped')
        .node('choose', () => ({ action: 'neither', output: 1 }))
        .node('a', name)
        .node('b', name)
        .node('join', pass)
        .node('after', pass)
        .edge('choose', 'a', { action: 'a' })
        .edge('choose', 'b', { action: 'b' })
        .edge('a', 'join')
        .edge('b', 'join')
        .edge('join', 'after'),
    expect: { status: 'completed', output: undefined, instances: { join: 'skipped', after: 'skipped' } },
  },
  {
    name: 'of two nodes that end a flow one is taken, and its output is the output of the run',
    flow: () =>
      createFlow<number>('two-ends')
        .node('check', pass)
        .node('small', () => ({ output: 'small' }))
        .node('large', () => ({ output: 'large' }))
        .edge('check', 'small', { condition: ({ output }) => (output as number) < 10 })
        .edge('check', 'large', { condition: ({ output }) => (output as number) >= 10 }),
    input: 12,
    expect: { status: 'completed', output: 'large', instances: { small: 'skipped', large: 'succeeded' } },
  },
  {
    name: 'two nodes that end a flow are both taken, and the output names both',
    flow: () =>
      createFlow('both-ends')
        .node('a', name)
        .node('b', () => undefined)
        .node('c', name),
    expect: { status: 'completed', output: { a: 'a', b: null, c: 'c' } },
  },
  {
    name: 'edges transform what they carry, and inputs are mapped from nodes, run, context and values',
    flow: () =>
      createFlow<{ user: { name: string } }>('mapped')
        .node('a', async ({ context }: NodeArguments) => {
          await context.set('settings', { limits: { high: 9 } })
          return { output: { list: [1, 2, 3] } }
        })
        .node('b', pass, {
          inputs: {
            third: { node: 'a', path: ['list', '2'] },
            user: { run: true, path: ['user', 'name'] },
            high: { context: 'settings', path: ['limits', 'high'] },
            fixed: { value: [null] },
            missing: { node: 'a', path: ['none', 'at', 'all'] },
          },
        })
        .node('c', pass)
        .edge('a', 'b')
        .edge('b', 'c', { transform: (output) => ({ wrapped: output }) }),
    input: { user: { name: 'né' } },
    expect: { status: 'completed', output: { wrapped: { third: 3, user: 'né', high: 9, fixed: [null] } } },
  },
  {
    name: 'an `any` join takes the first success and ignores failures where it is told to',
    flow: () =>
      createFlow('ignore')
        .node('bad', fails)
        .node('good', name)
        .node('join', pass, { joinStrategy: 'any', anyFailure: 'ignore' })
        .edge('bad', 'join')
        .edge('good', 'join'),
    expect: { status: 'completed', output: 'good', instances: { bad: 'failed', join: 'succeeded' } },
  },
  {
    name: 'an `any` join that ignores failures fails when all its branches have failed',
    flow: () =>
      createFlow('ignore-all', { failFast: false })
        .node('one', fails)
        .node('two', fails)
        .node('join', pass, { joinStrategy: 'any', anyFailure: 'ignore' })
        .edge('one', 'join')
        .edge('two', 'join'),
    expect: { status: 'failed', error: { code: 'PREDECESSOR_FAILED' }, instances: { join: 'failed' } },
  },
  {
    name: 'a failed branch poisons an `all` join, and what lies behind it is skipped',
    flow: () =>
      createFlow('poison', { failFast: false })
        .node('bad', fails)
        .node('good', name)
        .node('other', name)
        .node('join', pass)
        .node('after', pass)
        .edge('bad', 'join')
        .edge('good', 'join')
        .edge('join', 'after'),
    expect: {
      status: 'failed',
      error: { message: 'bad failed' },
      instances: { join: 'failed', after: 'skipped', other: 'succeeded', good: 'succeeded' },
    },
  },
]
