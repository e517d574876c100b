import { expect } from 'vitest'
import { arrival } from '../hand.ts'
import type { Suite } from '../suite.ts'

export const claiming: Suite = {
  name: 'claiming an instance',
  cases: [
    {
      title: 'gives an instance to one of two claimants',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        const claim = await hand.claim('a')

        expect(claim).toMatchObject({
          instanceId: 'a',
          attempt: 1,
          lostLeases: 0,
          arrivals: [],
          steps: [],
          context: {},
        })
        expect(await stage.hand('worker-2').tryClaim('a')).toEqual({ status: 'not-claimable' })
        expect(await hand.instance('a')).toMatchObject({ status: 'claimed', workerId: 'worker-1', attempt: 1 })
        expect((await hand.load()).status).toBe('running')
      },
    },
    {
      title: 'gives an instance to one of many claimants that ask at the same time',
      async run(stage) {
        await stage.hand().create()
        const worlds = [stage.world, await stage.world.reopen()]

        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) => stage.hand(`worker-${index}`, worlds[index % 2]).tryClaim('a')),
        )

        expect(results.filter(({ status }) => status === 'claimed')).toHaveLength(1)
        expect(results.filter(({ status }) => status === 'not-claimable')).toHaveLength(19)
        expect(await stage.hand().types()).toEqual(['run-started', 'node-claimed'])
      },
    },
    {
      title: 'gives the same claim again to who asks with the same claim id, and writes nothing by it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ input: 'in', context: { k: 'v' } })
        const needs = { claimId: 'same', input: true, reads: ['k'] }
        const claim = await hand.claim('a', needs)
        const before = await hand.everything()

        const again = await hand.claim('a', needs)

        expect(again).toEqual(claim)
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'gives every claim of an instance a newer fence',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        const fences: number[] = []
        for (let round = 0; round < 4; round++) {
          const claim = await hand.claim('a')
          fences.push(claim.fence)
          await hand.committed(claim, { type: 'released' })
        }

        expect(fences).toEqual([...new Set(fences)].sort((left, right) => left - right))
      },
    },
    {
      title:
        'gives an instance to others when its lease has ended: one more lost lease, no attempt more, a newer fence',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const lost = await hand.claim('a', { leaseMs: stage.ticks(10) })
        await stage.pass(stage.ticks(15))

        const claim = await stage.hand('worker-2').claim('a')

        expect(claim).toMatchObject({ attempt: 1, lostLeases: 1 })
        expect(claim.fence).toBeGreaterThan(lost.fence)
        expect(await hand.types()).toEqual(['run-started', 'node-claimed', 'node-lost', 'node-claimed'])
        expect((await hand.journal())[2]).toMatchObject({ instanceId: 'a', fence: lost.fence, workerId: 'worker-1' })
      },
    },
    {
      title: 'gives an instance to one of many claimants when its lease has ended',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.claim('a', { leaseMs: stage.ticks(5) })
        await stage.pass(stage.ticks(10))

        const results = await Promise.all(
          Array.from({ length: 10 }, (_, index) => stage.hand(`other-${index}`).tryClaim('a')),
        )

        expect(results.filter(({ status }) => status === 'claimed')).toHaveLength(1)
        expect((await hand.instance('a'))?.lostLeases).toBe(1)
      },
    },
    {
      title: 'ends a lease with the time of its attempt, however long it was asked for',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()

        await hand.claim('a', { leaseMs: stage.longMs, timeoutMs: stage.ticks(10) })

        expect((await stage.hand('worker-2').tryClaim('a')).status).toBe('not-claimable')
        await stage.pass(stage.ticks(15))
        expect((await stage.hand('worker-2').claim('a')).lostLeases).toBe(1)
      },
    },
    {
      title: 'brings the input and the context keys that were asked for, and nothing else',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'], input: { big: 1 }, context: { one: 1, two: 2 } })

        const bare = await hand.claim('a')
        const rich = await hand.claim('b', { input: true, reads: ['two', 'three'] })

        expect('input' in bare).toBe(false)
        expect(bare.context).toEqual({})
        expect(rich.input).toEqual({ big: 1 })
        expect(rich.context).toEqual({ two: { value: 2, version: 1 } })
      },
    },
    {
      title: 'does not give what nobody has made ready, what waits for others, or what has settled',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await hand.run('a', { arrivals: [arrival('join', 'a', { of: 2 })] })

        expect(await hand.tryClaim('nobody')).toEqual({ status: 'not-claimable' })
        expect(await hand.tryClaim('join')).toEqual({ status: 'not-claimable' })
        expect(await hand.tryClaim('a')).toEqual({ status: 'not-claimable' })
        expect(await hand.instance('nobody')).toBeUndefined()
      },
    },
    {
      title: 'starts nothing new in a run that is being cancelled, and says so',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await hand.claim('a')

        await hand.cancel()

        expect(await hand.tryClaim('b')).toEqual({ status: 'cancelled' })
        expect((await hand.load()).status).toBe('cancelling')
      },
    },
    {
      title: 'gives nothing of a run that has ended, and says so',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.run('a')
        const before = await hand.everything()

        expect(await hand.tryClaim('a')).toEqual({ status: 'ended' })
        expect(await hand.tryClaim('nobody')).toEqual({ status: 'ended' })
        expect(await hand.everything()).toEqual(before)
      },
    },
  ],
}
