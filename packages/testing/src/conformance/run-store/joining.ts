import { expect } from 'vitest'
import { arrival, BROKEN, failed } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Case, Suite } from '../suite.ts'

type Fate = 'succeeded' | 'failed' | 'skipped'
type Rule = 'all' | 'any' | 'any-ignore'

/** After each of these fates, whether a join of three edges is ready. */
const RULES: readonly {
  readonly rule: Rule
  readonly fates: readonly Fate[]
  readonly readyAfter: number | undefined
}[] = [
  { rule: 'all', fates: ['succeeded', 'succeeded', 'succeeded'], readyAfter: 3 },
  { rule: 'all', fates: ['skipped', 'succeeded', 'skipped'], readyAfter: 3 },
  { rule: 'all', fates: ['skipped', 'skipped', 'skipped'], readyAfter: 3 },
  { rule: 'all', fates: ['succeeded', 'failed'], readyAfter: 2 },
  { rule: 'all', fates: ['succeeded', 'skipped'], readyAfter: undefined },
  { rule: 'any', fates: ['succeeded'], readyAfter: 1 },
  { rule: 'any', fates: ['failed'], readyAfter: 1 },
  { rule: 'any', fates: ['skipped', 'succeeded'], readyAfter: 2 },
  { rule: 'any', fates: ['skipped', 'skipped'], readyAfter: undefined },
  { rule: 'any', fates: ['skipped', 'skipped', 'skipped'], readyAfter: 3 },
  { rule: 'any-ignore', fates: ['failed', 'succeeded'], readyAfter: 2 },
  { rule: 'any-ignore', fates: ['failed', 'skipped'], readyAfter: undefined },
  { rule: 'any-ignore', fates: ['failed', 'skipped', 'failed'], readyAfter: 3 },
]

const SOURCES = ['a', 'b', 'c']

/** Settles the next source of a join of three with this fate. @returns whether the commit made the join ready */
async function settle(stage: Stage, rule: Rule, fate: Fate, from: string): Promise<boolean> {
  const hand = stage.hand(`hand-of-${from}`)
  const claim = await hand.claim(from)
  const arrivals = [arrival('join', from, { fate, rule, of: 3 })]
  const result =
    fate === 'failed'
      ? await hand.committed(claim, failed({ arrivals, takenBy: { always: true, ifStarted: [] } }))
      : await hand.succeed(claim, { arrivals })
  return result.ready.includes('join')
}

const table: Case[] = RULES.map(({ rule, fates, readyAfter }) => ({
  title: `a join \`${rule}\` of three is ${readyAfter === undefined ? 'not ready' : 'ready'} after ${fates.join(', ')}`,
  async run(stage) {
    await stage.hand().create({ starts: SOURCES, failFast: false })

    const madeReady: boolean[] = []
    for (const [index, fate] of fates.entries())
      madeReady.push(await settle(stage, rule, fate, SOURCES[index] as string))

    expect(madeReady).toEqual(fates.map((_, index) => index + 1 === readyAfter))
    expect((await stage.hand().instance('join'))?.status).toBe(readyAfter === undefined ? 'waiting' : 'ready')
  },
}))

export const joining: Suite = {
  name: 'joining branches',
  cases: [
    ...table,
    {
      title: 'counts an edge once, however often it arrives',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const twice = arrival('join', 'a', { of: 2 })

        const first = await hand.run('a', { arrivals: [twice, twice, arrival('again', 'a')] })
        const second = await hand.run('again', { arrivals: [twice] })

        expect(first.ready).toEqual(['again'])
        expect(second.ready).toEqual([])
        expect((await hand.instance('join'))?.arrivals).toHaveLength(1)
        expect((await hand.run('b', { arrivals: [arrival('join', 'b', { of: 2 })] })).ready).toEqual(['join'])
      },
    },
    {
      title: 'changes nothing about what has settled when an edge comes to it again, in another visit of a loop',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a'] })
        await hand.run('a', { arrivals: [arrival('out', 'a'), arrival('a#2', 'a')] })
        await hand.run('out', { output: 'once' })

        const again = await hand.run('a#2', { arrivals: [{ ...arrival('out', 'a#2'), edge: 'a->out' }] })

        expect(again).toMatchObject({ ready: [], run: { status: 'completed' } })
        expect(await hand.instance('out')).toMatchObject({ status: 'succeeded', output: 'once', fence: 1 })
      },
    },
    {
      title: 'makes a join ready exactly once when all its branches end at the same time',
      async run(stage) {
        const hand = stage.hand()
        const starts = Array.from({ length: 20 }, (_, index) => `n${index}`)
        await hand.create({ starts })
        const claims = await Promise.all(starts.map((id) => hand.claim(id)))
        const other = stage.hand('worker-2', await stage.world.reopen())

        const results = await Promise.all(
          claims.map((claim, index) =>
            (index % 2 === 0 ? hand : other).succeed(claim, {
              arrivals: [arrival('join', claim.instanceId, { of: 20 })],
            }),
          ),
        )

        expect(results.flatMap(({ ready }) => ready)).toEqual(['join'])
        expect((await hand.claim('join')).arrivals).toHaveLength(20)
      },
    },
    {
      title: 'gives a join of `any` to one when all its branches end at the same time and each would go on with it',
      async run(stage) {
        const hand = stage.hand()
        const starts = Array.from({ length: 10 }, (_, index) => `n${index}`)
        await hand.create({ starts })
        const claims = await Promise.all(starts.map((id) => hand.claim(id)))
        const next = { workerId: hand.workerId, leaseMs: stage.longMs, candidates: [{ nodeId: 'join' }] }

        const results = await Promise.all(
          claims.map((claim) =>
            hand.succeed(claim, { arrivals: [arrival('join', claim.instanceId, { rule: 'any', of: 10 })] }, { next }),
          ),
        )

        expect(results.filter(({ claim }) => claim !== undefined)).toHaveLength(1)
        expect(results.flatMap(({ ready }) => ready)).toEqual([])
        expect((await hand.types()).filter((type) => type === 'node-claimed')).toHaveLength(11)
      },
    },
    {
      title: 'gives the claimer of a join its arrivals in the order in which they came, with what each brings',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'], failFast: false })
        const to = (from: string, fate: Fate) => [arrival('join', from, { fate, of: 3, rule: 'any-ignore' })]
        await hand.committed(
          await hand.claim('b'),
          failed({ arrivals: to('b', 'failed'), takenBy: { always: true, ifStarted: [] } }),
        )
        await hand.run('c', { output: null, arrivals: to('c', 'skipped') })
        await hand.run('a', { output: { from: 'a' }, arrivals: to('a', 'succeeded') })

        const claim = await hand.claim('join')

        expect(claim.arrivals).toEqual([
          { edge: 'b->join', from: 'b', fate: 'failed', error: BROKEN },
          { edge: 'c->join', from: 'c', fate: 'skipped' },
          { edge: 'a->join', from: 'a', fate: 'succeeded', output: { from: 'a' } },
        ])
      },
    },
    {
      title: 'lets an `any` join that has started ignore what arrives later',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const to = (from: string, fate: Fate = 'succeeded') => [arrival('join', from, { fate, rule: 'any', of: 2 })]
        await hand.run('a', { arrivals: to('a') })
        const join = await hand.claim('join')

        const late = await hand.fail(await hand.claim('b'), {
          arrivals: to('b', 'failed'),
          takenBy: { always: false, ifStarted: ['join'] },
        })

        expect(late).toMatchObject({ ready: [], run: { status: 'running', stopping: false } })
        expect((await hand.instance('join'))?.arrivals).toHaveLength(1)
        await hand.succeed(join)
        expect((await hand.load()).status).toBe('completed')
      },
    },
    {
      title: 'lets a failure fix the outcome where the `any` join that could take it has not started',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })

        await hand.fail(await hand.claim('b'), {
          arrivals: [arrival('join', 'b', { fate: 'failed', rule: 'any', of: 2 })],
          takenBy: { always: false, ifStarted: ['join'] },
        })

        expect(await hand.load()).toMatchObject({ status: 'failed', error: BROKEN })
      },
    },
    {
      title:
        'applies settlements only to instances that have not started, and those that follow only with their leader',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'started'], failFast: false })
        await hand.claim('started')
        const skipped = { type: 'skipped' as const, reason: 'not-taken' as const }

        const result = await hand.succeed(await hand.claim('a'), {
          arrivals: [],
          settlements: [
            { instanceId: 'x', fate: skipped, arrivals: [arrival('join', 'x', { fate: 'skipped', of: 2 })] },
            { instanceId: 'y', after: 0, fate: skipped, arrivals: [arrival('join', 'y', { fate: 'skipped', of: 2 })] },
            { instanceId: 'started', fate: skipped, arrivals: [arrival('never', 'started', { fate: 'skipped' })] },
            { instanceId: 'z', after: 2, fate: skipped, arrivals: [] },
          ],
        })

        expect(result.ready).toEqual(['join'])
        expect((await hand.load()).instances.map(({ instanceId, status }) => [instanceId, status])).toEqual([
          ['a', 'succeeded'],
          ['b', 'ready'],
          ['started', 'claimed'],
          ['x', 'skipped'],
          ['join', 'ready'],
          ['y', 'skipped'],
        ])
      },
    },
    {
      title: 'settles a failure behind a failure, and fixes the outcome with the first that nobody takes',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'], failFast: false })
        const poisoned = { name: 'BatonError', code: 'PREDECESSOR_FAILED', message: 'a' }

        await hand.fail(await hand.claim('a'), {
          arrivals: [arrival('join', 'a', { fate: 'failed', of: 2 })],
          settlements: [
            {
              instanceId: 'join',
              fate: { type: 'failed', error: poisoned, takenBy: { always: false, ifStarted: [] } },
              arrivals: [],
            },
          ],
        })

        expect(await hand.instance('join')).toMatchObject({ status: 'failed', error: poisoned })
        expect((await hand.load()).status).toBe('running')
        await hand.run('b', { arrivals: [arrival('join', 'b', { of: 2 })] })
        expect(await hand.load()).toMatchObject({ status: 'failed', error: BROKEN })
      },
    },
  ],
}
