import { expect } from 'vitest'
import { arrival, BROKEN } from '../hand.ts'
import type { Suite } from '../suite.ts'

/** A commit may claim the next instance in the same go: what makes a straight line cost one call per node. */
export const claimingAlong: Suite = {
  name: 'claiming with a commit',
  cases: [
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
  ],
}
