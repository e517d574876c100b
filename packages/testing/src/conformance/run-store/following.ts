import { foldJournal, type RunEvent, recordOf } from '@baton/core/adapter'
import { expect } from 'vitest'
import { Signal } from '../../signal.ts'
import { arrival, BROKEN, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

/** Follows a run live until its journal ends. */
async function follow(stage: Stage, options: { from?: number; signal?: AbortSignal; store?: Stage['store'] } = {}) {
  const { store = stage.store, ...others } = options
  const events: RunEvent[] = []
  for await (const event of store.journal(RUN, { live: true, ...others })) events.push(event)
  return events
}

export const following: Suite = {
  name: 'the journal',
  cases: [
    {
      title: 'gives the events from a position on, in order and without gap',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await hand.run('a')
        await hand.run('b')

        const all = await hand.journal()

        expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
        expect(await hand.journal(RUN, 4)).toEqual(all.slice(3))
        expect(await hand.journal(RUN, 6)).toEqual(all.slice(5))
        expect(await hand.journal(RUN, 7)).toEqual([])
        expect(await hand.journal(RUN, 99)).toEqual([])
      },
    },
    {
      title: 'stamps events with times that never go back',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        for (const id of ['a', 'b', 'c']) {
          await hand.run(id)
          await stage.pass(stage.ticks(1))
        }

        const times = (await hand.journal()).map(({ atMs }) => atMs)
        expect(times).toEqual([...times].sort((left, right) => left - right))
        expect(Math.abs((times.at(-1) ?? 0) - stage.clock.now())).toBeLessThan(60_000)
      },
    },
    {
      title: 'goes on live without gap or duplicate while others commit, and ends with the run',
      async run(stage) {
        const hand = stage.hand()
        const starts = Array.from({ length: 20 }, (_, index) => `n${index}`)
        await hand.create({ starts })
        const followers = [
          follow(stage),
          follow(stage, { from: 5 }),
          follow(stage, { store: (await stage.world.reopen()).store }),
        ]

        await Promise.all(starts.map((id) => hand.run(id)))

        const all = await hand.journal()
        const followed = await stage.until(Promise.all(followers))
        expect(all).toHaveLength(42)
        expect(followed[0]).toEqual(all)
        expect(followed[1]).toEqual(all.slice(4))
        expect(followed[2]).toEqual(all)
      },
    },
    {
      title: 'wakes a follower for an event that comes after it has read all there was',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const seen = new Signal<RunEvent>()
        const followed = (async () => {
          for await (const event of stage.store.journal(RUN, { live: true, from: 2 })) {
            seen.fire(event)
            break
          }
        })()
        await stage.pass(stage.ticks(2))

        await hand.claim('a')

        expect(await stage.until(seen.wait())).toMatchObject({ seq: 2, type: 'node-claimed' })
        await followed
      },
    },
    {
      title: 'ends at once for a run that has ended, also when it is followed live',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.run('a')

        expect(await stage.until(follow(stage))).toEqual(await hand.journal())
        expect(await stage.until(follow(stage, { from: 99 }))).toEqual([])
      },
    },
    {
      title: 'lets a follower go when its signal fires, before or after it began',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const stop = new AbortController()
        const followed = follow(stage, { signal: stop.signal })
        await stage.pass(stage.ticks(2))

        stop.abort()

        expect((await stage.until(followed)).length).toBeLessThanOrEqual(1)
        expect((await stage.until(follow(stage, { signal: stop.signal }))).length).toBeLessThanOrEqual(1)
      },
    },
    {
      title: 'folds to exactly what is loaded, after every kind of event',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c', 'd', 'e'], failFast: false, context: { n: 1 }, input: [1] })
        const check = async () => {
          const folded = foldJournal(await hand.journal())
          expect(folded && recordOf(folded)).toEqual(await hand.load())
        }
        await check()
        await hand.claim('a', { leaseMs: stage.ticks(5) })
        await stage.pass(stage.ticks(10))
        const a = await hand.claim('a')
        await hand.committed(a, {
          type: 'stepped',
          step: { position: 0, kind: 'step', name: 's' },
          deltas: [{ op: 'set', key: 'k', value: [1] }],
        })
        await check()
        await hand.succeed(a, {
          arrivals: [arrival('join', 'a', { of: 2 })],
          deltas: [
            { op: 'increment', key: 'n', by: 1 },
            { op: 'delete', key: 'k' },
          ],
        })
        await check()
        await hand.committed(await hand.claim('b'), { type: 'retried', error: BROKEN, delayMs: 0 })
        await hand.fail(await hand.claim('b'))
        await check()
        const wait = { kind: 'signal' as const, name: 'go' }
        await hand.committed(await hand.claim('c'), {
          type: 'awaited',
          step: { position: 0, kind: 'signal', name: 'go' },
          wait,
        })
        await hand.committed(await hand.claim('d'), {
          type: 'slept',
          step: { position: 0, kind: 'sleep', name: 'sleep' },
          delayMs: stage.longMs,
        })
        await hand.committed(await hand.claim('e'), { type: 'expanded', items: [1, 2], concurrency: 1, maxFailures: 0 })
        await check()
        await hand.notify({ type: 'signal', name: 'go', payload: 2 })
        await hand.committed(await hand.claim('c'), { type: 'released' })
        await check()
        await hand.cancel()
        await check()
        expect((await hand.load()).status).toBe('failed')
      },
    },
    {
      title: 'summarises a run as it loads it, without instances and context',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'], context: { k: 1 }, tags: ['t'] })
        await hand.run('a')

        const summary = await stage.store.summary(RUN)

        expect(await hand.load()).toMatchObject({ ...summary })
        expect(summary).toMatchObject({ runId: RUN, status: 'running', tags: ['t'], seq: 3 })
        expect(Object.keys(summary ?? {})).not.toContain('instances')
        expect(Object.keys(summary ?? {})).not.toContain('context')
      },
    },
  ],
}
