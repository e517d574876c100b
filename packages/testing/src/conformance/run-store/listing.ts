import { parseRunId } from '@baton/core'
import type { RunQuery } from '@baton/core/adapter'
import { expect } from 'vitest'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

async function listed(stage: Stage, query?: RunQuery): Promise<string[]> {
  return (await stage.store.list(query)).runs.map(({ runId }) => runId)
}

async function createFive(stage: Stage): Promise<void> {
  const hand = stage.hand()
  for (const [index, flowId] of ['x', 'y', 'x', 'y', 'x'].entries()) {
    await hand.create({ runId: parseRunId(`r${index}`), flowId, tags: index < 2 ? ['early', 'all'] : ['all'] })
    await stage.pass(stage.ticks(2))
  }
  await hand.run('a', {}, { runId: parseRunId('r0') })
  await hand.cancel('no', parseRunId('r1'))
  await hand.claim('a', { runId: parseRunId('r2') })
}

export const listing: Suite = {
  name: 'listing runs',
  cases: [
    {
      title: 'lists runs newest first, in few words each',
      async run(stage) {
        await createFive(stage)

        const { runs, cursor } = await stage.store.list()

        expect(runs.map(({ runId }) => runId)).toEqual(['r4', 'r3', 'r2', 'r1', 'r0'])
        expect(cursor).toBeUndefined()
        expect(runs[4]).toEqual(await stage.store.summary(parseRunId('r0')))
      },
    },
    {
      title: 'lists by status, flow, tag and time, and by all of them together',
      async run(stage) {
        await createFive(stage)
        const times = await Promise.all(
          ['r1', 'r3'].map(async (id) => (await stage.store.summary(parseRunId(id)))?.createdAtMs ?? 0),
        )
        const [second = 0, fourth = 0] = times

        expect(await listed(stage, { status: ['pending'] })).toEqual(['r4', 'r3'])
        expect(await listed(stage, { status: ['completed', 'cancelled', 'running'] })).toEqual(['r2', 'r1', 'r0'])
        expect(await listed(stage, { flowId: 'x' })).toEqual(['r4', 'r2', 'r0'])
        expect(await listed(stage, { tag: 'early' })).toEqual(['r1', 'r0'])
        expect(await listed(stage, { tag: 'earl' })).toEqual([])
        expect(await listed(stage, { createdAfterMs: second })).toEqual(['r4', 'r3', 'r2'])
        expect(await listed(stage, { createdBeforeMs: fourth })).toEqual(['r2', 'r1', 'r0'])
        expect(await listed(stage, { createdAfterMs: second, createdBeforeMs: fourth })).toEqual(['r2'])
        expect(await listed(stage, { flowId: 'x', tag: 'early', status: ['completed'] })).toEqual(['r0'])
      },
    },
    {
      title:
        'lists nothing between times that leave nothing, however far they are apart, and all between those that leave all',
      async run(stage) {
        await createFive(stage)
        const { createdAtMs: third = 0 } = (await stage.store.summary(parseRunId('r2'))) ?? {}
        const all = await listed(stage)

        for (const createdAfterMs of [third, third + 0.5, 1.5e300, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
          const query = { createdAfterMs, createdBeforeMs: third }
          expect(await listed(stage, query), `after ${createdAfterMs}`).toEqual([])
        }
        for (const createdBeforeMs of [0, 1e-200, -1, Number.NEGATIVE_INFINITY]) {
          expect(await listed(stage, { createdBeforeMs }), `before ${createdBeforeMs}`).toEqual([])
        }
        expect(await listed(stage, { createdAfterMs: 1.5e300 })).toEqual([])
        expect(await listed(stage, { createdAfterMs: Number.POSITIVE_INFINITY })).toEqual([])
        for (const createdAfterMs of [0, 1e-200, -1, Number.NEGATIVE_INFINITY]) {
          expect(await listed(stage, { createdAfterMs }), `after ${createdAfterMs}`).toEqual(all)
        }
        for (const createdBeforeMs of [1.5e300, Number.POSITIVE_INFINITY]) {
          expect(await listed(stage, { createdBeforeMs }), `before ${createdBeforeMs}`).toEqual(all)
        }
        expect(await listed(stage, { createdAfterMs: third - 0.5, createdBeforeMs: third + 0.5 })).toEqual(['r2'])
      },
    },
    {
      title: 'gives page after page, neither missing nor repeating a run, while others are created',
      async run(stage) {
        const hand = stage.hand()
        const ids = Array.from({ length: 23 }, (_, index) => `old-${String(index).padStart(2, '0')}`)
        await Promise.all(ids.map((id) => hand.create({ runId: parseRunId(id) })))

        const seen: string[] = []
        let cursor: string | undefined
        let pages = 0
        do {
          const page = await stage.store.list({ limit: 5, ...(cursor === undefined ? {} : { cursor }) })
          expect(page.runs.length).toBeLessThanOrEqual(5)
          seen.push(...page.runs.map(({ runId }) => runId))
          await hand.create({ runId: parseRunId(`new-${pages++}`) })
          cursor = page.cursor
        } while (cursor !== undefined && pages < 20)

        const old = seen.filter((id) => id.startsWith('old-'))
        expect(new Set(seen).size).toBe(seen.length)
        expect([...old].sort()).toEqual(ids)
      },
    },
    {
      title: 'keeps its filters from page to page',
      async run(stage) {
        await createFive(stage)

        const first = await stage.store.list({ flowId: 'x', limit: 2 })
        const second = await stage.store.list({ flowId: 'x', limit: 2, cursor: first.cursor as string })

        expect(first.runs.map(({ runId }) => runId)).toEqual(['r4', 'r2'])
        expect(second.runs.map(({ runId }) => runId)).toEqual(['r0'])
        expect(second.cursor).toBeUndefined()
      },
    },
    {
      title: 'refuses a page size or cursor that it cannot use with INVALID_OPTION',
      async run(stage) {
        const list = (query: RunQuery) => (async () => stage.store.list(query))()

        for (const limit of [0, -1, 1_001, 1.5, Number.NaN]) {
          await expect(list({ limit }), `limit ${limit}`).rejects.toMatchObject({
            code: 'INVALID_OPTION',
            field: 'limit',
          })
        }
        for (const cursor of ['', 'nonsense', "' OR 1=1 --", '../../etc']) {
          await expect(list({ cursor }), cursor).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'cursor' })
        }
      },
    },
  ],
}
