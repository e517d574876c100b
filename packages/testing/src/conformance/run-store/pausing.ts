import { parseRunId } from '@baton/core'
import { expect } from 'vitest'
import { arrival, BROKEN, newRun, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const PAUSE = { type: 'pause', reason: 'the bank is down', by: 'ada' } as const
const UNPAUSE = { type: 'unpause', by: 'ada' } as const
const ACCEPTED = { status: 'accepted', ready: [] }
const RUNNING = { status: 'running', stopping: false, seq: expect.any(Number) }
const SLEEP = { position: 0, kind: 'sleep', name: 'sleep' } as const
const SIGNAL = { position: 0, kind: 'signal', name: 'go' } as const
const NEWS = { kind: 'signal', name: 'go' } as const

const due = async ({ store }: Stage) => {
  const items = await store.due({ limit: 100 })
  return items.map((item) => (item.type === 'instance' ? item.instanceId : item.type)).sort()
}

export const pausing: Suite = {
  name: 'a pause by an operator',
  cases: [
    {
      title: 'keeps everything of a run from being claimed, says who and why, and is undone',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await hand.run('a')

        expect(await hand.notify(PAUSE)).toMatchObject({ ...ACCEPTED, run: { status: 'paused', stopping: false } })

        expect(await hand.tryClaim('b')).toEqual({ status: 'not-claimable' })
        const { reason, by } = PAUSE
        const pause = { reason, by, sinceMs: expect.any(Number) as number }
        expect(await stage.store.summary(RUN)).toMatchObject({ status: 'paused', operatorPause: pause })
        expect((await stage.store.summary(RUN))?.pendingPause).toBeUndefined()
        const other = await stage.world.reopen()
        expect(await other.store.load(RUN)).toMatchObject({ status: 'paused', operatorPause: pause })
        expect(await stage.hand('worker-2', other).tryClaim('b')).toEqual({ status: 'not-claimable' })

        expect(await hand.notify(UNPAUSE)).toMatchObject({ status: 'accepted', ready: ['b'], run: RUNNING })
        expect((await stage.store.summary(RUN))?.operatorPause).toBeUndefined()
        await hand.run('b')
        expect(await hand.load()).toMatchObject({ status: 'completed' })
        expect((await hand.types()).filter((type) => type.includes('pause'))).toEqual([
          'run-pause-ordered',
          'run-pause-lifted',
        ])
      },
    },
    {
      title: 'says where the engine ordered it, and is not handed on by a full journal',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        await hand.notify({ type: 'pause', reason: 'too long', code: 'JOURNAL_FULL' })
        expect((await hand.load()).operatorPause).toMatchObject({ reason: 'too long', code: 'JOURNAL_FULL' })

        const lineage = { rootRunId: RUN, succession: { firstRunId: RUN, previousRunId: RUN, link: 2 } }
        const next = newRun({ runId: parseRunId('next'), lineage })
        const { sent } = await hand.succeed(claim, { continueAs: next })
        expect(sent).toEqual([{ key: 'continue:next', to: 'next', body: { type: 'start', run: next } }])
      },
    },
    {
      title: 'stands as it was first ordered, and is lifted once',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        expect(await hand.notify(UNPAUSE)).toMatchObject({ status: 'unchanged', run: { status: 'pending' } })
        await hand.notify(PAUSE)
        expect(await hand.notify({ type: 'pause', reason: 'another' })).toMatchObject({ status: 'unchanged' })
        expect(await stage.store.summary(RUN)).toMatchObject({ operatorPause: { reason: PAUSE.reason } })
        expect(await hand.notify({ type: 'unpause' })).toMatchObject({ status: 'accepted', run: { status: 'pending' } })
        expect(await hand.notify(UNPAUSE)).toMatchObject({ status: 'unchanged' })
        expect(await hand.types()).toEqual(['run-started', 'run-pause-ordered', 'run-pause-lifted'])
        await hand.run('a')
        expect(await hand.notify(PAUSE)).toMatchObject({ status: 'ended', run: { status: 'completed' } })
        expect(await hand.notify({ ...PAUSE }, parseRunId('nobody'))).toEqual({ status: 'unknown-run' })
      },
    },
    {
      title: 'lets those who hold a claim record what happened, and claims nothing with their commits',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        await hand.notify(PAUSE)

        expect(await hand.renew([claim])).toMatchObject({ lost: [], cancelled: [], run: { stopping: false } })
        const step = { position: 0, kind: 'step', name: 'once', result: 1 } as const
        await hand.committed(claim, { type: 'stepped', step })
        const next = { workerId: 'worker-1', leaseMs: 60_000, candidates: [{ nodeId: 'b' }] }
        const done = await hand.succeed(claim, { arrivals: [arrival('b', 'a')] }, { next })

        expect(done.claim).toBeUndefined()
        expect(done).toMatchObject({ ready: [], run: { status: 'paused' } })
        expect(await hand.instance('b')).toMatchObject({ status: 'ready' })
        expect(await hand.notify(UNPAUSE)).toMatchObject({ ready: ['b'] })
      },
    },
    {
      title: 'keeps what comes due out of the index, and gives all of it when it is lifted',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['asleep', 'awaiting', 'held', 'later', 'ready', 'retried'] })
        const delayMs = stage.ticks(15)
        await hand.committed(await hand.claim('asleep'), { type: 'slept', step: SLEEP, delayMs })
        await hand.committed(await hand.claim('later'), { type: 'slept', step: SLEEP, delayMs: stage.longMs })
        const waits = { type: 'awaited', step: SIGNAL, wait: NEWS, timeoutMs: delayMs } as const
        await hand.committed(await hand.claim('awaiting'), waits)
        const held = await hand.claim('held', { leaseMs: delayMs })
        const retried = await hand.claim('retried')
        await hand.notify(PAUSE)
        await hand.committed(retried, { type: 'retried', error: BROKEN, delayMs })

        await stage.pass(stage.ticks(20))
        expect(await due(stage)).toEqual([])
        for (const id of ['asleep', 'awaiting', 'held', 'ready', 'retried']) {
          expect(await hand.tryClaim(id), id).toEqual({ status: 'not-claimable' })
        }
        // A lease that has ended while nobody could claim is still the newest right.
        await hand.committed(held, { type: 'stepped', step: { position: 0, kind: 'step', name: 'late' } })

        const lifted = await hand.notify(UNPAUSE)
        const all = ['asleep', 'awaiting', 'held', 'ready', 'retried']
        expect('ready' in lifted && [...lifted.ready].sort()).toEqual(all)
        expect(await due(stage)).toEqual(all)
        for (const id of all) await hand.claim(id)
        expect(await due(stage)).toEqual([])
      },
    },
    {
      title: 'is no waiting for the outside: news is taken and kept, and a run that waits goes back to waiting',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a'] })
        await hand.committed(await hand.claim('a'), { type: 'awaited', step: SIGNAL, wait: NEWS })
        expect(await stage.store.summary(RUN)).toMatchObject({ status: 'paused' })

        await hand.notify(PAUSE)
        await hand.notify(UNPAUSE)
        const { status, pendingPause, operatorPause } = await hand.load()
        expect({ status, pendingPause, operatorPause }).toMatchObject({
          status: 'paused',
          pendingPause: { signal: 'go' },
        })
        expect(operatorPause).toBeUndefined()

        await hand.notify(PAUSE)
        expect(await hand.notify({ type: 'signal', name: 'go', payload: 7 })).toMatchObject({ ...ACCEPTED })
        expect(await hand.notify({ type: 'signal', name: 'more' })).toMatchObject({ ...ACCEPTED })
        expect(await hand.load()).toMatchObject({ status: 'paused' })
        expect(await hand.notify(UNPAUSE)).toMatchObject({ ready: ['a'], run: RUNNING })
        expect((await hand.claim('a')).steps).toEqual([{ ...SIGNAL, result: 7 }])
      },
    },
    {
      title: 'gives way to a cancel, at once where nothing is held',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await hand.notify(PAUSE)

        expect(await hand.cancel()).toMatchObject({ status: 'accepted', run: { status: 'cancelled' } })

        expect((await stage.store.summary(RUN))?.operatorPause).toBeUndefined()
        expect(await hand.notify(UNPAUSE)).toMatchObject({ status: 'ended' })
      },
    },
    {
      title: 'gives way to a cancel, and a claim that nobody came back from is found',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await hand.claim('a', { leaseMs: stage.ticks(10) })
        await hand.notify(PAUSE)
        await stage.pass(stage.ticks(15))
        expect(await due(stage)).toEqual([])

        expect(await hand.cancel()).toMatchObject({ run: { status: 'cancelling' } })
        expect(await hand.notify(PAUSE)).toMatchObject({ status: 'unchanged', run: { status: 'cancelling' } })

        expect(await due(stage)).toEqual(['a'])
        await hand.tryClaim('a')
        expect(await hand.load()).toMatchObject({ status: 'cancelled' })
      },
    },
    {
      title: 'does not keep a deadline from passing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ deadlineMs: stage.ticks(10) })
        await hand.notify(PAUSE)
        await stage.pass(stage.ticks(15))

        expect(await due(stage)).toEqual(['deadline'])
        expect(await hand.notify({ type: 'deadline' })).toMatchObject({ run: { status: 'failed' } })
        expect(await hand.load()).toMatchObject({ error: { code: 'RUN_TIMEOUT' } })
      },
    },
    {
      title: 'does not keep what runs from failing the run, or from being its last',
      async run(stage) {
        const hand = stage.hand()
        const [one, two] = [parseRunId('one'), parseRunId('two')]
        await hand.create({ runId: one, starts: ['a', 'b'] })
        await hand.create({ runId: two, starts: ['a'] })
        const fails = await hand.claim('a', { runId: one })
        const ends = await hand.claim('a', { runId: two })
        for (const runId of [one, two]) await hand.notify(PAUSE, runId)

        expect((await hand.fail(fails)).run).toMatchObject({ status: 'failed' })
        expect((await hand.succeed(ends)).run).toMatchObject({ status: 'completed' })
        for (const runId of [one, two]) expect((await hand.load(runId)).operatorPause).toBeUndefined()
      },
    },
    {
      title: 'ends with a failure that stops the run, and a claim that nobody came back from is found',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        await hand.claim('b', { leaseMs: stage.ticks(10) })
        const claim = await hand.claim('a')
        await hand.notify(PAUSE)
        await stage.pass(stage.ticks(15))

        expect((await hand.fail(claim)).run).toEqual({ status: 'running', stopping: true, seq: expect.any(Number) })
        expect(await due(stage)).toEqual(['b'])
      },
    },
  ],
}
