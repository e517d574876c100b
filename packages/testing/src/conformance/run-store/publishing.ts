import { parseRunId, type RunId } from '@baton/core'
import type { DueItem, NewRun, RunEvent } from '@baton/core/adapter'
import { expect } from 'vitest'
import { newRun, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const PUBLISHED = { publishJournal: true } as const
const JOURNAL = { type: 'journal', runId: RUN }

const journalsOf = (items: readonly DueItem[]) => items.filter(({ type }) => type === 'journal')

/** What those are told who ask for journals. */
const unheeded = async ({ store }: Stage) => store.due({ limit: 100, unsentOnly: true, journals: true })
const ofRun = async ({ store }: Stage) => journalsOf(await store.due({ limit: 100, runId: RUN }))
const purge = async ({ store, clock }: Stage) => store.purge({ endedBeforeMs: clock.now() + 1_000 })

async function unpublished({ store }: Pick<Stage, 'store'>, runId: RunId = RUN): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of store.journal(runId, { unpublished: true })) events.push(event)
  return events
}

/** A run of one node, which has ended. */
async function ended(stage: Stage, run: Partial<NewRun> = PUBLISHED): Promise<readonly RunEvent[]> {
  const hand = stage.hand()
  await hand.create(run)
  await hand.run('a', { output: 1 })
  return hand.journal()
}

export const publishing: Suite = {
  name: 'journals to be published',
  cases: [
    {
      title: 'says of a run with each answer that it is to be published, and of no other',
      async run(stage) {
        const hand = stage.hand()
        await hand.create(PUBLISHED)
        const claim = await hand.claim('a')
        expect(claim.head.publishJournal).toBe(true)
        expect((await stage.store.summary(RUN))?.publishJournal).toBe(true)
        expect(await hand.notify({ type: 'signal', name: 'go' })).toMatchObject({ run: PUBLISHED })
        expect(await hand.succeed(claim)).toMatchObject({ run: PUBLISHED })
        const runId = parseRunId('other')
        await hand.create({ runId })
        const other = await hand.claim('a', { runId })
        expect(other.head).not.toHaveProperty('publishJournal')
        expect((await hand.succeed(other)).run).not.toHaveProperty('publishJournal')
        // It is no part of what a run is started with: who asks again may not be one who publishes.
        expect(await stage.store.create(newRun())).toEqual({ status: 'exists', same: true })
      },
    },
    {
      title: 'gives the journal from the first event on that was not published, to every process',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ ...PUBLISHED, starts: ['a', 'b'] })
        await hand.run('a')
        const journal = await hand.journal()
        expect(await unpublished(stage)).toEqual(journal)

        await stage.store.delivered(RUN, ['journal:2'])
        expect(await unpublished(stage)).toEqual(journal.slice(2))
        const other = await stage.world.reopen()
        expect(await unpublished(other)).toEqual(journal.slice(2))

        // What others have published is behind that, or is not there yet.
        for (const seq of [1, 2, journal.length + 1]) await other.store.delivered(RUN, [`journal:${seq}`])
        expect(await unpublished(stage)).toEqual(journal.slice(2))
        await other.store.delivered(RUN, [`journal:${journal.length}`])
        expect(await unpublished(stage)).toEqual([])
        await hand.run('b')
        expect(await unpublished(stage)).toEqual((await hand.journal()).slice(journal.length))
        expect(await unpublished(other)).toEqual((await hand.journal()).slice(journal.length))
      },
    },
    {
      title: 'gives all of a long journal that was not published',
      async run(stage) {
        const hand = stage.hand()
        await hand.create(PUBLISHED)
        const claim = await hand.claim('a')
        const step = (position: number) =>
          hand.committed(claim, { type: 'stepped', step: { position, kind: 'step', name: 'step' } })
        await Promise.all(Array.from({ length: 600 }, (_, position) => step(position)))
        await hand.succeed(claim)
        const journal = await hand.journal()
        expect(journal).toHaveLength(604)
        expect(await unpublished(stage)).toEqual(journal)
        await stage.store.delivered(RUN, ['journal:500'])
        expect(await unpublished(stage)).toEqual(journal.slice(500))
      },
    },
    {
      title: 'gives nothing of a run that is not to be published',
      async run(stage) {
        await ended(stage, {})
        expect(await unpublished(stage)).toEqual([])
        await stage.store.delivered(RUN, ['journal:1'])
        expect(await ofRun(stage)).toEqual([])
        await stage.pass(stage.ticks(50))
        expect(journalsOf(await stage.store.due({ limit: 100 }))).toEqual([])
        expect(await unheeded(stage)).toEqual([])
      },
    },
    {
      title: 'reminds of what nobody has published: those who can first, others when nobody of them came',
      async run(stage) {
        const { length } = await ended(stage)
        const late = async () => journalsOf(await stage.store.due({ limit: 100, unsentOnly: true }))
        // Who asks about the run is told at once.
        expect(await ofRun(stage)).toMatchObject([JOURNAL])
        expect(await unheeded(stage)).toEqual([])

        await stage.pass(stage.ticks(25))
        expect(await unheeded(stage)).toMatchObject([JOURNAL])
        expect(await late()).toEqual([])
        await stage.pass(stage.ticks(25))
        expect(await late()).toMatchObject([JOURNAL])
        expect(await stage.store.due({ limit: 100, flows: [{ flowId: 'flow' }] })).toEqual([])

        await stage.store.redispatch(await unheeded(stage))
        expect(await unheeded(stage)).toEqual([])
        expect(await late()).toEqual([])
        await stage.pass(stage.ticks(25))
        const again = await unheeded(stage)
        expect(again).toMatchObject([JOURNAL])
        await stage.store.redispatch(again)
        await stage.pass(stage.ticks(25))
        // The third comes after twice the time.
        expect(await unheeded(stage)).toEqual([])
        await stage.pass(stage.ticks(25))
        expect(await unheeded(stage)).toMatchObject([JOURNAL])

        await stage.store.delivered(RUN, [`journal:${length}`])
        expect(await unheeded(stage)).toEqual([])
        expect(await ofRun(stage)).toEqual([])
      },
    },
    {
      title: 'reminds of nothing while all is published, and of what comes after that',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ ...PUBLISHED, starts: ['a', 'b'] })
        await hand.run('a')
        await stage.store.delivered(RUN, [`journal:${(await hand.journal()).length}`])
        await stage.pass(stage.ticks(25))
        expect(await unheeded(stage)).toEqual([])
        await hand.notify({ type: 'signal', name: 'go' })
        expect(await unheeded(stage)).toEqual([])
        await stage.pass(stage.ticks(25))
        expect(await unheeded(stage)).toMatchObject([JOURNAL])
      },
    },
    {
      title: 'does not remove a run before all of its journal was published',
      async run(stage) {
        const { length } = await ended(stage)
        expect(await purge(stage)).toBe(0)
        await stage.store.delivered(RUN, [`journal:${length - 1}`])
        expect(await purge(stage)).toBe(0)
        await stage.store.delivered(RUN, [`journal:${length}`])
        expect(await purge(stage)).toBe(1)
        expect(await stage.store.load(RUN)).toBeUndefined()
      },
    },
  ],
}
