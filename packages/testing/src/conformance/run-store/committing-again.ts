import { expect } from 'vitest'
import { arrival, succeeded } from '../hand.ts'
import type { Suite } from '../suite.ts'

/** Whoever did not hear the answer asks again, and must not change anything by it. */
export const committingAgain: Suite = {
  name: 'committing a transition again',
  cases: [
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
  ],
}
