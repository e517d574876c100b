import { parseRunId } from '@baton/core'
import type { DueItem } from '@baton/core/adapter'
import { expect } from 'vitest'
import { BROKEN, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const named = (items: readonly DueItem[]) =>
  items.map((item) => (item.type === 'instance' ? item.instanceId : item.type))

const due = async (stage: Stage) => named(await stage.store.due({ limit: 100 }))
const unsent = (stage: Stage, limit = 100) => stage.store.due({ limit, unsentOnly: true })

export const findingDue: Suite = {
  name: 'finding what is due',
  cases: [
    {
      title: 'lists what is ready with all that a job needs, and not what is held, asleep or settled',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c', 'd'], version: '2', priority: 3 })
        await hand.claim('a')
        await hand.run('b')
        const step = { position: 0, kind: 'sleep' as const, name: 'sleep' }
        await hand.committed(await hand.claim('c'), { type: 'slept', step, delayMs: stage.longMs })

        const items = await stage.store.due({ limit: 10 })

        expect(items).toMatchObject([
          { type: 'instance', runId: RUN, flowId: 'flow', version: '2', instanceId: 'd', priority: 3, dispatch: 0 },
        ])
      },
    },
    {
      title: 'lists expired leases, sleepers, retries and waits whose time has come, and not before',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['held', 'asleep', 'retried', 'awaiting'] })
        const delayMs = stage.ticks(15)
        const sleep = { position: 0, kind: 'sleep' as const, name: 'sleep' }
        const signal = { position: 0, kind: 'signal' as const, name: 'go' }
        const wait = { kind: 'signal' as const, name: 'go' }
        await hand.claim('held', { leaseMs: delayMs })
        await hand.committed(await hand.claim('asleep'), { type: 'slept', step: sleep, delayMs })
        await hand.committed(await hand.claim('retried'), { type: 'retried', error: BROKEN, delayMs })
        await hand.committed(await hand.claim('awaiting'), { type: 'awaited', step: signal, wait, timeoutMs: delayMs })

        expect(await due(stage)).toEqual([])
        await stage.pass(stage.ticks(20))

        expect((await due(stage)).sort()).toEqual(['asleep', 'awaiting', 'held', 'retried'])
        expect(named(await unsent(stage)).sort()).toEqual(['asleep', 'awaiting', 'held', 'retried'])
      },
    },
    {
      title: 'lists the oldest first, also across runs',
      async run(stage) {
        const hand = stage.hand()
        const ids = ['z', 'm', 'b', 'x'].map((id) => parseRunId(id))
        for (const runId of ids) {
          await hand.create({ runId, starts: [`of-${runId}`] })
          await stage.pass(stage.ticks(2))
        }

        expect(await due(stage)).toEqual(['of-z', 'of-m', 'of-b', 'of-x'])
        expect(named(await stage.store.due({ limit: 2 }))).toEqual(['of-z', 'of-m'])
      },
    },
    {
      title: 'finds everything that is due over and over again until somebody takes it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })

        expect(await due(stage)).toEqual(['a', 'b'])
        expect(await due(stage)).toEqual(['a', 'b'])
        await hand.claim('a')
        expect(await due(stage)).toEqual(['b'])
      },
    },
    {
      title: 'does not remind of what was just made ready, and does when nobody has taken it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })

        expect(await unsent(stage)).toEqual([])
        await stage.pass(stage.ticks(25))
        await hand.claim('a')

        expect(named(await unsent(stage))).toEqual(['b'])
      },
    },
    {
      title: 'reminds again after twice the time, up to a longest, with a number that grows',
      world: { redispatch: 20, redispatchMax: 60 },
      async run(stage) {
        await stage.hand().create()
        await stage.pass(stage.ticks(25))

        const dispatches: number[] = []
        for (const pauseTicks of [20, 40, 60, 60]) {
          const items = await unsent(stage)
          dispatches.push(...items.map((item) => (item.type === 'instance' ? item.dispatch : -1)))
          await stage.store.redispatch(items)
          expect(await unsent(stage)).toEqual([])
          await stage.pass(stage.ticks(pauseTicks - 5))
          expect(await unsent(stage), `before ${pauseTicks} ticks`).toEqual([])
          await stage.pass(stage.ticks(10))
        }

        expect(dispatches).toEqual([0, 1, 2, 3])
        expect(await due(stage)).toEqual(['a'])
      },
    },
    {
      title: 'gives page after page of reminders, each item once',
      async run(stage) {
        const hand = stage.hand()
        const ids = Array.from({ length: 25 }, (_, index) => `run-${index}`)
        for (const id of ids) await hand.create({ runId: parseRunId(id), starts: ['a', 'b'] })
        await stage.pass(stage.ticks(25))

        const seen: string[] = []
        for (let page = 0; page < 10; page++) {
          const items = await unsent(stage, 10)
          expect(items.length).toBeLessThanOrEqual(10)
          seen.push(...items.map((item) => `${item.runId} ${item.type === 'instance' ? item.instanceId : ''}`))
          await stage.store.redispatch(items)
          if (items.length < 10) break
        }

        expect([...seen].sort()).toEqual(ids.flatMap((id) => [`${id} a`, `${id} b`]).sort())
      },
      world: { redispatch: 20, redispatchMax: 20_000 },
    },
    {
      title: 'tells of one run alone where it is asked about one',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.create({ runId: parseRunId('run-2'), starts: ['x', 'y'] })

        expect(named(await stage.store.due({ limit: 10, runId: parseRunId('run-2') }))).toEqual(['x', 'y'])
        expect(named(await stage.store.due({ limit: 1, runId: parseRunId('run-2') }))).toEqual(['x'])
        expect(await stage.store.due({ limit: 10, runId: parseRunId('run-3') })).toEqual([])
      },
    },
    {
      title: 'has nothing to say about a run that has ended',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'], deadlineMs: stage.ticks(10) })
        await hand.claim('a', { leaseMs: stage.ticks(5) })
        await hand.cancel()
        await stage.pass(stage.ticks(15))
        await hand.tryClaim('a')

        expect(await stage.store.due({ limit: 10 })).toEqual([])
      },
    },
    {
      title: 'forgets no instance that is due when a note about jobs sent comes late or names strangers',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await stage.pass(stage.ticks(25))
        const items = await unsent(stage)
        await hand.committed(await hand.claim('a'), { type: 'released' })

        await stage.store.redispatch(items)
        await stage.store.redispatch(items.map((item) => ({ ...item, runId: parseRunId('nobody') })))

        expect(await due(stage)).toEqual(['a'])
      },
    },
  ],
}
