import { parseRunId } from '@baton/core'
import type { DueItem, NewRun } from '@baton/core/adapter'
import { expect } from 'vitest'
import { arrival, newRun, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const NEXT = parseRunId('run-1@2')
const THIRD = parseRunId('run-1@3')

/** The run that goes on for the one before it. */
function successor(link: number, more: Partial<NewRun> = {}): NewRun {
  const [runId, previousRunId] = link === 2 ? [NEXT, RUN] : [THIRD, NEXT]
  const lineage = { rootRunId: RUN, succession: { firstRunId: RUN, previousRunId, link } }
  return newRun({ runId, lineage, input: link, ...more })
}

const messagesOf = (items: readonly DueItem[]) =>
  items.flatMap((item) => (item.type === 'message' ? [item.message] : []))
const outbox = async ({ store }: Stage, runId = RUN) => messagesOf(await store.due({ limit: 100, runId }))
const startOf = (run: NewRun) => ({ key: `continue:${run.runId}`, to: run.runId, body: { type: 'start', run } })
const signal = (name: string, payload: string) => ({ type: 'signal', name, payload, signalId: payload }) as const

/** A run whose only node has ended it, so that another one goes on. */
async function continued(stage: Stage): Promise<void> {
  const hand = stage.hand()
  await hand.create()
  await hand.succeed(await hand.claim('a'), { continueAs: successor(2) })
}

/** Runs 1 to 3, of which the third is live; all that they had to say is delivered. */
async function threeLinks(stage: Stage): Promise<void> {
  const hand = stage.hand()
  await continued(stage)
  await hand.create(successor(2))
  await stage.store.delivered(RUN, [startOf(successor(2)).key])
  await hand.succeed(await hand.claim('a', { runId: NEXT }), { continueAs: successor(3) })
  await hand.create(successor(3))
  await hand.notify({ type: 'continued', by: THIRD, link: 3 })
  await stage.store.delivered(NEXT, [startOf(successor(3)).key])
}

export const continuing: Suite = {
  name: 'runs that go on for each other',
  cases: [
    {
      title: 'ends as completed, without an output, and keeps the start of the run that goes on',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const committed = await hand.succeed(await hand.claim('a'), { continueAs: successor(2) })

        expect(committed).toMatchObject({ run: { status: 'completed' }, sent: [startOf(successor(2))] })
        expect(await hand.load()).toMatchObject({ status: 'completed', continuedBy: NEXT })
        expect(await hand.load()).not.toHaveProperty('output')
        expect((await hand.journal()).at(-1)).toMatchObject({ type: 'run-completed', next: { runId: NEXT } })
        const other = await stage.world.reopen()
        expect(messagesOf(await other.store.due({ limit: 100, runId: RUN }))).toEqual([startOf(successor(2))])
        expect(await other.store.purge({ endedBeforeMs: stage.clock.now() + 1_000 })).toBe(0)
      },
    },
    {
      title: 'starts nothing more, calls off what is not claimed, and ends with the last claim',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b', 'c'] })
        const [first, second] = [await hand.claim('a'), await hand.claim('b')]

        const committed = await hand.succeed(first, { continueAs: successor(2) })
        expect(committed).toMatchObject({ run: { stopping: true }, ready: [] })
        expect((await hand.tryClaim('c')).status).toBe('cancelled')
        await hand.succeed(second, { arrivals: [arrival('d', 'b')] })

        expect(await hand.load()).toMatchObject({ status: 'completed', continuedBy: NEXT })
        const statuses = (await hand.load()).instances.map(({ instanceId, status }) => `${instanceId} ${status}`)
        expect(statuses.sort()).toEqual(['a succeeded', 'b succeeded', 'c cancelled', 'd cancelled'])
      },
    },
    {
      title: 'is cancelled by who comes before its end: then nothing goes on',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const [first, second] = [await hand.claim('a'), await hand.claim('b')]
        await hand.succeed(first, { continueAs: successor(2) })

        expect(await hand.cancel()).toMatchObject({ status: 'accepted', run: { status: 'cancelling' } })
        await hand.succeed(second)

        expect((await hand.load()).status).toBe('cancelled')
        expect(await hand.load()).not.toHaveProperty('continuedBy')
        expect(await outbox(stage)).toEqual([])
      },
    },
    {
      title: 'does not end for a node that lost its join',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const [winner, loser] = [await hand.claim('a'), await hand.claim('b')]
        await hand.succeed(winner, { arrivals: [arrival('c', 'a')], cancels: ['b'] })
        await hand.succeed(loser, { continueAs: successor(2) })

        expect((await hand.instance('b'))?.status).toBe('cancelled')
        await hand.run('c')
        expect(await hand.load()).not.toHaveProperty('continuedBy')
      },
    },
    {
      title: 'hands on what nobody has used: signals and their ids, live children, a pause',
      async run(stage) {
        const hand = stage.hand()
        const child = (runId: string) =>
          newRun({ runId: parseRunId(runId), lineage: { rootRunId: RUN, parentRunId: RUN } })
        await hand.create()
        const claim = await hand.claim('a')
        const sends = [
          { type: 'start-child', run: child('live'), detached: false },
          { type: 'start-child', run: child('ended'), detached: false },
          { type: 'start-child', run: child('apart'), detached: true },
        ] as const
        await hand.committed(claim, { type: 'stepped', step: { position: 0, kind: 'step', name: 's' }, sends })
        await hand.notify({ type: 'child-ended', childRunId: parseRunId('ended'), end: { status: 'completed' } })
        for (const payload of ['1', '2']) await hand.notify(signal('word', payload))
        await hand.notify({ type: 'pause', reason: 'look', by: 'me' })
        await hand.succeed(claim, { continueAs: successor(2) })
        const next = (await outbox(stage)).find(({ to }) => to === NEXT)
        if (next?.body.type !== 'start') throw new Error('no start')
        await hand.create(next.body.run)

        expect(await hand.load(NEXT)).toMatchObject({
          status: 'paused',
          operatorPause: { reason: 'look', by: 'me' },
          children: [{ runId: 'live', flowId: 'flow', instanceId: 'a', status: 'running', detached: false }],
        })
        expect(await hand.notify(signal('word', '2'), NEXT)).toMatchObject({ status: 'unchanged' })
        await hand.notify({ type: 'unpause' }, NEXT)
        const resumed = await hand.claim('a', { runId: NEXT })
        const waits = (position: number) => {
          const step = { position, kind: 'signal', name: 'word' } as const
          return { type: 'awaited', step, wait: { kind: 'signal', name: 'word' } } as const
        }
        await hand.committed(resumed, waits(0))
        await hand.committed(await hand.claim('a', { runId: NEXT }), waits(1))
        expect((await hand.claim('a', { runId: NEXT })).steps).toMatchObject([{ result: '1' }, { result: '2' }])
        expect(await hand.cancel('enough', NEXT)).toMatchObject({ sent: [{ to: 'live', body: { type: 'cancel' } }] })
      },
    },
    {
      title: 'says who goes on for it to whoever brings news, but not of a signal that it has taken itself',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        await hand.notify(signal('word', 'early'))
        await hand.succeed(claim, { continueAs: successor(2) })

        expect(await hand.notify(signal('word', 'late'))).toMatchObject({ status: 'ended', continuedBy: NEXT })
        expect(await hand.notify(signal('word', 'early'))).toMatchObject({ status: 'unchanged' })
        expect(await hand.cancel()).toMatchObject({ status: 'ended', continuedBy: NEXT })
        const ended = { type: 'child-ended', childRunId: parseRunId('live'), end: { status: 'completed' } } as const
        expect(await hand.notify(ended)).toMatchObject({ status: 'ended', continuedBy: NEXT })
      },
    },
    {
      title: 'remembers the newest that it is told of, for everybody, and no older one instead',
      async run(stage) {
        const hand = stage.hand()
        await threeLinks(stage)
        const before = await hand.journal()
        await hand.notify({ type: 'continued', by: NEXT, link: 2 })

        expect(await hand.cancel()).toMatchObject({ status: 'ended', continuedBy: THIRD })
        expect(await hand.load()).toMatchObject({ continuedBy: NEXT, newestRunId: THIRD })
        const other = await stage.world.reopen()
        expect(await other.store.summary(RUN)).toMatchObject({ continuedBy: NEXT, newestRunId: THIRD })
        expect(await hand.journal()).toEqual(before)
        expect(await hand.notify({ type: 'continued', by: THIRD, link: 3 }, THIRD)).toMatchObject({
          status: 'unchanged',
        })
      },
    },
    {
      title: 'keeps the first as long as the last one lives, and not those in between',
      async run(stage) {
        const hand = stage.hand()
        await threeLinks(stage)
        const purge = async () => stage.store.purge({ endedBeforeMs: stage.clock.now() + 1_000 })

        expect(await purge()).toBe(1)
        expect(await stage.store.load(NEXT)).toBeUndefined()
        expect(await hand.load()).toMatchObject({ newestRunId: THIRD })
        expect(await purge()).toBe(0)
        await hand.run('a', {}, { runId: THIRD })
        expect(await purge()).toBe(2)
      },
    },
    {
      title: 'keeps the first until the last one is old enough to go',
      async run(stage) {
        const hand = stage.hand()
        await threeLinks(stage)
        await stage.pass(stage.ticks(10))
        const endedBeforeMs = stage.clock.now()
        await stage.pass(stage.ticks(10))
        await hand.run('a', {}, { runId: THIRD })

        expect(await stage.store.purge({ endedBeforeMs })).toBe(1)
        expect((await hand.load()).continuedBy).toBe(NEXT)
      },
    },
    {
      title: 'tells a parent when the last has ended, and not before',
      async run(stage) {
        const hand = stage.hand()
        const lineage = { rootRunId: parseRunId('parent'), parentRunId: parseRunId('parent') }
        await hand.create({ lineage })
        const next = successor(2, { lineage: { ...lineage, succession: successor(2).lineage?.succession } as never })
        await hand.succeed(await hand.claim('a'), { continueAs: next })
        expect(await outbox(stage)).toEqual([startOf(next)])
        await hand.create(next)
        await hand.run('a', {}, { runId: NEXT })
        expect(await outbox(stage, NEXT)).toMatchObject([{ key: 'child-ended', to: 'parent' }])
      },
    },
    {
      title: 'tells the run that goes on for another one from any other of its id',
      async run(stage) {
        const hand = stage.hand()
        await hand.create(successor(2))
        expect(await stage.store.create(successor(2))).toEqual({ status: 'exists', same: true })
        const stranger = newRun({ runId: NEXT, input: 2 })
        expect(await stage.store.create(stranger)).toEqual({ status: 'exists', same: false })
      },
    },
  ],
}
