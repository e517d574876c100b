import { createFlow, type NodeArguments, type RunEvent } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import { expect } from 'vitest'
import { choiceFlow, fanFlow, flakyFlow, mapFlow, steppedFlow, Witness } from '../../blueprints.ts'
import { Crew } from '../crew.ts'
import type { Suite } from '../suite.ts'
import { mischiefs, withMischief } from '../troubled-ports.ts'

export const p6: Suite = {
  name: 'P6: a journal has no gap, no duplicate and one order, and folds to the stored state',
  cases: [
    {
      title: 'after many kinds of runs on several workers, each journal is whole and folds to what is stored',
      async run(stage) {
        const flows = [
          fanFlow(6),
          fanFlow(4, new Witness(), 'any', 'any-fan'),
          choiceFlow(),
          flakyFlow(2, new Witness(), stage.ticks(2)),
          mapFlow(new Witness(), { concurrency: 2, maxFailures: 1 }),
          steppedFlow(),
        ]
        await using crew = new Crew(stage, ...flows)
        const queue = withMischief(stage.world.queue, mischiefs['doubles every job'])
        for (let count = 0; count < 3; count++) crew.worker({ queue, concurrency: 4, inlineMaxNodes: 2 })
        const inputs = { choice: 'left', map: [1, -2, 3] }
        const handles = await Promise.all(
          flows.map(({ id }) => crew.client.start(id, inputs[id as keyof typeof inputs] ?? 1)),
        )

        const results = await Promise.all(handles.map((handle) => crew.outcome(handle)))

        expect(results.map(({ status }) => status)).toEqual(flows.map(() => 'completed'))
        for (const handle of handles) {
          const journal = await stage.hand().journal(handle.runId)
          expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
          const folded = foldJournal(journal)
          expect(folded && recordOf(folded)).toEqual(await handle.record())
        }
      },
    },
    {
      title: 'a live stream from any position sees exactly what the journal says afterwards',
      async run(stage) {
        await using crew = new Crew(stage, fanFlow(8))
        crew.worker()
        crew.worker({ world: await stage.world.reopen() })
        const handle = await crew.client.start('fan')
        const read = async (from: number) => {
          const events: RunEvent[] = []
          for await (const event of handle.stream({ from })) events.push(event)
          return events
        }

        const streams = await stage.until(Promise.all([read(1), read(3), read(10)]), crew.boundMs * 10)

        const journal = await stage.hand().journal(handle.runId)
        expect(streams).toEqual([journal, journal.slice(2), journal.slice(9)])
      },
    },
    {
      title: 'parallel sets of one key are both in the journal, and the later commit wins',
      async run(stage) {
        const write = ({ context, nodeId }: NodeArguments) => context.set('who', nodeId)
        const flow = createFlow('both').node('a', write).node('b', write)
        await using crew = new Crew(stage, flow)
        crew.worker({ concurrency: 2 })

        const handle = await crew.client.start('both')
        await crew.outcome(handle)

        const sets = (await stage.hand().journal(handle.runId)).flatMap((event) =>
          event.type === 'node-succeeded' ? (event.deltas ?? []) : [],
        )
        expect(sets.map((delta) => (delta.op === 'set' ? delta.value : undefined)).sort()).toEqual(['a', 'b'])
        const last = sets.at(-1)
        expect((await handle.record()).context.who).toBe(last?.op === 'set' ? last.value : undefined)
      },
    },
  ],
}
