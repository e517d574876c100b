import { createFlow, type NodeArguments } from '@baton/core'
import { type Scenario, untilPaused } from './scenario.ts'

const pass = ({ input }: NodeArguments) => ({ output: input ?? null })
const name = ({ nodeId }: NodeArguments) => ({ output: nodeId })

const HOUR_MS = 3_600_000

/** Approvals, signals, cancels: what people and other systems do to a run. */
export const outside: readonly Scenario[] = [
  {
    name: 'an approval before a join holds the join until somebody decides',
    flow: () =>
      createFlow('approval-join')
        .node('prepare', name)
        .approval('sign', { request: { amount: 7 } })
        .node('join', ({ input }: NodeArguments<{ sign: { approved: boolean }; prepare: string }>) => ({
          output: [input.prepare, input.sign.approved],
        }))
        .edge('prepare', 'join')
        .edge('sign', 'join'),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      // Where a test can move the clock, people take their time. The other branch has arrived long ago.
      if (stage.world.clock !== undefined) await stage.pass(2 * HOUR_MS)
      if ((await handle.status()) !== 'paused') throw new Error('the join did not wait')
      await handle.approve({ by: 'me' })
    },
    expect: { status: 'completed', output: ['prepare', true] },
  },
  {
    name: 'a denied approval fails its node with APPROVAL_DENIED',
    flow: () => createFlow('denied').approval('sign').node('after', pass).edge('sign', 'after'),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.deny({ by: 'me', reason: 'too dear' })
    },
    expect: { status: 'failed', error: { code: 'APPROVAL_DENIED' }, instances: { after: 'skipped' } },
  },
  {
    name: 'a denied approval takes the edge for denials where there is one',
    flow: () =>
      createFlow('denied-edge')
        .approval('sign')
        .node('yes', name)
        .node('no', ({ input }: NodeArguments<{ reason?: string }>) => ({ output: input.reason }))
        .edge('sign', 'yes', { action: 'approved' })
        .edge('sign', 'no', { action: 'denied' }),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.deny({ reason: 'too dear' })
    },
    expect: { status: 'completed', output: 'too dear', instances: { yes: 'skipped', no: 'succeeded' } },
  },
  {
    name: 'a signal brings its payload to the node that waits for it',
    flow: () =>
      createFlow('signal').waitForSignal('paid', { signal: 'paid' }).node('after', pass).edge('paid', 'after'),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.signal('paid', { amount: 7 })
    },
    expect: { status: 'completed', output: { amount: 7 } },
  },
  {
    name: 'a wait that nobody ends fails with WAIT_TIMEOUT when its time is up',
    flow: () => createFlow('wait-timeout').waitForSignal('paid', { signal: 'paid', timeoutMs: 60 }),
    onlyTime: true,
    expect: { status: 'failed', error: { code: 'WAIT_TIMEOUT' } },
  },
  {
    name: 'a node can catch that its wait timed out, and go on',
    flow: () =>
      createFlow('wait-caught').node('ask', async ({ waitForSignal }: NodeArguments) => {
        const answer = await waitForSignal<string>('answer', { timeoutMs: 60 }).catch(() => 'nobody')
        return { output: answer }
      }),
    onlyTime: true,
    expect: { status: 'completed', output: 'nobody' },
  },
  {
    name: 'a whole conversation is one function: steps, waits and sleeps in a row',
    flow: () =>
      createFlow('conversation').node('talk', async ({ step, waitForSignal, approval, sleep }: NodeArguments) => {
        const question = await step('ask', () => 'how many?')
        const count = await waitForSignal<number>('answer')
        await sleep(10)
        const { approved } = await approval('order', { request: { count } })
        return { output: { question, count, approved } }
      }),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.signal('answer', 3)
      const asked = (async () => {
        for await (const event of handle.stream()) {
          if (event.type === 'node-awaited' && event.wait.kind === 'approval') return
        }
      })()
      await stage.until(asked, 60_000)
      await handle.approve()
    },
    expect: { status: 'completed', output: { question: 'how many?', count: 3, approved: true } },
  },
  {
    name: 'a run that is cancelled while it waits ends as cancelled, with the reason',
    flow: () =>
      createFlow('cancelled').waitForSignal('never', { signal: 'never' }).node('after', pass).edge('never', 'after'),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.cancel('no longer needed')
    },
    expect: { status: 'cancelled', instances: { never: 'cancelled' } },
  },
  {
    name: 'the losers of an `any` join are called off where it asks for that',
    flow: () =>
      createFlow('losers')
        .node('quick', name)
        .waitForSignal('slow', { signal: 'never' })
        .node('join', pass, { joinStrategy: 'any', cancelLosers: true })
        .edge('quick', 'join')
        .edge('slow', 'join'),
    expect: { status: 'completed', output: 'quick', instances: { slow: 'cancelled' } },
  },
]
