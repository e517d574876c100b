import { expect } from 'vitest'
import type { Suite } from '../suite.ts'

export const renewing: Suite = {
  name: 'renewing leases',
  cases: [
    {
      title: 'makes leases longer, and writes no event by it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const claims = [
          await hand.claim('a', { leaseMs: stage.ticks(20) }),
          await hand.claim('b', { leaseMs: stage.ticks(20) }),
        ]
        const before = await hand.journal()

        const result = await hand.renew(claims)

        expect(result).toEqual({
          run: { status: 'running', stopping: false, seq: expect.any(Number) },
          lost: [],
          cancelled: [],
        })
        await stage.pass(stage.ticks(25))
        expect((await stage.hand('worker-2').tryClaim('a')).status).toBe('not-claimable')
        expect((await stage.hand('worker-2').tryClaim('b')).status).toBe('not-claimable')
        expect(await hand.journal()).toEqual(before)
      },
    },
    {
      title: 'does not renew a claim that another has followed, and keeps that one as it is',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const lost = await hand.claim('a', { leaseMs: stage.ticks(5) })
        await stage.pass(stage.ticks(10))
        const other = stage.hand('worker-2')
        const newer = await other.claim('a', { leaseMs: stage.ticks(30) })

        expect((await hand.renew([lost])).lost).toEqual(['a'])

        expect((await other.renew([newer], stage.ticks(10))).lost).toEqual([])
        await stage.pass(stage.ticks(15))
        await stage.hand('worker-3').claim('a')
      },
    },
    {
      title: 'does not renew a claim past the time of its attempt',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a', { leaseMs: stage.ticks(5), timeoutMs: stage.ticks(20) })

        expect((await hand.renew([claim])).lost).toEqual([])
        await stage.pass(stage.ticks(25))

        expect((await hand.renew([claim])).lost).toEqual(['a'])
        await stage.hand('worker-2').claim('a')
      },
    },
    {
      title: 'tells who renews that the run is being cancelled',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        await hand.cancel()

        const result = await hand.renew([claim])

        expect(result).toMatchObject({ run: { status: 'cancelling', stopping: true }, lost: [] })
      },
    },
    {
      title: 'counts a claim as lost that has settled, that never was, or whose run has ended',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const a = await hand.claim('a')
        const b = await hand.claim('b')
        await hand.succeed(a)

        expect((await hand.renew([a, { ...a, instanceId: 'nobody' }, { ...b, fence: b.fence + 1 }, b])).lost).toEqual([
          'a',
          'nobody',
          'b',
        ])
        await hand.succeed(b)
        expect(await hand.renew([b])).toMatchObject({ run: { status: 'completed' }, lost: ['b'] })
      },
    },
  ],
}
