import type { Outcome } from '@baton/core/adapter'
import { expect } from 'vitest'

import { BROKEN, type Hand, succeeded } from '../hand.ts'
import type { Suite } from '../suite.ts'

type Wait = Extract<Outcome, { type: 'awaited' }>['wait']

const SLEEP = { position: 0, kind: 'sleep', name: 'sleep' } as const

async function awaitNews(hand: Hand, instanceId: string, wait: Wait, timeoutMs?: number) {
  const step = { position: 0, kind: wait.kind, name: wait.name } as const
  const timeout = timeoutMs === undefined ? {} : { timeoutMs }
  return hand.committed(await hand.claim(instanceId), { type: 'awaited', step, wait, ...timeout })
}

const awaitSignal = (hand: Hand, instanceId: string, timeoutMs?: number) =>
  awaitNews(hand, instanceId, { kind: 'signal', name: 'go' }, timeoutMs)

const awaitApproval = (hand: Hand, instanceId = 'a') =>
  awaitNews(hand, instanceId, { kind: 'approval', name: `${instanceId}:ok`, request: { text: 'sure?' } })

export const waiting: Suite = {
  name: 'steps, sleeps, signals and approvals',
  cases: [
    {
      title: 'records a step with what it wrote, and the claim goes on',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        const step = { position: 0, kind: 'step' as const, name: 'pay', result: { paid: 7 } }

        const result = await hand.committed(claim, {
          type: 'stepped',
          step,
          deltas: [{ op: 'set', key: 'k', value: 1 }],
        })

        expect(result.ready).toEqual([])
        expect((await hand.load()).context).toEqual({ k: 1 })
        expect(await hand.instance('a')).toMatchObject({ status: 'claimed', steps: [step] })
        await hand.succeed(claim)
      },
    },
    {
      title: 'records a step once, and feeds it to every later claim of the instance, in order',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const first = await hand.claim('a', { leaseMs: stage.ticks(10) })
        const one = { position: 0, kind: 'step' as const, name: 'one', result: 1 }
        const two = { position: 1, kind: 'step' as const, name: 'two' }
        const transition = hand.transition(first, { type: 'stepped', step: one })
        await stage.store.commit(transition)
        expect((await stage.store.commit(transition)).status).toBe('already-committed')
        await stage.pass(stage.ticks(15))

        const second = await stage.hand('worker-2').claim('a')
        await hand.committed(second, { type: 'stepped', step: two })
        await hand.committed(second, { type: 'retried', error: BROKEN, delayMs: 0 })
        const third = await hand.claim('a')

        expect(first.steps).toEqual([])
        expect(second.steps).toEqual([one])
        expect(third.steps).toEqual([one, two])
      },
    },
    {
      title: 'takes a second recording of the same step for the first asked again, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        const step = { position: 0, kind: 'step' as const, name: 'pay', result: 1 }
        await hand.committed(claim, { type: 'stepped', step, deltas: [{ op: 'increment', key: 'n', by: 1 }] })
        const before = await hand.everything()

        const again = await hand.commit(claim, {
          type: 'stepped',
          step: { ...step, result: 2 },
          deltas: [{ op: 'increment', key: 'n', by: 1 }],
        })

        expect(again.status).toBe('already-committed')
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'wakes a sleeper when its time has come and not before, with its sleep recorded',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        const result = await hand.committed(await hand.claim('a'), {
          type: 'slept',
          step: SLEEP,
          delayMs: stage.ticks(10),
        })

        expect(result).toMatchObject({ ready: [], run: { status: 'running' } })
        expect((await hand.instance('a'))?.status).toBe('sleeping')
        expect((await hand.tryClaim('a')).status).toBe('not-claimable')
        await stage.pass(stage.ticks(15))
        expect(await hand.claim('a')).toMatchObject({ attempt: 1, lostLeases: 0, steps: [SLEEP] })
      },
    },
    {
      title: 'sleeps until an instant, also one years ahead or long past',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const yearMs = 365 * 24 * 3_600_000

        await hand.committed(await hand.claim('a'), {
          type: 'slept',
          step: SLEEP,
          wakeAtMs: stage.clock.now() + 50 * yearMs,
        })
        await hand.committed(await hand.claim('b'), { type: 'slept', step: SLEEP, wakeAtMs: 1 })

        expect((await hand.tryClaim('a')).status).toBe('not-claimable')
        expect((await hand.claim('b')).steps).toEqual([SLEEP])
      },
    },
    {
      title: 'pauses a run that waits for nothing but a signal, and resumes it with the payload',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        const paused = await awaitSignal(hand, 'a')

        expect(paused.run).toEqual({ status: 'paused', stopping: false, seq: expect.any(Number) })
        expect(await hand.load()).toMatchObject({ status: 'paused', pendingPause: { instanceId: 'a', signal: 'go' } })
        expect((await hand.tryClaim('a')).status).toBe('not-claimable')
        const news = await hand.notify({ type: 'signal', name: 'go', payload: { n: 1 } })
        expect(news).toEqual({
          status: 'accepted',
          ready: ['a'],
          run: { status: 'running', stopping: false, seq: expect.any(Number) },
        })
        expect((await hand.claim('a')).steps).toEqual([{ position: 0, kind: 'signal', name: 'go', result: { n: 1 } }])
        expect((await hand.load()).pendingPause).toBeUndefined()
      },
    },
    {
      title: 'does not pause a run while something of it can still run',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })

        const waits = await awaitSignal(hand, 'a')
        const last = await hand.run('b')

        expect(waits.run.status).toBe('running')
        expect(last.run.status).toBe('paused')
      },
    },
    {
      title: 'keeps signals that come early, and gives each to one waiter, first come first served',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        await hand.notify({ type: 'signal', name: 'go', payload: 1 })
        await hand.notify({ type: 'signal', name: 'other', payload: 'x' })
        await hand.notify({ type: 'signal', name: 'go', payload: 2 })

        const results = [await awaitSignal(hand, 'a'), await awaitSignal(hand, 'b'), await awaitSignal(hand, 'c')]

        expect(results.map(({ ready }) => ready)).toEqual([['a'], ['b'], []])
        expect((await hand.claim('a')).steps[0]?.result).toBe(1)
        expect((await hand.claim('b')).steps[0]?.result).toBe(2)
        expect((await hand.instance('c'))?.status).toBe('awaiting')
      },
    },
    {
      title: 'takes a signal with an id once, also when it is sent many times at once',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await awaitSignal(hand, 'a')
        await awaitSignal(hand, 'b')
        const signal = { type: 'signal' as const, name: 'go', payload: 1, signalId: 'once' }

        const results = await Promise.all(Array.from({ length: 5 }, () => hand.notify(signal)))

        expect(results.map(({ status }) => status).sort()).toEqual(['accepted', ...Array(4).fill('unchanged')])
        expect((await hand.notify(signal)).status).toBe('unchanged')
        const statuses = (await hand.load()).instances.map(({ status }) => status).sort()
        expect(statuses).toEqual(['awaiting', 'ready'])
      },
    },
    {
      title: 'shows a pending approval with what is asked, and the decision wakes its waiter',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        await awaitApproval(hand)

        expect(await hand.load()).toMatchObject({
          status: 'paused',
          pendingApproval: { approvalId: 'a:ok', instanceId: 'a', request: { text: 'sure?' } },
        })
        const decision = { approved: true, by: 'me', reason: 'fine', payload: { limit: 5 } }
        expect(await hand.notify({ type: 'decide', approvalId: 'a:ok', decision })).toMatchObject({
          status: 'accepted',
          ready: ['a'],
        })
        expect((await hand.claim('a')).steps[0]?.result).toEqual(decision)
        expect((await hand.load()).pendingApprovals).toEqual([])
      },
    },
    {
      title: 'lets the first decision win: the same again changes nothing, another one is a conflict',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await awaitApproval(hand)
        const decide = (approved: boolean, by: string) =>
          hand.notify({ type: 'decide', approvalId: 'a:ok', decision: { approved, by } })
        await decide(true, 'first')
        const before = await hand.everything()

        expect((await decide(true, 'second')).status).toBe('unchanged')
        expect(await decide(false, 'third')).toEqual({ status: 'conflict', decision: { approved: true, by: 'first' } })
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'lets one of two decisions win that come at the same time',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await awaitApproval(hand)
        const other = stage.hand('worker-2', await stage.world.reopen())

        const results = await Promise.all([
          hand.notify({ type: 'decide', approvalId: 'a:ok', decision: { approved: true } }),
          other.notify({ type: 'decide', approvalId: 'a:ok', decision: { approved: false } }),
        ])

        expect(results.map(({ status }) => status).sort()).toEqual(['accepted', 'conflict'])
        expect((await hand.types()).filter((type) => type === 'approval-decided')).toHaveLength(1)
      },
    },
    {
      title: 'does not know an approval that nobody waits for, and keeps no decision for it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const before = await hand.everything()

        const result = await hand.notify({ type: 'decide', approvalId: 'a:ok', decision: { approved: true } })

        expect(result).toEqual({ status: 'unknown-approval' })
        expect(await hand.everything()).toEqual(before)
        await awaitApproval(hand)
        expect((await hand.load()).status).toBe('paused')
      },
    },
    {
      title: 'ends a wait when its time is up, and says so in its step; a signal that comes later is kept',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await awaitSignal(hand, 'a', stage.ticks(10))
        expect((await hand.tryClaim('a')).status).toBe('not-claimable')
        await stage.pass(stage.ticks(15))

        const claim = await hand.claim('a')

        expect(claim.steps).toEqual([{ position: 0, kind: 'signal', name: 'go', timedOut: true }])
        expect((await hand.load()).status).toBe('running')
        expect(await hand.notify({ type: 'signal', name: 'go' })).toMatchObject({ status: 'accepted', ready: [] })
      },
    },
    {
      title: 'tells news that come after the end that the run has ended, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.commit(await hand.claim('a'), succeeded())
        const before = await hand.everything()

        const run = { status: 'completed', stopping: false, seq: expect.any(Number) }
        expect(await hand.notify({ type: 'signal', name: 'go' })).toEqual({ status: 'ended', run })
        const decision = { approved: true }
        expect(await hand.notify({ type: 'decide', approvalId: 'a:ok', decision })).toEqual({ status: 'ended', run })
        expect(await hand.everything()).toEqual(before)
      },
    },
  ],
}
