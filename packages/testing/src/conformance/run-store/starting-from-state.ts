import { parseRunId } from '@baton/core'
import { expect } from 'vitest'
import { arrival, eventsOf, RUN } from '../hand.ts'
import type { Suite } from '../suite.ts'

export const startingFromState: Suite = {
  name: 'starting from the state of another run',
  cases: [
    {
      title: 'creates a run from the state of another: all of it is there, in one event, and goes on',
      async run(stage) {
        const hand = stage.hand()
        const branch = parseRunId('branch')
        const held = [{ edge: 'done->j', from: 'done', fate: 'succeeded' as const }]
        const parkedStep = { position: 1, kind: 'signal', name: 'go' } as const
        const [once] = [{ position: 0, kind: 'step', name: 'once', result: 1 } as const]
        const lineage = { rootRunId: RUN, kind: 'redrive', branchOriginRunId: RUN, branchCheckpointId: 'c7' } as const
        const run = {
          runId: branch,
          input: 5,
          starts: ['x'],
          lineage,
          from: {
            context: { kept: { value: { deep: true }, version: 4 } },
            instances: [
              { id: 'done', status: 'succeeded', started: true, fence: 2, output: 'out' },
              { id: 'j', status: 'waiting', arrivals: held, arrivalsDue: 2 },
              { id: 'x', status: 'waiting', started: true, fence: 3, failures: 1, steps: [once] },
              {
                id: 'w',
                status: 'awaiting',
                started: true,
                fence: 1,
                steps: [once],
                parked: { step: parkedStep, wait: { kind: 'signal', name: 'go' }, sinceMs: 7 },
              },
              { id: 'later', status: 'ready', dueAtMs: stage.clock.now() + stage.longMs },
            ],
            results: [['done', 'done']],
            signals: [{ name: 'early', payload: 1 }, { name: 'early' }],
            signalIds: ['seen'],
            decisions: { 'w:ok': { approved: true } },
            children: [
              {
                run: { runId: RUN, kind: 'workflow', flowId: 'flow', starts: ['a'] },
                instanceId: 'done',
                detached: false,
                end: { status: 'completed' },
              },
            ],
          },
        } as const
        await hand.create(run)
        expect(await stage.store.create({ kind: 'workflow', flowId: 'flow', ...run })).toEqual({
          status: 'exists',
          same: true,
        })
        const otherLineage = { ...lineage, branchCheckpointId: 'c8' }
        expect(await stage.store.create({ kind: 'workflow', flowId: 'flow', ...run, lineage: otherLineage })).toEqual({
          status: 'exists',
          same: false,
        })

        const events = await eventsOf(stage.store, branch)
        expect(events).toMatchObject([{ seq: 1, type: 'run-started', from: run.from }])
        const { store } = await stage.world.reopen()
        const record = await store.load(branch)
        expect(record).toMatchObject({ status: 'pending', input: 5, lineage, context: { kept: { deep: true } } })
        expect(record?.children).toMatchObject([{ runId: RUN, status: 'completed' }])
        expect(record?.decisions).toEqual({ 'w:ok': { approved: true } })
        const due = await store.due({ limit: 10 })
        expect(due.map((item) => item.type === 'instance' && item.instanceId)).toEqual(['x'])

        const claim = await hand.claim('x', { runId: branch, reads: ['kept'], input: true })
        expect(claim).toMatchObject({ fence: 4, attempt: 2, steps: [once], input: 5 })
        expect(claim.context).toEqual({ kept: { value: { deep: true }, version: 4 } })
        expect((await hand.succeed(claim, { arrivals: [arrival('j', 'x', { of: 2 })] })).ready).toEqual(['j'])
        expect((await hand.claim('j', { runId: branch })).arrivals).toMatchObject([{ output: 'out' }, { from: 'x' }])
        expect(await hand.notify({ type: 'signal', name: 'x', signalId: 'seen' }, branch)).toMatchObject({
          status: 'unchanged',
        })
        expect(await hand.notify({ type: 'signal', name: 'go', payload: 9 }, branch)).toMatchObject({ ready: ['w'] })
        const woken = await hand.claim('w', { runId: branch })
        expect(woken.steps).toEqual([once, { ...parkedStep, result: 9 }])
        const early = { position: 2, kind: 'signal', name: 'early' } as const
        const waits = { type: 'awaited', step: early, wait: { kind: 'signal', name: 'early' } } as const
        expect((await hand.committed(woken, waits)).ready).toEqual(['w'])
      },
    },
    {
      title: 'starts the children that a state names anew, and delivers their start until it is taken',
      async run(stage) {
        const hand = stage.hand()
        const child = parseRunId('child')
        const start = { runId: child, kind: 'workflow', flowId: 'flow', starts: ['a'] } as const
        await hand.create({
          starts: ['a'],
          from: {
            context: {},
            instances: [{ id: 'a', status: 'waiting' }],
            results: [],
            signals: [],
            signalIds: [],
            decisions: {},
            children: [{ run: start, instanceId: 'a', detached: false, isNew: true }],
          },
        })

        const items = await stage.store.due({ limit: 10, runId: RUN })
        const message = { key: `start:${child}`, to: child, body: { type: 'start', run: start } }
        expect(items.flatMap((item) => (item.type === 'message' ? [item.message] : []))).toEqual([message])
        await stage.store.delivered(RUN, [message.key])
        expect((await stage.store.due({ limit: 10, runId: RUN })).map(({ type }) => type)).toEqual(['instance'])
      },
    },
  ],
}
