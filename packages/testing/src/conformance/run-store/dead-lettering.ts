import { parseRunId } from '@baton/core'
import { expect } from 'vitest'
import { arrival, BROKEN, type Hand, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const TAKEN = { always: true, ifStarted: [] }
const poisoned = (by: string) => ({ name: 'BatonError', code: 'PREDECESSOR_FAILED', message: by })
const BEHIND = { always: false, ifStarted: [] }

/** An `all` join of `a` and `x`, and `k` behind it; independent branches go on after a failure. */
async function joined(hand: Hand): Promise<void> {
  await hand.create({ starts: ['a', 'x'], failFast: false })
}

const toJoin = (from: string, fate: 'succeeded' | 'failed' = 'succeeded') => arrival('j', from, { fate, of: 2 })
const TO_K = arrival('k', 'j', { fate: 'failed' })

/** The failure of `a`, which decides the join and what lies behind it. */
async function failA(hand: Hand): Promise<void> {
  const fate = { type: 'failed', error: poisoned('a'), takenBy: BEHIND } as const
  const skipped = { type: 'skipped', reason: 'upstream-failed' } as const
  await hand.fail(await hand.claim('a'), {
    arrivals: [toJoin('a', 'failed')],
    settlements: [
      { instanceId: 'j', fate, arrivals: [TO_K] },
      { instanceId: 'k', after: 0, fate: skipped, arrivals: [] },
    ],
  })
}

const redrive = (hand: Hand, instanceId: string) => hand.notify({ type: 'redrive', instanceId, by: 'ada' })
const statuses = async (hand: Hand) =>
  Object.fromEntries((await hand.load()).instances.map(({ instanceId, status }) => [instanceId, status]))
const listed = async ({ store }: Stage) =>
  (await store.list({ deadLettered: true })).runs.map(({ runId, deadLetterCount }) => [runId, deadLetterCount])

export const deadLettering: Suite = {
  name: 'dead letters',
  cases: [
    {
      title:
        'keeps and lists what has failed for good, and not a failure that somebody takes or that is only passed on',
      async run(stage) {
        const hand = stage.hand()
        const [taken, fine] = [parseRunId('taken'), parseRunId('fine')]
        await hand.create({ runId: taken, starts: ['a', 'b'] })
        await hand.fail(await hand.claim('a', { runId: taken }), { takenBy: TAKEN })
        await hand.create({ runId: fine })
        await joined(hand)
        const first = await hand.claim('a')
        await hand.committed(first, { type: 'retried', error: BROKEN, delayMs: 0 })
        expect(await listed(stage)).toEqual([])

        await failA(hand)

        expect(await listed(stage)).toEqual([[RUN, 1]])
        const letter = { instanceId: 'a', nodeId: 'a', error: BROKEN, attempts: 2, lostLeases: 0 }
        expect((await hand.load()).deadLetters).toEqual([{ ...letter, atMs: expect.any(Number) as number }])
        expect((await hand.load(taken)).deadLetters).toEqual([])
        const other = await stage.world.reopen()
        expect((await other.store.list({ deadLettered: true, flowId: 'flow' })).runs).toHaveLength(1)
        expect((await other.store.list({ deadLettered: true, flowId: 'another' })).runs).toEqual([])

        await hand.run('x')
        expect(await hand.load()).toMatchObject({ status: 'failed', deadLetters: [letter] })
        expect(await listed(stage)).toEqual([[RUN, 1]])
      },
    },
    {
      title: 'takes nothing for a dead letter that fails while its run is cancelled',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        await hand.cancel()
        await hand.fail(claim)
        expect(await hand.load()).toMatchObject({ status: 'cancelled', deadLetters: [] })
      },
    },
    {
      title: 'opens a dead letter of a live run again, with fresh attempts, its steps, and what it had decided undone',
      async run(stage) {
        const hand = stage.hand()
        await joined(hand)
        const first = await hand.claim('a')
        const step = { position: 0, kind: 'step', name: 'once', result: 1 } as const
        await hand.committed(first, { type: 'stepped', step })
        await hand.committed(first, { type: 'retried', error: BROKEN, delayMs: 0 })
        await failA(hand)
        expect(await statuses(hand)).toEqual({ a: 'failed', x: 'ready', j: 'failed', k: 'skipped' })

        expect(await redrive(hand, 'a')).toMatchObject({ status: 'accepted', ready: ['a'], run: { stopping: false } })

        expect(await statuses(hand)).toEqual({ a: 'ready', x: 'ready' })
        expect(await hand.load()).toMatchObject({ status: 'running', deadLetters: [], errors: [] })
        expect(await listed(stage)).toEqual([])
        expect(await redrive(hand, 'a')).toEqual({ status: 'not-dead-lettered' })
        const again = await hand.claim('a')
        expect(again).toMatchObject({ attempt: 1, fence: 3, steps: [step] })
        await hand.succeed(again, { output: 1, arrivals: [toJoin('a')] })
        expect((await hand.run('x', { output: 2, arrivals: [toJoin('x')] })).ready).toEqual(['j'])
        const join = await hand.claim('j')
        expect(join.arrivals.map(({ from, fate, output }) => [from, fate, output])).toEqual([
          ['a', 'succeeded', 1],
          ['x', 'succeeded', 2],
        ])
        expect((await hand.succeed(join)).run.status).toBe('completed')
        expect((await hand.types()).filter((type) => type === 'node-reopened')).toHaveLength(1)
      },
    },
    {
      title: 'keeps what reached a join after it was poisoned, so that it need not come again',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'x', 'y'], failFast: false })
        await failA(hand)
        await hand.run('x', { output: 2, arrivals: [toJoin('x')] })
        await redrive(hand, 'a')

        const done = await hand.run('a', { output: 1, arrivals: [toJoin('a')] })

        expect(done.ready).toEqual(['j'])
        expect((await hand.claim('j')).arrivals.map(({ output }) => output)).toEqual([2, 1])
      },
    },
    {
      title: 'undoes what a join has passed on that was claimed for it, and keeps what reached the join meanwhile',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'x', 'y'], failFast: false })
        await hand.fail(await hand.claim('a'), { arrivals: [toJoin('a', 'failed')] })
        const judge = await hand.claim('j')
        await hand.run('x', { output: 2, arrivals: [toJoin('x')] })
        await hand.fail(judge, { error: poisoned('a'), arrivals: [TO_K] })
        expect(await redrive(hand, 'a')).toMatchObject({ status: 'accepted', ready: ['a'] })
        expect(await statuses(hand)).toEqual({ a: 'ready', x: 'succeeded', y: 'ready', j: 'waiting' })

        const done = await hand.run('a', { output: 1, arrivals: [toJoin('a')] })

        expect(done.ready).toEqual(['j'])
        const join = await hand.claim('j')
        expect(join.fence).toBe(judge.fence + 1)
        expect(join.arrivals.map(({ output }) => output)).toEqual([2, 1])
      },
    },
    {
      title: 'keeps the work before an `ignore` join once the join has failed too, and takes it back with the join',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'y'], failFast: false })
        const toIgnoring = (from: string, fate: 'succeeded' | 'failed') =>
          arrival('j', from, { fate, rule: 'any-ignore', of: 2 })
        for (const id of ['a', 'b']) {
          expect(await listed(stage)).toEqual([])
          await hand.fail(await hand.claim(id), { takenBy: TAKEN, arrivals: [toIgnoring(id, 'failed')] })
        }
        await hand.fail(await hand.claim('j'), { error: poisoned('a') })
        expect(await hand.load()).toMatchObject({
          deadLetters: [
            { instanceId: 'a', error: BROKEN },
            { instanceId: 'b', error: BROKEN },
          ],
          error: poisoned('a'),
        })
        expect(await listed(stage)).toEqual([[RUN, 2]])

        await redrive(hand, 'a')

        expect(await hand.load()).toMatchObject({ status: 'running', deadLetters: [] })
        expect((await hand.load()).error).toBeUndefined()
        await hand.run('a', { output: 1, arrivals: [toIgnoring('a', 'succeeded')] })
        await hand.run('j')
        await hand.run('y')
        expect(await hand.load()).toMatchObject({ status: 'completed', deadLetters: [] })
      },
    },
    {
      title: 'opens all dead letters again in one go, or none of them',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'x', 'y'], failFast: false })
        await hand.fail(await hand.claim('b'))
        await hand.fail(await hand.claim('a'), { arrivals: [toJoin('a', 'failed')] })
        const judge = await hand.claim('j')
        const before = await hand.everything()

        const goneOn = { status: 'gone-on', deadLetter: 'a', instanceId: 'j' }
        expect(await hand.notify({ type: 'redrive' })).toEqual(goneOn)

        expect(await hand.everything()).toEqual(before)
        await hand.fail(judge, { error: poisoned('a') })
        const result = await hand.notify({ type: 'redrive', by: 'ada' })
        expect(result).toMatchObject({ status: 'accepted', ready: ['b', 'a'] })
        expect(await hand.load()).toMatchObject({ status: 'running', deadLetters: [], errors: [] })
        expect(await hand.notify({ type: 'redrive' })).toEqual({ status: 'not-dead-lettered' })
      },
    },
    {
      title: 'lets a failure that was only passed on decide the run, once what had decided it is opened again',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'], failFast: false })
        await hand.fail(await hand.claim('c'))
        await hand.fail(await hand.claim('a'), { error: poisoned('elsewhere') })

        await redrive(hand, 'c')
        await hand.run('c')
        await hand.run('b')

        expect(await hand.load()).toMatchObject({ status: 'failed', error: poisoned('elsewhere') })
      },
    },
    {
      title: 'lets another failure that stands decide the run, once the first is opened again',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'], failFast: false })
        await hand.fail(await hand.claim('a'), { error: { name: 'Error', message: 'first' } })
        await hand.fail(await hand.claim('b'), { error: { name: 'Error', message: 'second' } })
        expect((await hand.load()).deadLetters.map(({ instanceId }) => instanceId)).toEqual(['a', 'b'])

        await redrive(hand, 'a')
        await hand.run('a')
        await hand.run('c')

        expect(await hand.load()).toMatchObject({ status: 'failed', error: { message: 'second' }, deadLetterCount: 1 })
      },
    },
    {
      title: 'completes a run whose dead letters were all done over',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'], failFast: false })
        for (const id of ['a', 'b']) await hand.fail(await hand.claim(id))
        for (const id of ['b', 'a']) {
          await redrive(hand, id)
          await hand.run(id)
        }
        await hand.run('c')

        expect(await hand.load()).toMatchObject({ status: 'completed', deadLetters: [] })
      },
    },
    {
      title: 'refuses to open again what others have acted on, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await joined(hand)
        // Whoever claims the join decides its fate: here nobody has done so with the failure itself.
        await hand.fail(await hand.claim('a'), { arrivals: [toJoin('a', 'failed')] })
        const judge = await hand.claim('j')
        const before = await hand.everything()

        const goneOn = { status: 'gone-on', deadLetter: 'a', instanceId: 'j' }
        expect(await redrive(hand, 'a')).toEqual(goneOn)
        expect(await redrive(hand, 'j')).toEqual({ status: 'not-dead-lettered' })
        expect(await redrive(hand, 'nobody')).toEqual({ status: 'not-dead-lettered' })
        expect(await hand.everything()).toEqual(before)

        await hand.fail(judge)
        expect(await redrive(hand, 'a')).toEqual(goneOn)
      },
    },
    {
      title: 'refuses to open anything again in a run that stops or has ended',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const running = await hand.claim('b')
        await hand.fail(await hand.claim('a'))

        expect(await redrive(hand, 'a')).toEqual({ status: 'stopping' })
        await hand.succeed(running)
        expect(await redrive(hand, 'a')).toMatchObject({ status: 'ended', run: { status: 'failed' } })
      },
    },
    {
      title: 'opens a map again with its items that have not succeeded, as many at a time as before',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['m', 'other'], failFast: false })
        const items = [0, 1, 2, 3]
        await hand.committed(await hand.claim('m'), { type: 'expanded', items, concurrency: 1, maxFailures: 0 })
        const toMap = (index: number, fate: 'succeeded' | 'failed') =>
          arrival('m', `m[${index}]`, { edge: `[${index}]`, fate, rule: 'map', of: 0 })
        await hand.run('m[0]', { output: 'zero', arrivals: [toMap(0, 'succeeded')] })
        await hand.fail(await hand.claim('m[1]'), { takenBy: TAKEN, arrivals: [toMap(1, 'failed')] })
        await hand.fail(await hand.claim('m'), { error: { name: 'BatonError', code: 'MAP_FAILED', message: '1 of 4' } })
        expect((await hand.load()).deadLetters).toMatchObject([{ instanceId: 'm', error: { code: 'MAP_FAILED' } }])

        expect(await redrive(hand, 'm')).toMatchObject({ status: 'accepted', ready: ['m[1]'] })

        for (const index of [1, 2, 3]) {
          const { ready } = await hand.run(`m[${index}]`, { output: index, arrivals: [toMap(index, 'succeeded')] })
          expect(ready).toEqual([index === 3 ? 'm' : `m[${index + 1}]`])
        }
        const gather = await hand.claim('m')
        expect(gather).toMatchObject({ attempt: 1, map: { count: 4 } })
        expect(gather.arrivals.map(({ output }) => output)).toEqual(['zero', 1, 2, 3])
      },
    },
  ],
}
