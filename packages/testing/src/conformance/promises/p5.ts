import { createFlow, isTerminal, type NodeArguments } from '@baton/core'
import { expect } from 'vitest'
import { lineFlow, Witness } from '../../blueprints.ts'
import { Signal } from '../../signal.ts'
import { Crew } from '../crew.ts'
import type { Suite } from '../suite.ts'

export const p5: Suite = {
  name: 'P5: a terminal status never changes; cancel wins or loses',
  cases: [
    {
      title: 'a cancel that races with the run wins or loses, its answer says which, and that is final',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(6))
        crew.worker({ inlineMaxNodes: 2 })

        const outcomes = await Promise.all(
          Array.from({ length: 24 }, async (_, index) => {
            const handle = await crew.client.start('line', index)
            for (let turn = 0; turn < index; turn++) await new Promise((resolve) => setImmediate(resolve))
            const accepted = await handle.cancel('race')
            const { status } = await crew.outcome(handle)
            await handle.cancel('again')
            return { accepted, status, after: await handle.status(), types: await stage.hand().types(handle.runId) }
          }),
        )

        for (const { accepted, status, after, types } of outcomes) {
          expect(status).toBe(accepted ? 'cancelled' : 'completed')
          expect(after).toBe(status)
          expect(types.filter((type) => /^run-(completed|failed|cancelled)$/.test(type))).toEqual([types.at(-1)])
        }
      },
    },
    {
      title: 'a run that was cancelled before anybody claimed it never starts',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, lineFlow(2, witness))
        const handle = await crew.client.start('line', 1)

        expect(await handle.cancel('changed my mind')).toBe(true)
        crew.worker()

        expect(await crew.outcome(handle)).toMatchObject({ status: 'cancelled', reason: 'changed my mind' })
        await stage.pass(crew.boundMs)
        expect(witness.visits()).toEqual([])
      },
    },
    {
      title: 'a cancel fires the signal of the node that runs, on another process, within one renewal',
      async run(stage) {
        const started = new Signal()
        const told = new Signal<number>()
        const flow = createFlow('long').node('work', ({ signal }: NodeArguments) => {
          started.fire()
          return new Promise<never>((_, reject) =>
            signal.addEventListener('abort', () => {
              told.fire(stage.clock.now())
              reject(signal.reason)
            }),
          )
        })
        await using crew = new Crew(stage, flow)
        crew.worker({ world: await stage.world.reopen() })
        const handle = await crew.client.start('long')
        await stage.until(started.wait())

        stage.measureTime()
        const askedAtMs = stage.clock.now()
        await handle.cancel('stop it')

        const slackMs = stage.world.clock === undefined ? stage.ticks(30) : 1
        expect((await stage.until(told.wait(), crew.boundMs * 5)) - askedAtMs).toBeLessThanOrEqual(
          crew.leaseMs / 3 + slackMs,
        )
        expect(await crew.outcome(handle)).toMatchObject({ status: 'cancelled', reason: 'stop it' })
      },
    },
    {
      title: 'a cancel ends a run whose code ignores its signal',
      async run(stage) {
        const started = new Signal()
        const flow = createFlow('deaf').node('work', () => {
          started.fire()
          return new Promise<never>(() => {})
        })
        await using crew = new Crew(stage, flow)
        crew.worker()
        const handle = await crew.client.start('deaf')
        await stage.until(started.wait())

        await handle.cancel()

        expect(await crew.outcome(handle)).toMatchObject({ status: 'cancelled' })
      },
    },
    {
      title: 'nothing that comes after the end changes a run: signals, cancels, jobs',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(2))
        crew.worker()
        const handle = await crew.client.start('line', 1)
        await crew.outcome(handle)
        const before = await stage.hand().everything(handle.runId)
        expect(isTerminal(await handle.status())).toBe(true)

        expect(await handle.cancel()).toBe(false)
        await expect(handle.signal('news')).rejects.toMatchObject({ code: 'RUN_ENDED' })
        await expect(handle.approve()).rejects.toMatchObject({ code: 'RUN_ENDED' })
        const { runId } = handle
        await stage.world.queue.enqueue([{ runId, blueprintId: 'line', nodeId: 'n0', instanceId: 'n0', dispatch: 7 }])
        await stage.pass(crew.boundMs)

        expect(await stage.hand().everything(runId)).toEqual(before)
      },
    },
  ],
}
