import { type ApprovalDecision, createFlow, type NodeArguments } from '@baton/core'
import { type Scenario, untilPaused } from './scenario.ts'

const pass = ({ input }: NodeArguments) => ({ output: input ?? null })
const name = ({ nodeId }: NodeArguments) => ({ output: nodeId })
const add = ({ input }: NodeArguments) => ({ output: Number(input) + 1 })
const below = (limit: number) => ({
  condition: ({ output }: { readonly output: unknown }) => Number(output) < limit,
})

/** What goes on inside of loops: failures, waits, maps, losers, and bounds that are reached. */
export const visits: readonly Scenario[] = [
  {
    name: 'a loop that does not end fails with MAX_VISITS, and the fallback of its first node has no part in it',
    flow: () =>
      createFlow('runaway')
        .node('a', add, { fallback: 'instead' })
        .node('instead', name)
        .node('after', pass)
        .edge('a', 'a', { loop: { maxVisits: 3 } })
        .edge('a', 'after', { condition: ({ output }) => Number(output) > 9 }),
    input: 0,
    expect: {
      status: 'failed',
      error: { code: 'MAX_VISITS' },
      instances: { 'a#3': 'succeeded', 'a#4': 'failed' },
    },
  },
  {
    name: 'a join that ignores failures takes that of a runaway',
    flow: () =>
      createFlow('runaway-taken')
        .node('a', add)
        .node('b', name)
        .node('join', pass, { joinStrategy: 'any', anyFailure: 'ignore' })
        .edge('a', 'a', { loop: { maxVisits: 3 } })
        .edge('a', 'join', { condition: () => false })
        .edge('b', 'join'),
    input: 0,
    expect: { status: 'completed', output: 'b', instances: { 'a#4': 'failed' } },
  },
  {
    name: 'a failure in a visit fails what follows it in the loop and behind it',
    flow: () =>
      createFlow('fails-in-loop', { failFast: false })
        .node('a', ({ input }: NodeArguments<number>) => {
          if (input === 2) throw new Error('two is too many')
          return { output: input + 1 }
        })
        .node('b', pass)
        .node('after', pass)
        .edge('a', 'b')
        .edge('b', 'a', { loop: { maxVisits: 9 } })
        .edge('b', 'after', { condition: () => false }),
    input: 0,
    expect: {
      status: 'failed',
      error: { message: 'two is too many' },
      instances: { 'a#2': 'succeeded', 'a#3': 'failed', 'b#3': 'skipped', after: 'skipped' },
    },
  },
  {
    name: 'a fallback in the body goes on in the visit in which its node failed',
    flow: () =>
      createFlow('fallback-in-loop')
        .node(
          'a',
          ({ input, visit }: NodeArguments<number>) => {
            if (visit === 2) throw new Error('not this time')
            return { output: input + 1 }
          },
          { fallback: 'instead' },
        )
        .node('instead', ({ input }: NodeArguments<number>) => ({ output: input + 10 }))
        .edge('a', 'a', { ...below(12), loop: { maxVisits: 9 } }),
    input: 0,
    expect: {
      status: 'completed',
      output: 12,
      instances: { 'a#2': 'failed', 'instead#2': 'succeeded', 'a#3': 'succeeded' },
    },
  },
  {
    name: 'a loop goes on after a failure that a join in its body ignores',
    flow: () =>
      createFlow('ignored-in-loop')
        .node('head', add)
        .node('bad', (): never => {
          throw new Error('always')
        })
        .node('good', pass)
        .node('join', pass, { joinStrategy: 'any', anyFailure: 'ignore' })
        .edge('head', 'bad')
        .edge('head', 'good')
        .edge('bad', 'join')
        .edge('good', 'join')
        .edge('join', 'head', { ...below(3), loop: { maxVisits: 9 } }),
    input: 0,
    expect: {
      status: 'completed',
      output: 3,
      instances: { 'bad#3': 'failed', 'join#3': 'succeeded', 'head#3!': 'skipped' },
    },
  },
  {
    name: 'losers that a join in the body calls off do not hold up the next visit',
    flow: () =>
      createFlow('losers-in-loop')
        .node('head', add)
        .node('fast', pass)
        .waitForSignal('slow', { signal: 'never' })
        .node('join', pass, { joinStrategy: 'any', anyFailure: 'ignore', cancelLosers: true })
        .edge('head', 'fast')
        .edge('head', 'slow')
        .edge('fast', 'join')
        .edge('slow', 'join')
        .edge('join', 'head', { ...below(3), loop: { maxVisits: 9 } }),
    input: 0,
    expect: { status: 'completed', output: 3, instances: { 'slow#2': 'cancelled', 'slow#3': 'cancelled' } },
  },
  {
    name: 'retries, sleeps and steps of a visit are its own',
    flow: () =>
      createFlow('busy-loop')
        .node(
          'a',
          async ({ input, attempt, step, sleep, context }: NodeArguments<number>) => {
            const next = await step('add', async (inner) => {
              await inner.context.increment('steps', 1)
              return input + 1
            })
            if (attempt === 1) throw new Error('once more')
            await sleep(5)
            await context.increment('visits', 1)
            return { output: next }
          },
          { retry: { attempts: 2, delayMs: 5, jitter: 0 } },
        )
        .edge('a', 'a', { ...below(3), loop: { maxVisits: 9 } }),
    input: 0,
    expect: { status: 'completed', output: 3, context: { steps: 3, visits: 3 } },
  },
  {
    name: 'a map in a loop has its items in each visit',
    flow: () =>
      createFlow('map-in-loop')
        .node('list', ({ input }: NodeArguments<readonly number[]>) => ({ output: input }))
        .map('double', ({ input }: NodeArguments<number>) => ({ output: input * 2 }), { concurrency: 2 })
        .node('look', ({ input }: NodeArguments<readonly number[]>) => ({
          output: input,
          action: Math.max(...input) < 20 ? 'again' : 'done',
        }))
        .edge('list', 'double')
        .edge('double', 'look')
        .edge('look', 'list', { action: 'again', loop: { maxVisits: 9 } }),
    input: [1, 2, 3],
    expect: {
      status: 'completed',
      output: [8, 16, 24],
      instances: { 'double#3': 'succeeded', 'double#3[2]': 'succeeded', 'double[0]': 'succeeded' },
    },
  },
  {
    name: 'a map leads back as long as its output asks for it, a map of nothing too',
    flow: () =>
      createFlow('map-again')
        .map('a', ({ input }: NodeArguments<number>) => ({ output: input + 1 }))
        .node('empty', () => ({ output: [] }))
        .map('none', pass)
        .node('after', name)
        .edge('a', 'a', {
          condition: ({ output }) => (output as readonly number[])[0] !== 3,
          loop: { maxVisits: 9 },
        })
        .edge('empty', 'none')
        .edge('none', 'after', { condition: ({ output }) => (output as readonly number[]).length > 0 }),
    input: [0, 1],
    expect: {
      status: 'completed',
      output: [3, 4],
      instances: { 'a#3[1]': 'succeeded', after: 'skipped' },
    },
  },
  {
    name: 'a denial leads back, and each visit asks anew',
    flow: () =>
      createFlow('sign-again')
        .node('draft', ({ visit }: NodeArguments) => ({ output: visit }))
        .approval('sign')
        .node('publish', ({ input }: NodeArguments<ApprovalDecision>) => ({ output: input.by }))
        .edge('draft', 'sign')
        .edge('sign', 'draft', { action: 'denied', loop: { maxVisits: 3 } })
        .edge('sign', 'publish', { action: 'approved' }),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.deny({ reason: 'not good enough' })
      await untilPaused(handle, stage, 2)
      await handle.approve({ by: 'me' })
    },
    expect: { status: 'completed', output: 'me', instances: { 'draft#2': 'succeeded', 'sign#2': 'succeeded' } },
  },
  {
    name: 'a cancel ends a loop in the middle of a visit',
    flow: () =>
      createFlow('cancelled-loop')
        .node('head', pass)
        .node('left', pass)
        .waitForSignal('right', { signal: 'go' })
        .edge('head', 'left')
        .edge('head', 'right')
        .edge('left', 'head', { loop: { maxVisits: 9 } })
        .edge('right', 'head', { loop: { maxVisits: 9 } }),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.signal('go')
      await untilPaused(handle, stage, 2)
      await handle.cancel('enough')
    },
    expect: {
      status: 'cancelled',
      instances: { 'head#1!': 'succeeded', 'right#2': 'cancelled', 'head#2!': 'cancelled' },
    },
  },
]
