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
