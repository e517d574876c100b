import { createFlow, FatalError, type NodeArguments, RetryableError } from '@baton/core'
import type { Scenario } from './scenario.ts'

const pass = ({ input }: NodeArguments) => ({ output: input ?? null })
const name = ({ nodeId }: NodeArguments) => ({ output: nodeId })

/** Failures, retries, fallbacks, sleeps, steps: what a run gets over, and what it does not. */
export const endurance: readonly Scenario[] = [
  {
    name: 'a node that fails twice is tried a third time, through the queue or a timer, and its output goes on',
    flow: () =>
      createFlow('retry')
        .node(
          'flaky',
          ({ attempt }: NodeArguments) => {
            if (attempt < 3) throw new Error(`attempt ${attempt}`)
            return { output: attempt }
          },
          { retry: { attempts: 3, delayMs: 20, jitter: 0 } },
        )
        .node('after', pass)
        .edge('flaky', 'after'),
    expect: { status: 'completed', output: 3 },
  },
  {
    name: 'what an attempt wrote is dropped when it fails',
    flow: () =>
      createFlow('dropped').node(
        'writes',
        async ({ attempt, context }: NodeArguments) => {
          await context.increment('writes', 1)
          if (attempt < 3) throw new Error('again')
        },
        { retry: { attempts: 3, delayMs: 0 } },
      ),
    expect: { status: 'completed', context: { writes: 1 } },
  },
  {
    name: 'a node that fails for good fails the run with its error',
    flow: () =>
      createFlow('fails')
        .node('bad', () => {
          throw new TypeError('no good')
        })
        .node('after', pass)
        .edge('bad', 'after'),
    expect: { status: 'failed', error: { message: 'no good' }, instances: { bad: 'failed', after: 'skipped' } },
  },
  {
    name: 'a fatal error uses up no attempts, and a retryable one says when',
    flow: () =>
      createFlow('verdicts', { failFast: false })
        .node(
          'fatal',
          async ({ step }: NodeArguments) => {
            await step('seen', async ({ context }) => context.increment('fatal', 1))
            throw new FatalError('hopeless')
          },
          { retry: { attempts: 5, delayMs: 1 } },
        )
        .node(
          'patient',
          ({ attempt }: NodeArguments) => {
            if (attempt === 1) throw new RetryableError('later', { retryAfterMs: 30 })
            return { output: attempt }
          },
          { retry: { attempts: 2, delayMs: 1, jitter: 0, errors: ['RetryableError'] } },
        ),
    expect: {
      status: 'failed',
      error: { message: 'hopeless' },
      context: { fatal: 1 },
      instances: { patient: 'succeeded' },
    },
  },
  {
    name: 'a fallback stands in for a node that failed, gets its input and failure, and the run completes',
    flow: () =>
      createFlow<string>('fallback')
        .node('first', pass)
        .node(
          'bad',
          () => {
            throw new Error('broken')
          },
          { fallback: 'instead', retry: { attempts: 2, delayMs: 1 } },
        )
        .node('instead', ({ input, failure }: NodeArguments) => ({ output: { input, why: failure?.message } }))
        .node('after', pass)
        .edge('first', 'bad')
        .edge('bad', 'after'),
    input: 'in',
    expect: {
      status: 'completed',
      output: { input: 'in', why: 'broken' },
      instances: { bad: 'failed', instead: 'succeeded' },
    },
  },
  {
    name: 'a failure stops what has not started, and what has not failed is not blamed',
    flow: () =>
      createFlow('fail-fast')
        .node('bad', () => {
          throw new Error('broken')
        })
        .node('rest', ({ sleep }: NodeArguments) => sleep(3_600_000))
        .node('after', name)
        .edge('rest', 'after'),
    expect: { status: 'failed', error: { message: 'broken' } },
  },
  {
    name: 'steps are done once however often their node is entered, and what they write stays',
    flow: () =>
      createFlow('steps').node(
        'work',
        async ({ step, sleep, attempt }: NodeArguments) => {
          const one = await step('one', async ({ context }) => {
            await context.append('done', ['one'])
            return 1
          })
          await sleep(10)
          const two = await step('two', async ({ context }) => {
            await context.append('done', ['two'])
            return { one }
          })
          if (attempt === 1) throw new Error('after both')
          return { output: [one, two] }
        },
        { retry: { attempts: 2, delayMs: 5, jitter: 0 } },
      ),
    expect: { status: 'completed', output: [1, { one: 1 }], context: { done: ['one', 'two'] } },
  },
  {
    name: 'steps that come in another order fail the node with STEPS_DIVERGED',
    flow: () =>
      createFlow('diverged').node(
        'work',
        async ({ step, attempt }: NodeArguments) => {
          await step(attempt === 1 ? 'one' : 'other', () => 1)
          throw new Error('again')
        },
        { retry: { attempts: 3, delayMs: 1 } },
      ),
    expect: { status: 'failed', error: { code: 'STEPS_DIVERGED' } },
  },
  {
    name: 'a flow sleeps between nodes',
    flow: () =>
      createFlow('sleeps').node('a', name).sleep('rest', 40).node('b', name).edge('a', 'rest').edge('rest', 'b'),
    expect: { status: 'completed', output: 'b', instances: { rest: 'succeeded' } },
  },
  {
    name: 'a node that runs longer than its timeout fails with NODE_TIMEOUT',
    flow: () =>
      createFlow('timeout').node(
        'slow',
        ({ signal }: NodeArguments) =>
          new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop')))),
        { timeoutMs: 60 },
      ),
    expect: { status: 'failed', error: { code: 'NODE_TIMEOUT' } },
  },
  {
    name: 'a run past its deadline fails with RUN_TIMEOUT',
    flow: () => createFlow('deadline', { deadlineMs: 80 }).sleep('long', 3_600_000),
    onlyTime: true,
    expect: { status: 'failed', error: { code: 'RUN_TIMEOUT' } },
  },
]
