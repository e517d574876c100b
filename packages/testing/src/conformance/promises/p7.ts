import type { RunHandle } from '@baton/core'
import { expect } from 'vitest'
import { choiceFlow, fanFlow, flakyFlow, lineFlow, mapFlow, Witness } from '../../blueprints.ts'
import { Crew } from '../crew.ts'
import type { Stage } from '../stage.ts'
import type { Case, Suite } from '../suite.ts'
import { HeldBackQueue, type Mischief, mischiefs, withMischief } from '../troubled-ports.ts'

const EXPECTED = [
  { status: 'completed', output: 6 },
  { status: 'completed', output: { b0: 'b0', b1: 'b1', b2: 'b2', b3: 'b3' } },
  { status: 'completed', output: { right: 'right' } },
  { status: 'completed', output: 2 },
  { status: 'completed', output: 12 },
]

/** Flows of several kinds, and one run of each. */
function fleet(stage: Stage) {
  const witness = new Witness()
  const flows = [
    lineFlow(5, witness),
    fanFlow(4, witness),
    choiceFlow(witness),
    flakyFlow(1, witness, stage.ticks(2)),
    mapFlow(witness, { concurrency: 2 }),
  ]
  const start = (client: Crew['client']): Promise<RunHandle[]> =>
    Promise.all([
      client.start('line', 1),
      client.start('fan'),
      client.start('choice', 'right'),
      client.start('flaky'),
      client.start('map', [1, 2, 3]),
    ])
  return { witness, flows, start }
}

async function checkAll(stage: Stage, crew: Crew, handles: readonly RunHandle[], witness: Witness): Promise<void> {
  const results = await Promise.all(handles.map((handle) => crew.outcome(handle, crew.boundMs * 60)))
  expect(results).toMatchObject(EXPECTED)
  for (const handle of handles) {
    const executed = witness.visits(handle.runId).filter((id) => id !== 'flaky')
    expect(new Set(executed).size, `${handle.runId} executed ${executed}`).toBe(executed.length)
    expect(await stage.hand().types(handle.runId)).not.toContain('node-lost')
  }
}

const mischievous: Case[] = Object.entries(mischiefs).map(([name, mischief]: [string, Mischief]) => ({
  title: `a queue that ${name} changes nothing but time`,
  async run(stage) {
    const { witness, flows, start } = fleet(stage)
    await using crew = new Crew(stage, ...flows)
    const queue = withMischief(stage.world.queue, mischief)
    crew.worker({ queue, concurrency: 4, inlineMaxNodes: 2 })
    crew.worker({ queue, concurrency: 4, inlineMaxNodes: 2 })

    const handles = await start(crew.clientOf({ queue }))

    await checkAll(stage, crew, handles, witness)
  },
}))

export const p7: Suite = {
  name: 'P7: lost, doubled, delayed and reordered jobs change nothing but time',
  cases: [
    ...mischievous,
    {
      title: 'jobs that come long after their work was done change nothing',
      async run(stage) {
        const { witness, flows, start } = fleet(stage)
        await using crew = new Crew(stage, ...flows)
        const held = new HeldBackQueue(stage.world.queue)
        crew.worker({ queue: held.queue })
        const handles = await start(crew.clientOf({ queue: held.queue }))
        await checkAll(stage, crew, handles, witness)
        const before = await Promise.all(handles.map(({ runId }) => stage.hand().everything(runId)))

        await held.release()
        await stage.pass(crew.boundMs)

        expect(await Promise.all(handles.map(({ runId }) => stage.hand().everything(runId)))).toEqual(before)
        expect(witness.count('join')).toBe(2)
      },
    },
    {
      title: 'jobs for runs, nodes and instances that do not exist do no harm to others',
      async run(stage) {
        const { witness, flows, start } = fleet(stage)
        await using crew = new Crew(stage, ...flows)
        crew.worker()
        const handles = await start(crew.client)
        const [{ runId }] = handles as [RunHandle]

        await stage.world.queue.enqueue([
          { runId, blueprintId: 'line', nodeId: 'gone', instanceId: 'gone', dispatch: 0 },
          { runId, blueprintId: 'line', nodeId: 'n4', instanceId: 'n4[77]#3', dispatch: 0 },
          { runId, blueprintId: 'unheard-of', nodeId: 'n0', instanceId: 'n0', dispatch: 0 },
          { runId: 'nobody' as typeof runId, blueprintId: 'line', nodeId: 'n0', instanceId: 'n0', dispatch: 0 },
        ])

        await checkAll(stage, crew, handles, witness)
        expect((await stage.store.list()).runs).toHaveLength(handles.length)
      },
    },
  ],
}
