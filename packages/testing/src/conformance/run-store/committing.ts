import { expect } from 'vitest'
import { arrival, BROKEN, failed, succeeded } from '../hand.ts'
import type { Suite } from '../suite.ts'

export const committing: Suite = {
  name: 'committing a transition',
  cases: [
    {
      title: 'says with every answer how long the journal is',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const length = async () => (await hand.journal()).length
        const claim = await hand.claim('a')
        expect((await hand.renew([claim])).run.seq).toBe(await length())
        const step = { type: 'stepped', step: { position: 0, kind: 'step', name: 's' } } as const
        expect((await hand.committed(claim, step)).run.seq).toBe(await length())
        const signal = { type: 'signal', name: 'word', signalId: '1' } as const
        const accepted = await hand.notify(signal)
        expect('run' in accepted && accepted.run.seq).toBe(await length())
        const unchanged = await hand.notify(signal)
        expect('run' in unchanged && unchanged.run.seq).toBe(await length())
        expect((await hand.succeed(claim)).run.seq).toBe(await length())
      },
    },
    {
      title: 'makes all of a transition visible at once: result, context, arrivals and events',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a'], context: { n: 1 } })
        const claim = await hand.claim('a')

        const result = await hand.succeed(claim, {
          output: { done: true },
          action: 'go',
          deltas: [{ op: 'increment', key: 'n', by: 4 }],
          arrivals: [arrival('b', 'a'), arrival('join', 'a', { of: 2 })],
        })

        expect(result).toEqual({
          status: 'committed',
          ready: ['b'],
          run: { status: 'running', stopping: false, seq: expect.any(Number) },
        })
        const run = await hand.load()
        expect(run.context).toEqual({ n: 5 })
        expect(run.instances.map(({ instanceId, status }) => [instanceId, status])).toEqual([
          ['a', 'succeeded'],
          ['b', 'ready'],
          ['join', 'waiting'],
        ])
        expect(run.instances[0]).toMatchObject({ output: { done: true }, action: 'go' })
        expect((await hand.journal()).at(-1)).toMatchObject({ seq: 3, type: 'node-succeeded', fence: claim.fence })
      },
    },
    {
      title: 'refuses a commit whose fence is no longer the newest, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ context: { n: 1 } })
        const stale = await hand.claim('a', { leaseMs: stage.ticks(5) })
        await stage.pass(stage.ticks(10))
        const newer = await stage.hand('worker-2').claim('a')
        const before = await hand.everything()

        const deltas = [{ op: 'increment' as const, key: 'n', by: 1 }]
        const step = { position: 0, kind: 'step' as const, name: 's', result: 1 }
        for (const outcome of [
          succeeded({ deltas, output: 'stale', arrivals: [arrival('b', 'a')] }),
          failed(),
          { type: 'retried' as const, error: BROKEN, delayMs: 0 },
          { type: 'stepped' as const, step, deltas },
          { type: 'released' as const },
          { type: 'cancelled' as const, reason: 'stale' },
        ]) {
          expect(await hand.commit(stale, outcome), outcome.type).toEqual({ status: 'fenced' })
        }

        expect(await hand.everything()).toEqual(before)
        await stage.hand('worker-2').succeed(newer)
        expect(await hand.commit(stale, succeeded())).toEqual({ status: 'ended' })
      },
    },
    {
      title: 'refuses a commit for an instance that nobody has claimed',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const claim = await hand.claim('a')
        const before = await hand.everything()

        for (const instanceId of ['b', 'nobody']) {
          for (const fence of [0, 1, claim.fence]) {
            expect(await hand.commit({ ...claim, instanceId, fence }, succeeded())).toEqual({ status: 'fenced' })
          }
        }
        expect(await hand.commit({ ...claim, fence: claim.fence + 1 }, succeeded())).toEqual({ status: 'fenced' })
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'refuses a second settlement of an instance, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const claim = await hand.claim('a')
        await hand.succeed(claim, { output: 1 })
        const before = await hand.everything()

        expect(await hand.commit(claim, succeeded({ output: 2 }))).toEqual({ status: 'fenced' })
        expect(await hand.commit(claim, failed())).toEqual({ status: 'fenced' })
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'answers a transition that it has made already with the same jobs and the same claim, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ input: 'in', context: { k: 1 } })
        const claim = await hand.claim('a')
        const next = {
          workerId: hand.workerId,
          leaseMs: stage.longMs,
          candidates: [{ nodeId: 'b', input: true, reads: ['k'] }],
        }
        const arrivals = [arrival('b', 'a'), arrival('c', 'a'), arrival('d', 'a')]
        const transition = hand.transition(claim, succeeded({ arrivals, output: 1 }), { next })
        const first = await stage.store.commit(transition)
        const before = await hand.everything()

        const again = await stage.store.commit(transition)
        const elsewhere = await (await stage.world.reopen()).store.commit(transition)

        expect(first).toMatchObject({ status: 'committed', ready: ['c', 'd'], claim: { instanceId: 'b', input: 'in' } })
        expect(again).toEqual({ ...first, status: 'already-committed' })
        expect(elsewhere).toEqual({ ...first, status: 'already-committed' })
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'answers `already-committed` also when the run has ended by that transition',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const transition = hand.transition(await hand.claim('a'), succeeded({ output: 1, resultOf: 'a' }))
        await stage.store.commit(transition)

        const again = await stage.store.commit(transition)

        expect(again).toEqual({
          status: 'already-committed',
          ready: [],
          run: { status: 'completed', stopping: false, seq: expect.any(Number) },
        })
      },
    },
    {
      title: 'makes a transition once when it is sent many times at once',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const outcome = succeeded({ arrivals: [arrival('b', 'a')], deltas: [{ op: 'increment', key: 'n', by: 1 }] })
        const transition = hand.transition(await hand.claim('a'), outcome)
        const stores = [stage.store, (await stage.world.reopen()).store]

        const results = await Promise.all(
          Array.from({ length: 10 }, async (_, index) => stores[index % 2]?.commit(transition)),
        )

        expect(results.filter((result) => result?.status === 'committed')).toHaveLength(1)
        expect(results.filter((result) => result?.status === 'already-committed')).toHaveLength(9)
        for (const result of results) expect(result).toMatchObject({ ready: ['b'] })
        expect((await hand.load()).context).toEqual({ n: 1 })
      },
    },
    {
      title: 'claims with a commit exactly one of the instances that it made ready, and gives what that one needs',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ input: { order: 1 }, context: { k: 'v', other: 1 } })
        const claim = await hand.claim('a')
        const arrivals = ['b', 'c', 'd'].map((to) => arrival(to, 'a'))
        const candidates = [
          { nodeId: 'd', input: true },
          { nodeId: 'c', input: true, reads: ['k', 'new', 'missing'] },
        ]
        const deltas = [{ op: 'set' as const, key: 'new', value: 2 }]

        const result = await hand.succeed(
          claim,
          { arrivals, output: 'from a', deltas },
          { next: { workerId: hand.workerId, leaseMs: stage.longMs, candidates } },
        )

        expect(result.ready).toEqual(['b', 'd'])
        expect(result.claim).toMatchObject({
          instanceId: 'c',
          attempt: 1,
          input: { order: 1 },
          context: { k: { value: 'v', version: 1 }, new: { value: 2, version: 1 } },
          arrivals: [{ edge: 'a->c', from: 'a', fate: 'succeeded', output: 'from a' }],
        })
        expect(Object.keys(result.claim?.context ?? {})).not.toContain('missing')
        expect((await hand.types()).filter((type) => type === 'node-claimed')).toHaveLength(2)
        expect(await stage.hand('worker-2').tryClaim('c')).toEqual({ status: 'not-claimable' })
        if (result.claim !== undefined) await hand.succeed(result.claim)
      },
    },
    {
      title: 'claims nothing with a commit where no candidate fits or its time has not come',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const next = (nodeId: string) => ({
          next: { workerId: hand.workerId, leaseMs: stage.longMs, candidates: [{ nodeId }] },
        })

        const unfit = await hand.succeed(await hand.claim('a'), { arrivals: [arrival('c', 'a')] }, next('x'))
        const retry = { type: 'retried' as const, error: BROKEN, delayMs: stage.longMs }
        const early = await hand.committed(await hand.claim('b'), retry, next('b'))

        expect(unfit).toEqual({
          status: 'committed',
          ready: ['c'],
          run: { status: 'running', stopping: false, seq: expect.any(Number) },
        })
        expect(early).toEqual({
          status: 'committed',
          ready: [],
          run: { status: 'running', stopping: false, seq: expect.any(Number) },
        })
      },
    },
    {
      title: 'ends the lease of a claim that came with a commit like that of any other',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const next = { workerId: hand.workerId, leaseMs: stage.ticks(8), candidates: [{ nodeId: 'b' }] }
        await hand.succeed(await hand.claim('a'), { arrivals: [arrival('b', 'a')] }, { next })
        await stage.pass(stage.ticks(12))

        expect((await stage.hand('worker-2').claim('b')).lostLeases).toBe(1)
      },
    },
    {
      title: 'takes 100 parallel commits of one run, and its journal has no gap and no duplicate',
      async run(stage) {
        const hand = stage.hand()
        const starts = Array.from({ length: 100 }, (_, index) => `n${index}`)
        await hand.create({ starts, context: { count: 0, list: [] } })
        const claims = await Promise.all(starts.map((id) => hand.claim(id)))

        await Promise.all(
          claims.map((claim, index) =>
            hand.succeed(claim, {
              output: index,
              deltas: [
                { op: 'increment', key: 'count', by: 1 },
                { op: 'append', key: 'list', values: [index] },
              ],
              arrivals: [arrival('join', claim.instanceId, { of: 100 })],
            }),
          ),
        )

        const journal = await hand.journal()
        expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
        expect(journal.filter(({ type }) => type === 'node-succeeded')).toHaveLength(100)
        const { context } = await hand.load()
        expect(context.count).toBe(100)
        expect([...(context.list as number[])].sort((left, right) => left - right)).toEqual(
          starts.map((_, index) => index),
        )
        expect((await hand.instance('join'))?.status).toBe('ready')
      },
    },
    {
      title: 'refuses a transition whose deltas do not fit, names the field, and leaves all as it was',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ context: { text: 'x', n: 1 } })
        const claim = await hand.claim('a')
        const before = await hand.everything()

        const result = await hand.commit(
          claim,
          succeeded({
            arrivals: [arrival('b', 'a')],
            deltas: [
              { op: 'increment', key: 'n', by: 1 },
              { op: 'set', key: 'fresh', value: 1 },
              { op: 'increment', key: 'text', by: 1 },
            ],
          }),
        )

        expect(result).toMatchObject({ status: 'conflict', field: 'context.text' })
        expect(await hand.everything()).toEqual(before)
        await hand.succeed(claim)
      },
    },
    {
      title: 'counts a failed attempt, and gives the instance again when its delay is over',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        const result = await hand.committed(await hand.claim('a'), {
          type: 'retried',
          error: BROKEN,
          delayMs: stage.ticks(10),
        })

        expect(result.ready).toEqual([])
        expect((await hand.tryClaim('a')).status).toBe('not-claimable')
        expect(await hand.instance('a')).toMatchObject({ status: 'ready', error: BROKEN })
        await stage.pass(stage.ticks(15))
        expect(await hand.claim('a')).toMatchObject({ attempt: 2, lostLeases: 0 })
      },
    },
    {
      title: 'takes back a claim that is released at no cost: no attempt, no lost lease',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        const result = await hand.committed(await hand.claim('a'), { type: 'released' })

        expect(result.ready).toEqual(['a'])
        expect(await stage.hand('worker-2').claim('a')).toMatchObject({ attempt: 1, lostLeases: 0 })
      },
    },
    {
      title:
        'calls off the losers that a commit names: those that nobody holds at once, the others by their next renewal',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        const held = await hand.claim('b')

        await hand.run('a', { cancels: ['b', 'c', 'never-reached'] })

        expect((await hand.instance('c'))?.status).toBe('cancelled')
        expect((await hand.instance('b'))?.status).toBe('claimed')
        expect((await hand.renew([held])).cancelled).toEqual(['b'])
        await hand.committed(held, { type: 'cancelled', reason: 'lost' })
        expect((await hand.load()).status).toBe('completed')
      },
    },
  ],
}
