import { expect } from 'vitest'
import { arrival, BROKEN, failed, succeeded } from '../hand.ts'
import type { Suite } from '../suite.ts'

const END = /^run-(completed|failed|cancelled)$/

export const ending: Suite = {
  name: 'the end of a run',
  cases: [
    {
      title: 'completes a run when nothing of it is left, once, and as its last event',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })

        const first = await hand.run('a', { output: 1, resultOf: 'a' })
        const last = await hand.run('b')

        expect(first.run.status).toBe('running')
        expect(last.run).toEqual({ status: 'completed', stopping: false, seq: expect.any(Number) })
        const types = await hand.types()
        expect(types.filter((type) => END.test(type))).toEqual(['run-completed'])
        expect(types.at(-1)).toBe('run-completed')
        const run = await hand.load()
        expect(run).toMatchObject({ status: 'completed', output: 1 })
        expect(run.endedAtMs).toBeTypeOf('number')
      },
    },
    {
      title: 'gives the later of two outputs of one name, as a loop gives what its last visit gave',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a'] })

        await hand.run('a', { output: 1, resultOf: 'a', arrivals: [arrival('a#2', 'a')] })
        await hand.run('a#2', { output: 2, resultOf: 'a' })

        expect(await hand.load()).toMatchObject({ status: 'completed', output: 2 })
      },
    },
    {
      title: 'ends a run once when its last instances settle at the same time',
      async run(stage) {
        const hand = stage.hand()
        const starts = Array.from({ length: 10 }, (_, index) => `n${index}`)
        await hand.create({ starts })
        const claims = await Promise.all(starts.map((id) => hand.claim(id)))

        const results = await Promise.all(claims.map((claim) => hand.succeed(claim)))

        expect(results.filter(({ run }) => run.status === 'completed')).toHaveLength(1)
        expect((await hand.types()).filter((type) => END.test(type))).toEqual(['run-completed'])
      },
    },
    {
      title: 'gives the output of the one node that ends a run, or of several by their names',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        await hand.run('a', { output: { x: 1 }, resultOf: 'a' })
        await hand.run('b', { resultOf: 'b' })
        await hand.run('c', { output: 'inner' })

        expect((await hand.load()).output).toEqual({ a: { x: 1 }, b: null })
      },
    },
    {
      title: 'fails a run fast: nothing new starts, what runs may still record, and the end comes with the last of it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        const running = await hand.claim('b')

        const result = await hand.fail(await hand.claim('a'))

        expect(result.run).toEqual({ status: 'running', stopping: true, seq: expect.any(Number) })
        expect(await hand.tryClaim('c')).toEqual({ status: 'cancelled' })
        expect((await hand.renew([running])).run.stopping).toBe(true)
        const last = await hand.succeed(running, { output: 'kept', arrivals: [arrival('d', 'b')] })
        expect(last).toMatchObject({ ready: [], run: { status: 'failed' } })
        const run = await hand.load()
        expect(run).toMatchObject({ status: 'failed', error: BROKEN })
        expect(run.instances.map(({ instanceId, status }) => [instanceId, status])).toEqual([
          ['a', 'failed'],
          ['b', 'succeeded'],
          ['c', 'cancelled'],
          ['d', 'cancelled'],
        ])
        expect((await hand.journal()).at(-1)).toMatchObject({ type: 'run-failed', error: BROKEN, instanceId: 'a' })
      },
    },
    {
      title: 'lets independent branches finish after a failure where it is not to fail fast',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'], failFast: false })

        const result = await hand.fail(await hand.claim('a'))

        expect(result.run).toEqual({ status: 'running', stopping: false, seq: expect.any(Number) })
        expect((await hand.run('b', { output: 1, resultOf: 'b' })).run.status).toBe('failed')
        expect((await hand.load()).output).toBeUndefined()
      },
    },
    {
      title: 'completes a run whose failure was taken',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        await hand.committed(
          await hand.claim('a'),
          failed({
            takenBy: { always: true, ifStarted: [] },
            arrivals: [arrival('stand-in', 'a', { fate: 'failed' })],
          }),
        )
        await hand.run('stand-in', { output: 2, resultOf: 'a' })

        expect(await hand.load()).toMatchObject({ status: 'completed', output: 2 })
      },
    },
    {
      title: 'cancels a run that nobody has claimed at once, and it never starts',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })

        const result = await hand.cancel('not needed')

        expect(result).toEqual({
          status: 'accepted',
          ready: [],
          run: { status: 'cancelled', stopping: true, seq: expect.any(Number) },
        })
        expect(await hand.tryClaim('a')).toEqual({ status: 'ended' })
        const run = await hand.load()
        expect(run).toMatchObject({ status: 'cancelled', reason: 'not needed' })
        expect(run.instances.map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
        expect(await hand.types()).toEqual(['run-started', 'run-cancel-requested', 'run-cancelled'])
        expect(await stage.store.due({ limit: 10 })).toEqual([])
      },
    },
    {
      title: 'cancels a run that is held when its last holder is done, whatever that one did',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        const [a, b, c] = [await hand.claim('a'), await hand.claim('b'), await hand.claim('c')]

        const result = await hand.cancel()

        expect(result).toMatchObject({ status: 'accepted', run: { status: 'cancelling', stopping: true } })
        await hand.committed(a, { type: 'cancelled', reason: 'stopped' })
        await hand.committed(c, { type: 'retried', error: BROKEN, delayMs: 0 })
        expect((await hand.load()).status).toBe('cancelling')
        expect((await hand.succeed(b, { output: 1, arrivals: [arrival('d', 'b')] })).run.status).toBe('cancelled')
        const run = await hand.load()
        expect(run.instances.map(({ status }) => status)).toEqual(['cancelled', 'succeeded', 'cancelled', 'cancelled'])
        expect(run.output).toBeUndefined()
      },
    },
    {
      title: 'ends a cancelled run also when its last holder never comes back',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.claim('a', { leaseMs: stage.ticks(10) })
        await hand.cancel()
        await stage.pass(stage.ticks(15))

        const due = await stage.store.due({ limit: 10 })
        expect(due).toMatchObject([{ type: 'instance', instanceId: 'a' }])
        expect(await hand.tryClaim('a')).toEqual({ status: 'ended' })

        expect((await hand.load()).status).toBe('cancelled')
      },
    },
    {
      title: 'takes the first of many cancels, and tells the others that nothing changed',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.claim('a')

        const results = await Promise.all(Array.from({ length: 10 }, (_, index) => hand.cancel(`reason ${index}`)))

        expect(results.filter(({ status }) => status === 'accepted')).toHaveLength(1)
        expect(results.filter(({ status }) => status === 'unchanged')).toHaveLength(9)
        expect((await hand.types()).filter((type) => type === 'run-cancel-requested')).toHaveLength(1)
      },
    },
    {
      title: 'lets cancel either win or lose against the last commit, and a terminal status never changes',
      async run(stage) {
        const hand = stage.hand()
        const other = stage.hand('worker-2', await stage.world.reopen())
        await hand.create()
        const claim = await hand.claim('a')

        const [cancel, commit] = await Promise.all([other.cancel(), hand.commit(claim, succeeded({ output: 1 }))])

        const { status } = await hand.load()
        expect(commit).toMatchObject({ status: 'committed' })
        if (cancel.status === 'ended') expect(status).toBe('completed')
        else expect([cancel.status, status]).toEqual(['accepted', 'cancelled'])
        const before = await hand.everything()
        expect((await hand.cancel('again')).status).toBe('ended')
        expect(await hand.commit(claim, succeeded())).toEqual({ status: 'ended' })
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'fails a run whose deadline has passed, and not before',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'], deadlineMs: stage.ticks(20) })
        const claim = await hand.claim('a')
        expect(await hand.notify({ type: 'deadline' })).toMatchObject({ status: 'unchanged' })
        await stage.pass(stage.ticks(25))

        expect(await stage.store.due({ limit: 10 })).toContainEqual(expect.objectContaining({ type: 'deadline' }))
        expect(await hand.notify({ type: 'deadline' })).toMatchObject({ status: 'accepted', run: { stopping: true } })

        expect((await hand.tryClaim('b')).status).toBe('cancelled')
        expect((await stage.store.due({ limit: 10 })).filter(({ type }) => type === 'deadline')).toEqual([])
        await hand.succeed(claim)
        expect(await hand.load()).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMEOUT' } })
      },
    },
    {
      title: 'starts nothing after a deadline, also where nobody has noted that it passed',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ deadlineMs: stage.ticks(10) })
        await stage.pass(stage.ticks(15))

        expect((await hand.tryClaim('a')).status).toBe('ended')
        expect(await hand.load()).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMEOUT' } })
      },
    },
    {
      title: 'lets a deadline run on while the run is paused',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ deadlineMs: stage.ticks(15) })
        const step = { position: 0, kind: 'signal' as const, name: 'go' }
        const wait = { kind: 'signal' as const, name: 'go' }
        await hand.committed(await hand.claim('a'), { type: 'awaited', step, wait })
        await stage.pass(stage.ticks(20))

        expect(await hand.notify({ type: 'deadline' })).toMatchObject({ status: 'accepted' })

        expect((await hand.load()).status).toBe('failed')
      },
    },
  ],
}
