import { parseRunId, type RunId } from '@baton/core'
import { expect } from 'vitest'
import { newRun, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const CHILD = parseRunId('child')

async function endedRun(stage: Stage, runId: RunId): Promise<void> {
  const hand = stage.hand()
  await hand.create({ runId })
  await hand.run('a', { output: 1 }, { runId })
}

const purgeAll = async (stage: Stage, limit?: number) =>
  stage.store.purge({ endedBeforeMs: stage.clock.now() + 1_000, ...(limit === undefined ? {} : { limit }) })

export const purging: Suite = {
  name: 'retention',
  cases: [
    {
      title: 'removes runs that ended before an instant, everything of them, and no others',
      async run(stage) {
        const hand = stage.hand()
        const [old, live, young] = ['old', 'live', 'young'].map((id) => parseRunId(id)) as [RunId, RunId, RunId]
        await endedRun(stage, old)
        await hand.create({ runId: live })
        await hand.claim('a', { runId: live, leaseMs: stage.ticks(1) })
        await stage.pass(stage.ticks(10))
        const endedBeforeMs = stage.clock.now()
        await stage.pass(stage.ticks(10))
        await endedRun(stage, young)

        expect(await stage.store.purge({ endedBeforeMs })).toBe(1)

        expect(await stage.store.load(old)).toBeUndefined()
        expect(await stage.store.summary(old)).toBeUndefined()
        await expect(hand.journal(old)).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
        await expect((async () => stage.store.context(old).readAll())()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
        expect((await stage.store.list()).runs.map(({ runId }) => runId).sort()).toEqual(['live', 'young'])
        expect((await hand.claim('a', { runId: live })).lostLeases).toBe(1)
      },
    },
    {
      title: 'does not remove a run whose root goes on, and does when the root has ended',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.create({ runId: CHILD, lineage: { rootRunId: RUN, parentRunId: RUN } })
        await hand.run('a', {}, { runId: CHILD })

        expect(await purgeAll(stage)).toBe(0)
        expect((await hand.load(CHILD)).status).toBe('completed')
        await hand.run('a')
        await stage.store.delivered(CHILD, ['child-ended'])
        expect(await purgeAll(stage)).toBe(2)
      },
    },
    {
      title: 'keeps the id of a removed run from being used again, also by another process',
      async run(stage) {
        await endedRun(stage, RUN)
        await purgeAll(stage)
        const other = await stage.world.reopen()

        expect(await stage.store.create(newRun())).toEqual({ status: 'purged' })
        expect(await other.store.create(newRun())).toEqual({ status: 'purged' })
        expect(await stage.store.load(RUN)).toBeUndefined()
        expect((await stage.hand().tryClaim('a')).status).toBe('unknown-run')
      },
    },
    {
      title: 'removes nothing for options that cannot be used',
      async run(stage) {
        await endedRun(stage, RUN)
        const slips = [{ endedBefore: 5 }, { endedBeforeMs: Number.NaN }, { endedBeforeMs: 1e15, limit: 0 }, {}]
        for (const slip of slips) {
          await expect((async () => stage.store.purge(slip as never))()).rejects.toMatchObject({
            code: 'INVALID_OPTION',
          })
        }
        expect((await stage.store.list()).runs).toHaveLength(1)
      },
    },
    {
      title: 'removes no more than it is told in one go',
      async run(stage) {
        for (let index = 0; index < 5; index++) await endedRun(stage, parseRunId(`r${index}`))

        expect([await purgeAll(stage, 2), await purgeAll(stage, 2), await purgeAll(stage, 2)]).toEqual([2, 2, 1])
        expect(await purgeAll(stage)).toBe(0)
        expect((await stage.store.list()).runs).toEqual([])
      },
    },
  ],
}
