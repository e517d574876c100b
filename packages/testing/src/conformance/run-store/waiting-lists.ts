import { parseRunId } from '@baton/core'
import type { DueFlow, DueItem } from '@baton/core/adapter'
import { expect } from 'vitest'
import { BROKEN, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Case, Suite } from '../suite.ts'

const OLD: DueFlow = { flowId: 'flow', version: '1' }
const NEW: DueFlow = { flowId: 'flow', version: '2' }

const named = (items: readonly DueItem[]) =>
  items.map((item) => (item.type === 'instance' ? `${item.runId} ${item.instanceId}` : item.type))

const enlist = (stage: Stage, instanceId: string, runId = RUN) => stage.store.enlist({ runId, instanceId })

const onList = async (stage: Stage, ...flows: readonly DueFlow[]) =>
  named(await stage.store.due({ limit: 100, flows, enlisted: true }))

const told = async (stage: Stage) => ({
  all: named(await stage.store.due({ limit: 100 })),
  unsent: named(await stage.store.due({ limit: 100, unsentOnly: true })),
  ofFlow: named(await stage.store.due({ limit: 100, flows: [OLD, NEW] })),
})

const NOTHING = { all: [], unsent: [], ofFlow: [] }

/** What may not be claimed is not put on a list. */
const refused: Case[] = (
  [
    ['waits for its predecessors', 'join', 'not-claimable'],
    ['is held', 'held', 'not-claimable'],
    ['is asleep', 'asleep', 'not-claimable'],
    ['is settled', 'settled', 'not-claimable'],
    ['nobody knows', 'stranger', 'not-claimable'],
  ] as const
).map(([what, instanceId, status]) => ({
  title: `puts no instance on a list that ${what}`,
  async run(stage) {
    const hand = stage.hand()
    await hand.create({ version: '1', starts: ['held', 'asleep', 'settled'] })
    await hand.claim('held')
    const step = { position: 0, kind: 'sleep' as const, name: 'sleep' }
    await hand.committed(await hand.claim('asleep'), { type: 'slept', step, delayMs: stage.longMs })
    const arrivals = [
      { to: 'join', from: 'settled', edge: 'e', fate: 'succeeded' as const, rule: 'all' as const, of: 2 },
    ]
    await hand.run('settled', { arrivals })
    const before = await hand.everything()

    expect(await enlist(stage, instanceId)).toEqual({ status })

    expect(await hand.everything()).toEqual(before)
    expect(await onList(stage, OLD)).toEqual([])
    expect(await stage.store.waitingLists()).toEqual([])
  },
}))

export const waitingLists: Suite = {
  name: 'waiting lists by version',
  cases: [
    {
      title: 'tells of what is on a list only those who have that version, and nobody is reminded of it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', starts: ['a', 'b'] })

        expect(await enlist(stage, 'a')).toEqual({ status: 'enlisted' })
        await stage.pass(stage.ticks(200))

        expect(await onList(stage, OLD)).toEqual(['run-1 a'])
        expect(await onList(stage, NEW, { flowId: 'other', version: '1' })).toEqual([])
        expect(await onList(stage, NEW, OLD)).toEqual(['run-1 a'])
        expect(await told(stage)).toEqual({ all: ['run-1 b'], unsent: ['run-1 b'], ofFlow: ['run-1 b'] })
        expect(named(await stage.store.due({ limit: 10, runId: RUN })).sort()).toEqual(['run-1 a', 'run-1 b'])
      },
    },
    {
      title: 'says so again when an instance is put on its list again, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1' })
        await enlist(stage, 'a')
        const before = await hand.everything()
        await stage.pass(stage.ticks(2))

        expect(await enlist(stage, 'a')).toEqual({ status: 'enlisted' })

        expect(await hand.everything()).toEqual(before)
        expect(await onList(stage, OLD)).toEqual(['run-1 a'])
      },
    },
    ...refused,
    {
      title: 'knows no run that there is not',
      async run(stage) {
        expect(await enlist(stage, 'a')).toEqual({ status: 'unknown-run' })
      },
    },
    {
      title: 'takes an instance off its list with the claim, and nobody else finds it there',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', starts: ['a', 'b'] })
        await enlist(stage, 'a')
        await enlist(stage, 'b')

        const claim = await hand.claim('a', { leaseMs: stage.ticks(10) })

        expect(claim.fence).toBe(1)
        expect(await onList(stage, OLD)).toEqual(['run-1 b'])
        await stage.pass(stage.ticks(15))
        expect(named(await stage.store.due({ limit: 10, unsentOnly: true }))).toEqual(['run-1 a'])
      },
    },
    {
      title: 'keeps what was left by a worker that died, and what has slept or waited long enough, as well',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', starts: ['held', 'asleep', 'retried', 'awaiting'] })
        const delayMs = stage.ticks(10)
        const sleep = { position: 0, kind: 'sleep' as const, name: 'sleep' }
        const signal = { position: 0, kind: 'signal' as const, name: 'go' }
        await hand.claim('held', { leaseMs: delayMs })
        await hand.committed(await hand.claim('asleep'), { type: 'slept', step: sleep, delayMs })
        await hand.committed(await hand.claim('retried'), { type: 'retried', error: BROKEN, delayMs })
        const wait = { kind: 'signal' as const, name: 'go' }
        await hand.committed(await hand.claim('awaiting'), { type: 'awaited', step: signal, wait, timeoutMs: delayMs })
        await stage.pass(stage.ticks(15))
        const names = ['asleep', 'awaiting', 'held', 'retried']

        for (const name of names) expect(await enlist(stage, name)).toEqual({ status: 'enlisted' })

        expect((await onList(stage, OLD)).sort()).toEqual(names.map((name) => `run-1 ${name}`))
        expect(await told(stage)).toEqual(NOTHING)
        for (const name of names) await hand.claim(name)
        expect(await onList(stage, OLD)).toEqual([])
        expect(await stage.store.waitingLists()).toEqual([])
      },
    },
    {
      title: 'has a list for runs without a version, open to those who have any version of the flow',
      async run(stage) {
        await stage.hand().create()

        expect(await enlist(stage, 'a')).toEqual({ status: 'enlisted' })

        expect(await onList(stage, { flowId: 'flow' })).toEqual(['run-1 a'])
        expect(await onList(stage, NEW)).toEqual(['run-1 a'])
        expect(await onList(stage, { flowId: 'other' })).toEqual([])
        expect(await stage.store.waitingLists()).toMatchObject([{ flowId: 'flow', count: 1 }])
      },
    },
    {
      title: 'compares versions as text',
      async run(stage) {
        const hand = stage.hand()
        const versions = ['1', '1.0', '01', 'V1', 'v1', '1-rc']
        for (const version of versions) {
          await hand.create({ runId: parseRunId(`of-${version}`), version })
          await enlist(stage, 'a', parseRunId(`of-${version}`))
        }

        for (const version of versions) {
          expect(await onList(stage, { flowId: 'flow', version })).toEqual([`of-${version} a`])
        }
        expect(await stage.store.waitingLists()).toHaveLength(versions.length)
      },
    },
    {
      title: 'takes off its list what is left of a run that is called off, so that anybody finds it and the run ends',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', starts: ['dead', 'b'] })
        await hand.claim('dead', { leaseMs: stage.ticks(5) })
        await stage.pass(stage.ticks(10))
        await enlist(stage, 'dead')
        await enlist(stage, 'b')

        await hand.cancel()

        expect(await onList(stage, OLD)).toEqual([])
        expect(named(await stage.store.due({ limit: 10 }))).toEqual(['run-1 dead'])
        expect(await enlist(stage, 'dead')).toEqual({ status: 'cancelled' })
        expect(await hand.tryClaim('dead')).toEqual({ status: 'ended' })
        expect(await enlist(stage, 'dead')).toEqual({ status: 'ended' })
        expect(await hand.load()).toMatchObject({ status: 'cancelled' })
      },
    },
    {
      title: 'takes off its list what an operator pauses, and puts nothing on one until that is over',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1' })
        await enlist(stage, 'a')

        await hand.notify({ type: 'pause', reason: 'a look' })

        expect(await onList(stage, OLD)).toEqual([])
        expect(await stage.store.waitingLists()).toEqual([])
        expect(await enlist(stage, 'a')).toEqual({ status: 'not-claimable' })
        expect(await hand.notify({ type: 'unpause' })).toMatchObject({ status: 'accepted', ready: ['a'] })
        expect(await enlist(stage, 'a')).toEqual({ status: 'enlisted' })
        expect(await onList(stage, OLD)).toEqual(['run-1 a'])
      },
    },
    {
      title: 'finds the deadline of a run that is on a list',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', deadlineMs: stage.ticks(10) })
        await enlist(stage, 'a')
        await stage.pass(stage.ticks(15))

        expect(named(await stage.store.due({ limit: 10, unsentOnly: true }))).toEqual(['deadline'])
        await hand.notify({ type: 'deadline' })

        expect(await hand.load()).toMatchObject({ status: 'failed' })
        expect(await stage.store.waitingLists()).toEqual([])
      },
    },
    {
      title: 'tells operators how many wait for which version and since when, and the run that it waits',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', starts: ['a', 'b', 'c'] })
        await hand.create({ runId: parseRunId('run-2'), version: '1' })
        await hand.create({ runId: parseRunId('run-3'), version: '2' })
        expect(await stage.store.summary(RUN)).not.toHaveProperty('pendingWorker')
        const beforeMs = stage.clock.now()
        await enlist(stage, 'a')
        await stage.pass(stage.ticks(10))
        const laterMs = stage.clock.now()
        for (const runId of ['run-2', 'run-3']) await enlist(stage, 'a', parseRunId(runId))
        await enlist(stage, 'b')

        const lists = [...(await stage.store.waitingLists())].sort((left, right) => right.count - left.count)

        expect(lists).toMatchObject([
          { flowId: 'flow', version: '1', count: 3 },
          { flowId: 'flow', version: '2', count: 1 },
        ])
        // To the millisecond on a clock of the test's own, and to a few ticks where the store has its own.
        const slackMs = stage.ticks(5)
        expect(Math.abs((lists[0]?.sinceMs ?? 0) - beforeMs)).toBeLessThan(slackMs)
        expect(Math.abs((lists[1]?.sinceMs ?? 0) - laterMs)).toBeLessThan(slackMs)
        const [first, second] = [await stage.store.summary(RUN), await stage.store.summary(parseRunId('run-2'))]
        expect(first?.pendingWorker).toEqual({ sinceMs: lists[0]?.sinceMs })
        expect(second?.pendingWorker?.sinceMs).toBeGreaterThan(lists[0]?.sinceMs ?? 0)
        for (const name of ['a', 'b']) await hand.claim(name)
        expect(await stage.store.summary(RUN)).not.toHaveProperty('pendingWorker')
      },
    },
    {
      title: 'gives what many runs have on a list page after page, each item once, as it is claimed',
      async run(stage) {
        const hand = stage.hand()
        const ids = Array.from({ length: 30 }, (_, index) => `run-${index}`)
        for (const id of ids) {
          await hand.create({ runId: parseRunId(id), version: '1' })
          await enlist(stage, 'a', parseRunId(id))
        }

        const seen: string[] = []
        for (let page = 0; page < 10; page++) {
          const items = await stage.store.due({ limit: 7, flows: [OLD], enlisted: true })
          expect(items.length).toBeLessThanOrEqual(7)
          for (const item of items) {
            seen.push(item.runId)
            await hand.claim('a', { runId: item.runId })
          }
        }

        expect(seen.sort()).toEqual([...ids].sort())
      },
    },
    {
      title: 'shows all processes the same lists',
      async run(stage) {
        const other = await stage.world.reopen()
        const hand = stage.hand()
        await hand.create({ version: '1' })
        expect(await other.store.due({ limit: 10, flows: [OLD], enlisted: true })).toEqual([])

        await enlist(stage, 'a')

        expect(named(await other.store.due({ limit: 10, flows: [OLD], enlisted: true }))).toEqual(['run-1 a'])
        expect(await other.store.enlist({ runId: RUN, instanceId: 'a' })).toEqual({ status: 'enlisted' })
        await stage.hand('worker-2', other).claim('a')
        expect(await onList(stage, OLD)).toEqual([])
      },
    },
  ],
}
