import { expect } from 'vitest'
import { BROKEN, failed, type Hand } from '../hand.ts'
import type { Suite } from '../suite.ts'

const itemArrival = (index: number, fate: 'succeeded' | 'failed' = 'succeeded') => ({
  to: 'a',
  edge: `[${index}]`,
  from: `a[${index}]`,
  fate,
  rule: 'map' as const,
  of: 0,
})

async function expand(hand: Hand, count: number, concurrency: number, maxFailures = 0) {
  const items = Array.from({ length: count }, (_, index) => ({ item: index }))
  return hand.committed(await hand.claim('a'), { type: 'expanded', items, concurrency, maxFailures })
}

const settleItem = (hand: Hand, index: number) =>
  hand.run(`a[${index}]`, { output: `out ${index}`, arrivals: [itemArrival(index)] })

const failItem = async (hand: Hand, index: number) =>
  hand.committed(
    await hand.claim(`a[${index}]`),
    failed({ arrivals: [itemArrival(index, 'failed')], takenBy: { always: true, ifStarted: [] } }),
  )

export const mapping: Suite = {
  name: 'maps',
  cases: [
    {
      title: 'opens as many items of a map as may run at the same time, and the next one when one settles',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        const first = await expand(hand, 4, 2)

        expect(first.ready).toEqual(['a[0]', 'a[1]'])
        expect(await hand.claim('a[1]')).toMatchObject({ item: { item: 1 }, instanceId: 'a[1]' })
        expect((await hand.tryClaim('a[2]')).status).toBe('not-claimable')
        expect((await settleItem(hand, 0)).ready).toEqual(['a[2]'])
      },
    },
    {
      title: 'gives a map back when all its items have settled, with the fate and output of each',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await expand(hand, 3, 3)
        await settleItem(hand, 2)
        await settleItem(hand, 0)
        expect((await hand.tryClaim('a')).status).toBe('not-claimable')

        const last = await settleItem(hand, 1)

        expect(last.ready).toEqual(['a'])
        const claim = await hand.claim('a')
        expect(claim.map).toEqual({ count: 3, maxFailures: 0 })
        expect(claim.arrivals.map(({ from, output }) => [from, output])).toEqual([
          ['a[2]', 'out 2'],
          ['a[0]', 'out 0'],
          ['a[1]', 'out 1'],
        ])
      },
    },
    {
      title: 'goes on with the next item of a map in the commit that settles one',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await expand(hand, 2, 1)
        const next = { workerId: hand.workerId, leaseMs: stage.longMs, candidates: [{ nodeId: 'a' }] }

        const second = await hand.succeed(await hand.claim('a[0]'), { arrivals: [itemArrival(0)] }, { next })
        const back = await hand.succeed(second.claim as never, { arrivals: [itemArrival(1)] }, { next })

        expect(second.claim).toMatchObject({ instanceId: 'a[1]', item: { item: 1 } })
        expect(back.claim).toMatchObject({ instanceId: 'a', map: { count: 2 } })
      },
    },
    {
      title: 'gives a map back at one failure more than it allows, and calls off what is left when it settles',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await expand(hand, 5, 3, 1)
        const held = await hand.claim('a[2]')

        expect((await failItem(hand, 0)).ready).toEqual(['a[3]'])
        expect((await failItem(hand, 1)).ready).toContain('a')
        const claim = await hand.claim('a')
        expect(claim.arrivals.filter(({ fate }) => fate === 'failed')).toHaveLength(2)
        expect(claim.arrivals[0]?.error).toEqual(BROKEN)
        await hand.fail(claim)

        expect((await hand.instance('a[3]'))?.status).toBe('cancelled')
        expect((await hand.renew([held])).run.stopping).toBe(true)
        await hand.commit(held, { type: 'cancelled', reason: 'map' })
        expect((await hand.load()).status).toBe('failed')
      },
    },
    {
      title: 'counts an item of a map once when it is worked on twice',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await expand(hand, 2, 2)
        const lost = await hand.claim('a[0]', { leaseMs: stage.ticks(5) })
        await stage.pass(stage.ticks(10))

        const newer = await stage.hand('worker-2').claim('a[0]')
        const late = await hand.commit(lost, { type: 'succeeded', arrivals: [itemArrival(0)] })

        expect(late).toEqual({ status: 'fenced' })
        await hand.succeed(newer, { arrivals: [itemArrival(0)] })
        expect((await hand.instance('a'))?.status).toBe('waiting')
        expect((await settleItem(hand, 1)).ready).toEqual(['a'])
      },
    },
  ],
}
