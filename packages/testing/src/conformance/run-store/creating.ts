import { parseRunId, type RunId } from '@baton/core'
import type { FirstClaim } from '@baton/core/adapter'
import { expect } from 'vitest'
import { arrival, eventsOf, newRun, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const OTHER = parseRunId('run-2')
const LONG_MS = 600_000

export const creating: Suite = {
  name: 'creating a run',
  cases: [
    {
      title: 'creates a run with its start instances ready, and everything it was given',
      async run(stage) {
        const hand = stage.hand()

        await hand.create({
          starts: ['a', 'b'],
          version: '1.0',
          input: { order: 7 },
          context: { total: 1, 'né ☃': [null] },
          tags: ['blue', 'née'],
          priority: 5,
          failFast: false,
          correlation: { traceId: 't', spanId: 's' },
        })

        const run = await hand.load()
        expect(run).toMatchObject({
          runId: RUN,
          flowId: 'flow',
          version: '1.0',
          status: 'pending',
          input: { order: 7 },
          context: { total: 1, 'né ☃': [null] },
          tags: ['blue', 'née'],
          priority: 5,
          failFast: false,
          correlation: { traceId: 't', spanId: 's' },
          lineage: { rootRunId: RUN },
        })
        expect(run.instances.map(({ instanceId, status, attempt }) => [instanceId, status, attempt])).toEqual([
          ['a', 'ready', 0],
          ['b', 'ready', 0],
        ])
        expect(await hand.types()).toEqual(['run-started'])
      },
    },
    {
      title: 'may let its maker claim a start instance in the same operation',
      async run(stage) {
        const hand = stage.hand()
        const { first, made } = await makeAndClaim(stage)
        if (made.claim === undefined) return

        expect(made.claim).toMatchObject({ instanceId: 'a', fence: 1, attempt: 1, input: 7, head: { runId: RUN } })
        expect(await hand.types()).toEqual(['run-started', 'node-claimed'])
        expect(await hand.tryClaim('a')).toEqual({ status: 'not-claimable' })
        const { claimId, workerId, leaseMs } = first
        const again = await stage.store.claim({ runId: RUN, instanceId: 'a', claimId, workerId, leaseMs, input: true })
        expect(again).toEqual({ status: 'claimed', claim: made.claim })
        expect(await stage.store.create(newRun({ starts: ['a', 'b'], input: 7 }), first)).toEqual({
          status: 'exists',
          same: true,
        })

        await hand.succeed(made.claim, { arrivals: [] })
        await hand.run('b')
        expect(await hand.load()).toMatchObject({ status: 'completed' })
      },
    },
    {
      title: 'lets others have what its maker has claimed, once the lease is over',
      async run(stage) {
        const hand = stage.hand()
        const leaseMs = stage.ticks(20)
        await makeAndClaim(stage, leaseMs)
        await stage.pass(leaseMs + stage.ticks(5))

        const due = await stage.store.due({ limit: 10 })
        expect(due.flatMap((item) => (item.type === 'instance' ? [item.instanceId] : [])).sort()).toEqual(['a', 'b'])
        await hand.run('a')
        await hand.run('b')
        expect(await hand.load()).toMatchObject({ status: 'completed' })
      },
    },
    {
      title: 'gives its maker no claim of a run that is not to begin yet',
      async run(stage) {
        const startAtMs = stage.clock.now() + 60_000
        const made = await stage.store.create(newRun({ starts: ['a'], startAtMs }), firstOf(['a']))
        expect(made).toEqual({ status: 'created' })
        const other = await stage.store.create(newRun({ runId: OTHER, starts: ['a'] }), firstOf(['x']))
        expect(other).toEqual({ status: 'created' })
      },
    },
    {
      title:
        'says that a run exists when it is created again with the same flow, version and input, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', input: { b: 1, a: [2] } })
        await hand.run('a')
        const before = await hand.everything()

        const again = await stage.store.create(newRun({ version: '1', input: { a: [2], b: 1 } }))

        expect(again).toEqual({ status: 'exists', same: true })
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'says that a run exists with other content when flow, version or input differ, and changes nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ version: '1', input: 1 })
        const before = await hand.everything()

        for (const other of [{ version: '1', input: 2 }, { version: '1' }, { version: '2', input: 1 }, { input: 1 }]) {
          expect(await stage.store.create(newRun(other))).toEqual({ status: 'exists', same: false })
        }
        const otherFlow = await stage.store.create(newRun({ flowId: 'other', version: '1', input: 1 }))
        expect(otherFlow).toEqual({ status: 'exists', same: false })

        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'creates a run once, however many create it at the same time',
      async run(stage) {
        const other = await stage.world.reopen()
        const stores = [stage.store, other.store]

        const results = await Promise.all(
          Array.from({ length: 10 }, async (_, index) => stores[index % 2]?.create(newRun({ input: 1 }))),
        )

        expect(results.filter((result) => result?.status === 'created')).toHaveLength(1)
        expect(results.filter((result) => result?.status === 'exists' && result.same)).toHaveLength(9)
        expect(await stage.hand().types()).toEqual(['run-started'])
      },
    },
    {
      title: 'keeps a run that starts later from being claimed before its time',
      async run(stage) {
        const hand = stage.hand()
        const startAtMs = stage.clock.now() + stage.ticks(20)

        await hand.create({ startAtMs })

        expect(await hand.tryClaim('a')).toEqual({ status: 'not-claimable' })
        expect(await stage.store.due({ limit: 10 })).toEqual([])
        await stage.pass(stage.ticks(25))
        await hand.claim('a')
      },
    },
    {
      title: 'takes ids that differ only in case, or that are awkward as names of files, for different runs',
      async run(stage) {
        const hand = stage.hand()
        const longId = 'x'.repeat(128)
        const ids = [
          'A',
          'a',
          'CON',
          'con',
          'aux.txt',
          'nul',
          'a:b@c',
          '..a',
          'a..',
          '-rf',
          longId,
          `${longId.slice(1)}X`,
        ]

        for (const id of ids) await hand.create({ runId: parseRunId(id), input: id })
        await hand.succeed(await hand.claim('a', { runId: parseRunId('CON') }), {
          deltas: [{ op: 'set', key: 'k', value: 1 }],
        })

        for (const id of ids) {
          const run = await hand.load(parseRunId(id))
          expect([run.runId, run.input, run.status]).toEqual([id, id, id === 'CON' ? 'completed' : 'pending'])
        }
        const { runs } = await stage.store.list({ limit: 100 })
        expect(runs.map(({ runId }) => runId).sort()).toEqual([...ids].sort())
      },
    },
    {
      title: 'refuses a run id that no store accepts with INVALID_ID, and writes nothing',
      async run(stage) {
        for (const id of ['', '.', '..', '../x', 'a/b', 'a\\b', 'a b', 'a\0b', 'é', '__proto__', 'y'.repeat(4096)]) {
          const attempt = async () => stage.store.create(newRun({ runId: id as RunId }))
          await expect(attempt(), JSON.stringify(id).slice(0, 40)).rejects.toMatchObject({
            code: 'INVALID_ID',
            field: 'runId',
          })
        }
        expect(await stage.store.list()).toEqual({ runs: [] })
      },
    },
    {
      title: 'refuses such an id with INVALID_ID whatever it is asked about it',
      async run(stage) {
        const { store } = stage
        const claims = [{ instanceId: 'a', fence: 1 }]
        const claim = { instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 1_000 }
        const transition = { instanceId: 'a', fence: 1, commitId: 'c', outcome: { type: 'released' as const } }
        const calls: { readonly [name: string]: (runId: RunId) => unknown } = {
          load: (runId) => store.load(runId),
          summary: (runId) => store.summary(runId),
          claim: (runId) => store.claim({ ...claim, runId }),
          commit: (runId) => store.commit({ ...transition, runId }),
          notify: (runId) => store.notify({ type: 'cancel', runId, reason: 'enough' }),
          renew: (runId) => store.renew({ runId, leaseMs: 1_000, claims }),
          journal: (runId) => eventsOf(store, runId),
          'context.read': (runId) => store.context(runId).read(['k']),
          'context.readAll': (runId) => store.context(runId).readAll(),
          due: (runId) => store.due({ limit: 10, runId }),
        }

        for (const id of ['', '..', '../etc', 'a\0b', '__proto__', 'y'.repeat(4096), 5, {}, null]) {
          for (const [name, call] of Object.entries(calls)) {
            const attempt = async () => call(id as RunId)
            await expect(attempt(), `${name} ${JSON.stringify(id).slice(0, 40)}`).rejects.toMatchObject({
              code: 'INVALID_ID',
              field: 'runId',
            })
          }
        }
        expect(await store.list()).toEqual({ runs: [] })
      },
    },
    {
      title: 'answers questions about a run that it does not have, and creates nothing by them',
      async run(stage) {
        const hand = stage.hand()
        const { store } = stage

        expect(await store.load(RUN)).toBeUndefined()
        expect(await store.summary(RUN)).toBeUndefined()
        expect(await hand.tryClaim('a')).toEqual({ status: 'unknown-run' })
        const transition = {
          runId: RUN,
          instanceId: 'a',
          fence: 1,
          commitId: 'c',
          outcome: { type: 'released' as const },
        }
        expect(await store.commit(transition)).toEqual({ status: 'unknown-run' })
        expect(await hand.cancel()).toEqual({ status: 'unknown-run' })
        const renewed = await store.renew({ runId: RUN, leaseMs: 1_000, claims: [{ instanceId: 'a', fence: 1 }] })
        expect(renewed.lost).toEqual(['a'])
        expect(await store.due({ limit: 10, runId: RUN })).toEqual([])
        await expect(hand.journal()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
        await expect((async () => store.context(RUN).readAll())()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
        await expect((async () => store.context(RUN).read(['k']))()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })

        expect(await store.list()).toEqual({ runs: [] })
      },
    },
    {
      title: 'shows another process everything that was written, claims and timers too',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'], context: { n: 1 }, input: 'in' })
        const held = await hand.claim('a')
        await hand.run('b', {
          output: 'b',
          deltas: [{ op: 'increment', key: 'n', by: 2 }],
          arrivals: [arrival('d', 'b')],
        })
        const step = { position: 0, kind: 'sleep' as const, name: 'sleep' }
        await hand.committed(await hand.claim('c'), { type: 'slept', step, delayMs: stage.longMs })
        await hand.create({ runId: OTHER })
        const before = await hand.everything()

        const there = stage.hand('worker-2', await stage.world.reopen())

        expect(await there.everything()).toEqual(before)
        expect((await there.load()).context).toEqual({ n: 3 })
        expect((await there.tryClaim('a')).status).toBe('not-claimable')
        expect((await there.tryClaim('c')).status).toBe('not-claimable')
        expect((await there.claim('d')).arrivals).toMatchObject([{ from: 'b', output: 'b' }])
        await there.succeed(held)
        expect(await hand.everything()).toEqual(await there.everything())
      },
    },
    {
      title: 'keeps runs apart: what happens to one leaves the others as they were',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ context: { k: 1 } })
        await hand.create({ runId: OTHER, context: { k: 1 } })
        const before = await hand.everything(OTHER)

        await hand.run('a', { deltas: [{ op: 'set', key: 'k', value: 2 }] })
        await hand.notify({ type: 'signal', name: 'go' })

        expect(await hand.everything(OTHER)).toEqual(before)
      },
    },
    {
      title: 'names the durability that its subject claims',
      async run(stage) {
        expect(stage.store.durability).toBe(stage.subject.durability)
      },
    },
  ],
}

function firstOf(nodeIds: readonly string[], leaseMs = LONG_MS): FirstClaim {
  const candidates = nodeIds.map((nodeId) => ({ nodeId, input: true }))
  return { claimId: 'c1', workerId: 'maker', leaseMs, candidates }
}

/** A run of `a` and `b`, and what its maker has got. A store may leave the claim out. */
async function makeAndClaim(stage: Stage, leaseMs = LONG_MS) {
  const first = firstOf(['a', 'b'], leaseMs)
  const made = await stage.store.create(newRun({ starts: ['a', 'b'], input: 7 }), first)
  if (made.status !== 'created') throw new Error(`the run was not made: ${made.status}`)
  return { first, made }
}
