import { createFlow, type NodeArguments } from '@baton/core'
import { byteLength, type JsonValue } from '@baton/core/adapter'
import { expect } from 'vitest'
import { lineFlow } from '../../blueprints.ts'
import { Crew } from '../crew.ts'
import { arrival, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'
import { around } from '../troubled-ports.ts'

/** Bytes that the store has written so far; where it has no meter, those of the journal, which it must write at least. */
async function writtenBytes(stage: Stage, runId = RUN): Promise<number> {
  if (stage.world.meter !== undefined) return (await stage.world.meter()).writtenBytes
  return (await stage.hand().journal(runId)).reduce((sum, event) => sum + byteLength(event as unknown as JsonValue), 0)
}

async function costOf(stage: Stage, work: () => Promise<unknown>): Promise<number> {
  const before = await writtenBytes(stage)
  await work()
  return (await writtenBytes(stage)) - before
}

/** Room for what a backend adds around a small record. */
const FRAME_BYTES = 4_096

export const p10: Suite = {
  name: 'P10: a commit writes what changed, not what exists',
  isAlone: true,
  cases: [
    {
      title: 'a commit that changes one small key writes little, however large the context is',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ context: { big: 'x'.repeat(1_000_000), small: 0 } })
        const claim = await hand.claim('a')

        const cost = await costOf(stage, () =>
          hand.committed(claim, {
            type: 'stepped',
            step: { position: 0, kind: 'step', name: 's' },
            deltas: [{ op: 'increment', key: 'small', by: 1 }],
          }),
        )

        expect(cost).toBeLessThan(FRAME_BYTES)
      },
    },
    {
      title: 'a commit that changes a member of a large value writes little',
      async run(stage) {
        const hand = stage.hand()
        const rows = Object.fromEntries(
          Array.from({ length: 2_000 }, (_, index) => [`row-${index}`, { n: index, text: 'x'.repeat(50) }]),
        )
        await hand.create({ context: { rows } })
        const claim = await hand.claim('a')

        const cost = await costOf(stage, () =>
          hand.committed(claim, {
            type: 'stepped',
            step: { position: 0, kind: 'step', name: 's' },
            deltas: [{ op: 'set', key: 'rows', path: ['row-7', 'n'], value: 8 }],
          }),
        )

        expect(cost).toBeLessThan(FRAME_BYTES)
      },
    },
    {
      title: 'the two-hundredth node of a run costs what the tenth costs',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['n0'] })
        const costs: number[] = []
        for (let index = 0; index < 200; index++) {
          costs.push(
            await costOf(stage, () =>
              hand.run(`n${index}`, { output: 'x', arrivals: [arrival(`n${index + 1}`, `n${index}`)] }),
            ),
          )
        }

        const around10 = costs.slice(5, 15).reduce((sum, cost) => sum + cost, 0)
        const around200 = costs.slice(-10).reduce((sum, cost) => sum + cost, 0)
        expect(around200).toBeLessThan(around10 * 1.5)
      },
    },
    {
      title: 'a straight line of nodes costs one call of the store per node, and no job but the first',
      async run(stage) {
        const calls: string[] = []
        const sent: unknown[] = []
        const store = around(stage.store, (method, call) => {
          if (method !== 'claim' && method !== 'commit' && method !== 'load') return call()
          return (async () => {
            const answer = (await call()) as { readonly status?: string } | undefined
            // The job, and a worker that looks for work itself, find the same run; who comes second asks in vain, perhaps
            // when the run has ended. That is no cost of the line.
            if (method !== 'claim' || answer?.status === 'claimed') calls.push(method)
            return answer
          })()
        })
        const queue = around(stage.world.queue, (method, call, args) => {
          if (method === 'enqueue') sent.push(...(args[0] as unknown[]))
          return call()
        })
        await using crew = new Crew(stage, lineFlow(20))
        crew.worker({ store, queue })

        await crew.outcome(await crew.client.start('line', 1))

        expect(calls).toEqual(['claim', ...Array<string>(20).fill('commit')])
        expect(sent).toEqual([])
      },
    },
    {
      title: 'a node that declares the keys it reads moves those with its claim, and no others',
      async run(stage) {
        const reads: unknown[] = []
        const store = around(stage.store, (method, call) => {
          if (method !== 'context') return call()
          return around(call() as object, (read, inner, args) => {
            reads.push([read, ...args])
            return inner()
          })
        })
        const flow = createFlow('reads')
          .node('declared', async ({ context }: NodeArguments) => ({ output: await context.get('small') }), {
            reads: ['small', 'none'],
          })
          .node('asked', async ({ context }: NodeArguments) => ({ output: await context.getMany(['small', 'none']) }))
          .edge('declared', 'asked')
        await using crew = new Crew(stage, flow)
        crew.worker({ store })

        const handle = await crew.client.start('reads', undefined, { context: { big: 'x'.repeat(100_000), small: 7 } })

        expect(await crew.outcome(handle)).toMatchObject({ output: { small: 7 } })
        expect(reads).toEqual([['read', ['small', 'none']]])
      },
    },
  ],
}
