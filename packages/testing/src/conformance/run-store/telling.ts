import { parseRunId } from '@baton/core'
import type { Claim, DueItem, Outcome } from '@baton/core/adapter'
import { expect } from 'vitest'
import { newRun, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const CHILD = parseRunId('child')
const LINEAGE = { rootRunId: RUN, parentRunId: RUN }
const START = {
  key: `start:${CHILD}`,
  to: CHILD,
  body: { type: 'start', run: newRun({ runId: CHILD, lineage: LINEAGE }) },
}
const CANCEL = { key: `cancel:${CHILD}`, to: CHILD }
const ENDED = { key: 'child-ended', to: RUN, body: { type: 'child-ended' } }
const DONE = { status: 'completed', output: 7 } as const

/** The transition of a node that starts a child and waits for it. */
function asks(detached = false): Outcome {
  return {
    type: 'awaited',
    step: { position: 0, kind: 'child', name: 'flow' },
    wait: { kind: 'child', name: CHILD },
    sends: [{ type: 'start-child', run: START.body.run, detached }],
  }
}

const messagesOf = (items: readonly DueItem[]) =>
  items.flatMap((item) => (item.type === 'message' ? [item.message] : []))
const outbox = async ({ store }: Stage, runId = RUN) => messagesOf(await store.due({ limit: 100, runId }))
const endsWith = (end: typeof DONE, childRunId = CHILD) => ({ type: 'child-ended', childRunId, end }) as const

/** A run whose only node waits for a child. */
async function parent(stage: Stage, detached = false): Promise<Claim> {
  const hand = stage.hand()
  await hand.create()
  const claim = await hand.claim('a')
  expect(await hand.commit(claim, asks(detached))).toMatchObject({ status: 'committed', sent: [START] })
  return claim
}

/** A run that another one started, and that has ended. */
async function endedChild(stage: Stage): Promise<void> {
  const hand = stage.hand()
  await hand.create({ runId: CHILD, lineage: LINEAGE })
  const claim = await hand.claim('a', { runId: CHILD })
  expect(await hand.succeed(claim, { resultOf: 'a', output: 7 })).toMatchObject({ sent: [ENDED] })
}

export const telling: Suite = {
  name: 'runs that tell each other',
  cases: [
    {
      title: 'starts a run that is nobody’s child, keeps all of its lineage, and removes it by itself',
      async run(stage) {
        const hand = stage.hand()
        const lineage = { rootRunId: CHILD, parentRunId: RUN, endSignal: 'over' }
        const run = newRun({ runId: CHILD, lineage })
        const message = { key: `start:${CHILD}`, to: CHILD, body: { type: 'start', run } } as const
        await hand.create()
        const claim = await hand.claim('a')

        const step = { position: 0, kind: 'start-run', name: 'flow', result: CHILD } as const
        const sends = [{ type: 'message', message }] as const
        expect(await hand.commit(claim, { type: 'stepped', step, sends })).toMatchObject({ sent: [message] })
        expect(await outbox(stage)).toEqual([message])
        expect((await hand.load()).children).toEqual([])
        await hand.create({ runId: CHILD, lineage })
        await hand.run('a', {}, { runId: CHILD })

        expect((await stage.store.summary(CHILD))?.lineage).toEqual(lineage)
        expect(await outbox(stage, CHILD)).toEqual([ENDED])
        await stage.store.delivered(CHILD, [ENDED.key])
        // Who started it goes on.
        expect(await stage.store.purge({ endedBeforeMs: stage.clock.now() + 1_000 })).toBe(1)
      },
    },
    {
      title: 'keeps the start of a child in the commit that asked for it, until it was delivered',
      async run(stage) {
        await parent(stage)
        expect(await outbox(stage)).toEqual([START])
        expect((await stage.hand().load()).children).toMatchObject([
          { runId: CHILD, instanceId: 'a', status: 'running' },
        ])
        const other = await stage.world.reopen()
        expect(messagesOf(await other.store.due({ limit: 100, runId: RUN }))).toEqual([START])

        await stage.store.delivered(RUN, [START.key])
        await stage.store.delivered(RUN, [START.key, 'of nobody'])
        expect(await outbox(stage)).toEqual([])
        expect(messagesOf(await other.store.due({ limit: 100, runId: RUN }))).toEqual([])
      },
    },
    {
      title: 'takes the same child asked for twice for one, and refuses another one under its id, changing nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        const starts = (position: number, more: object): Outcome => ({
          type: 'stepped',
          step: { position, kind: 'start-child', name: 'flow', result: CHILD },
          sends: [{ type: 'start-child', run: { ...START.body.run, ...more }, detached: false }],
        })
        expect(await hand.commit(claim, starts(0, { input: 1 }))).toMatchObject({ status: 'committed' })
        await stage.store.delivered(RUN, [START.key])
        const before = await hand.load()

        for (const more of [{ input: 2 }, { input: 1, flowId: 'other' }, { input: 1, version: '2' }, {}]) {
          const refused = { status: 'conflict', code: 'RUN_EXISTS', field: 'runId' }
          expect(await hand.commit(claim, starts(1, more))).toMatchObject(refused)
        }
        expect(await hand.load()).toEqual(before)

        expect(await hand.commit(claim, starts(1, { input: 1 }))).toMatchObject({ status: 'committed' })
        expect(await outbox(stage)).toEqual([])
        expect((await hand.load()).children).toHaveLength(1)
      },
    },
    {
      title: 'starts no child for a node that is called off',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        await hand.cancel()
        await hand.commit(claim, asks())
        expect(await outbox(stage)).toEqual([])
        expect((await hand.load()).children).toEqual([])
      },
    },
    {
      title: 'wakes the node that waits when its child has ended, once',
      async run(stage) {
        const hand = stage.hand()
        await parent(stage)
        expect((await hand.load()).status).toBe('running')
        expect(await hand.notify(endsWith(DONE))).toMatchObject({ status: 'accepted', ready: ['a'] })
        expect(await hand.notify(endsWith(DONE))).toMatchObject({ status: 'unchanged' })
        expect(await hand.notify(endsWith(DONE, parseRunId('stranger')))).toMatchObject({ status: 'unchanged' })

        const { steps } = await hand.claim('a')
        expect(steps).toMatchObject([{ kind: 'child', result: { ...DONE, runId: CHILD } }])
        expect((await hand.load()).children).toMatchObject([{ status: 'completed' }])
      },
    },
    {
      title: 'keeps the end of a child that comes before anybody waits for it',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const claim = await hand.claim('a')
        const step = { position: 0, kind: 'start-child', name: 'flow', result: CHILD } as const
        const sends = [{ type: 'start-child', run: START.body.run, detached: false }] as const
        await hand.committed(claim, { type: 'stepped', step, sends })
        await hand.notify(endsWith(DONE))
        const wait = { kind: 'child', name: CHILD } as const
        const awaited = { type: 'awaited', step: { position: 1, kind: 'child', name: CHILD }, wait } as const
        expect(await hand.commit(claim, awaited)).toMatchObject({ status: 'committed', ready: ['a'] })
        expect((await hand.claim('a')).steps[1]).toMatchObject({ result: DONE })
      },
    },
    {
      title: 'calls children off when the run is cancelled or fails, and leaves alone what was detached or has ended',
      async run(stage) {
        const hand = stage.hand()
        await parent(stage)
        expect(await hand.cancel('enough')).toMatchObject({ status: 'accepted', sent: [CANCEL] })
        // The run has ended; what it has to say stays.
        expect((await hand.load()).status).toBe('cancelled')
        expect(await outbox(stage)).toMatchObject([START, CANCEL])
        expect(messagesOf(await stage.store.due({ limit: 100 }))).toMatchObject([START, CANCEL])
      },
    },
    {
      title: 'leaves a detached child alone',
      async run(stage) {
        await parent(stage, true)
        expect(await stage.hand().cancel()).not.toHaveProperty('sent')
        expect(await outbox(stage)).toEqual([START])
      },
    },
    {
      title: 'leaves a child alone that has ended',
      async run(stage) {
        const hand = stage.hand()
        await parent(stage)
        await hand.notify(endsWith(DONE))
        expect(await hand.cancel()).not.toHaveProperty('sent')
      },
    },
    {
      title: 'has a child tell its parent that it has ended, whoever asks and however often',
      async run(stage) {
        await endedChild(stage)
        expect(await outbox(stage, CHILD)).toEqual([ENDED])
        const other = await stage.world.reopen()
        expect(messagesOf(await other.store.due({ limit: 100 }))).toEqual([ENDED])
        expect((await stage.hand().types(CHILD)).at(-1)).toBe('run-completed')
      },
    },
    {
      title: 'reminds of what was not delivered, later each time',
      async run(stage) {
        await endedChild(stage)
        const unsent = () => stage.store.due({ limit: 100, unsentOnly: true })
        expect(messagesOf(await unsent())).toEqual([])
        await stage.pass(stage.ticks(25))
        const items = await unsent()
        expect(messagesOf(items)).toEqual([ENDED])
        await stage.store.redispatch(items)
        expect(messagesOf(await unsent())).toEqual([])
        await stage.pass(stage.ticks(25))
        const again = await unsent()
        await stage.store.redispatch(again)
        await stage.pass(stage.ticks(25))
        expect(messagesOf(await unsent())).toEqual([])
        // Those who look for work that they can do are not bothered with messages.
        expect(messagesOf(await stage.store.due({ limit: 100, flows: [{ flowId: 'flow' }] }))).toEqual([])
      },
    },
    {
      title: 'does not remove a run that has something to say',
      async run(stage) {
        await endedChild(stage)
        const purge = async () => stage.store.purge({ endedBeforeMs: stage.clock.now() + 1_000 })
        expect(await purge()).toBe(0)
        await stage.store.delivered(CHILD, [ENDED.key])
        expect(await purge()).toBe(1)
        expect(await stage.store.load(CHILD)).toBeUndefined()
      },
    },
    {
      title: 'tells a run that another one has started from one that nobody did',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ runId: CHILD, lineage: LINEAGE })
        const again = newRun({ runId: CHILD })
        expect(await stage.store.create(again)).toEqual({ status: 'exists', same: false })
        expect(await stage.store.create({ ...again, lineage: LINEAGE })).toEqual({ status: 'exists', same: true })
      },
    },
  ],
}
