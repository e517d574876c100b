import { createFlow, type NodeArguments } from '@baton/core'
import type { CommitResult } from '@baton/core/adapter'
import { expect } from 'vitest'
import { lineFlow, steppedFlow, Witness } from '../../blueprints.ts'
import { Signal } from '../../signal.ts'
import { Crew } from '../crew.ts'
import type { Suite } from '../suite.ts'
import { around, Cable, FreezableClock, losesAnswers } from '../troubled-ports.ts'

export const p2: Suite = {
  name: 'P2: an attempt settles at most once, a step is recorded at most once',
  cases: [
    {
      title: 'a worker that was frozen past its lease commits nothing when it comes back',
      async run(stage) {
        const started = [new Signal(), new Signal()] as const
        const gates = [new Signal(), new Signal()] as const
        let calls = 0
        const flow = createFlow('zombie').node('work', async ({ context }: NodeArguments) => {
          const call = calls++
          await context.set('by', call)
          await context.increment('times', 1)
          started[call]?.fire()
          await gates[call]?.wait()
          return { output: call }
        })
        await using crew = new Crew(stage, flow)
        const clock = new FreezableClock(stage.clock)
        const refused = new Signal<string>()
        const store = around(stage.store, (method, call) => {
          const answer = call()
          if (method === 'commit')
            void Promise.resolve(answer).then((given) => refused.fire((given as CommitResult).status))
          return answer
        })
        crew.worker({ store, clock, concurrency: 1 })
        const handle = await crew.client.start('zombie')
        await stage.until(started[0].wait())

        clock.freeze()
        crew.worker()
        await stage.until(started[1].wait(), crew.boundMs * 10)
        const before = await stage.hand().everything(handle.runId)
        gates[0].fire()

        expect(await stage.until(refused.wait())).toBe('fenced')
        expect(await stage.hand().everything(handle.runId)).toEqual(before)
        gates[1].fire()
        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 1 })
        expect((await handle.record()).context).toEqual({ by: 1, times: 1 })
        clock.thaw()
      },
    },
    {
      title: 'a worker that is cut off from its store tells its code to stop, and changes nothing when it is back',
      async run(stage) {
        const started = new Signal()
        const gate = new Signal()
        const told = new Signal()
        let calls = 0
        const flow = createFlow('cut-off').node('work', async ({ signal }: NodeArguments) => {
          calls += 1
          const call = calls
          if (call === 1) {
            signal.addEventListener('abort', () => told.fire())
            started.fire()
            await gate.wait()
          }
          return { output: call }
        })
        await using crew = new Crew(stage, flow)
        const cable = new Cable(stage.store)
        crew.worker({ store: cable.store, concurrency: 1 })
        const handle = await crew.client.start('cut-off')
        await stage.until(started.wait())

        cable.pull()
        crew.worker()
        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 2 })
        const before = await stage.hand().everything(handle.runId)
        cable.plug()
        await stage.until(told.wait(), crew.boundMs * 2)
        gate.fire()
        await stage.pass(crew.boundMs)

        expect(await stage.hand().everything(handle.runId)).toEqual(before)
      },
    },
    {
      title: 'commits and claims whose answers are lost take effect once',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, lineFlow(4, witness))
        crew.worker({ store: losesAnswers(stage.store, ['commit', 'claim']) })

        const handle = await crew.client.start('line', 1)

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 5 })
        expect(witness.visits()).toEqual(['n0', 'n1', 'n2', 'n3'])
        const types = await stage.hand().types(handle.runId)
        expect(types.filter((type) => type === 'node-succeeded')).toHaveLength(4)
        expect(types.filter((type) => type === 'node-claimed')).toHaveLength(4)
      },
    },
    {
      title: 'a step is not repeated by the next attempt, nor by another worker, and what it wrote is written once',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, steppedFlow(witness))
        crew.worker()
        crew.worker()

        const handle = await crew.client.start('stepped')

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 3 })
        expect([witness.count('work'), witness.count('step one'), witness.count('step two')]).toEqual([2, 1, 1])
        expect((await handle.record()).context).toEqual({ ones: 1 })
      },
    },
    {
      title: 'a step whose answer was lost is recorded once',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, steppedFlow(witness))
        crew.worker({ store: losesAnswers(stage.store, ['commit']) })

        const handle = await crew.client.start('stepped')

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 3 })
        expect((await stage.hand().types(handle.runId)).filter((type) => type === 'step-recorded')).toHaveLength(2)
        expect((await handle.record()).context).toEqual({ ones: 1 })
      },
    },
    {
      title: 'every attempt of an instance gets the same idempotency key, and every instance another',
      async run(stage) {
        const keys: string[] = []
        const flow = createFlow('keys')
          .node(
            'a',
            ({ idempotencyKey, attempt }) => {
              keys.push(idempotencyKey)
              if (attempt < 3) throw new Error('again, as part of the test')
            },
            { retry: { attempts: 3, delayMs: 1 } },
          )
          .node('b', ({ idempotencyKey }) => void keys.push(idempotencyKey))
          .edge('a', 'b')
        await using crew = new Crew(stage, flow)
        crew.worker()

        await crew.outcome(await crew.client.start('keys'))

        expect(keys).toHaveLength(4)
        expect(new Set(keys.slice(0, 3)).size).toBe(1)
        expect(new Set(keys).size).toBe(2)
      },
    },
  ],
}
