import { createFlow } from '@baton/core'
import { expect } from 'vitest'
import { choiceFlow, fanFlow, Witness } from '../../blueprints.ts'
import { Signal } from '../../signal.ts'
import { Crew } from '../crew.ts'
import type { Suite } from '../suite.ts'
import { Cable, mischiefs, withMischief } from '../troubled-ports.ts'

export const p3: Suite = {
  name: 'P3: a join fires exactly once, and never waits for a branch that cannot come',
  cases: [
    {
      title: 'a join of many branches runs once, though each job comes several times to several workers',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, fanFlow(12, witness))
        const queue = withMischief(stage.world.queue, mischiefs['doubles every job'])
        for (let count = 0; count < 3; count++) crew.worker({ queue, concurrency: 3 })

        const handle = await crew.clientOf({ queue }).start('fan')

        const branches = Array.from({ length: 12 }, (_, index) => [`b${index}`, `b${index}`])
        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: Object.fromEntries(branches) })
        expect(witness.count('join')).toBe(1)
        expect(new Set(witness.visits()).size).toBe(witness.visits().length)
      },
    },
    {
      title: 'a join runs once though the worker that completed it dies before it sends its job',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, fanFlow(3, witness))
        const cable = new Cable(stage.store)
        const died = new Signal()
        const queue = withMischief(stage.world.queue, (jobs) => {
          if (!jobs.some(({ instanceId }) => instanceId === 'join')) return jobs
          cable.pull()
          died.fire()
          return []
        })
        // With its one place taken, it sends the next node through the queue after each.
        crew.worker({ store: cable.store, queue, concurrency: 1, inlineMaxNodes: 1 })
        const handle = await crew.client.start('fan')
        await stage.until(died.wait(), crew.boundMs * 20)
        expect(witness.count('join')).toBe(0)

        crew.worker()

        const output = { b0: 'b0', b1: 'b1', b2: 'b2' }
        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output })
        expect(witness.count('join')).toBe(1)
        cable.cut()
      },
    },
    {
      title: 'a join of `any` runs once, with the first branch that succeeded, and the others run on',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, fanFlow(5, witness, 'any'))
        crew.worker()
        crew.worker()

        const handle = await crew.client.start('fan')

        expect(await crew.outcome(handle)).toMatchObject({
          status: 'completed',
          output: expect.stringMatching(/^b\d$/),
        })
        expect(witness.count('join')).toBe(1)
        expect(witness.visits().filter((id) => id.startsWith('b'))).toHaveLength(5)
      },
    },
    {
      title: 'a join of `all` runs with the branch that was taken, and does not wait for the other',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, choiceFlow(witness))
        crew.worker()

        const left = await crew.outcome(await crew.client.start('choice', 'left'))
        const right = await crew.outcome(await crew.client.start('choice', 'right'))

        expect([left, right]).toMatchObject([{ output: { left: 'left' } }, { output: { right: 'right' } }])
        expect(witness.visits()).toEqual(['choose', 'left', 'join', 'choose', 'right', 'join'])
      },
    },
    {
      title: 'a join of `all` fails at once when one branch fails, and waits for no other',
      async run(stage) {
        const flow = createFlow('poisoned', { failFast: false })
          .node('good', ({ sleep }) => sleep(stage.longMs))
          .node('bad', () => {
            throw new Error('no good, as part of the test')
          })
          .node('join', () => ({ output: 'never' }))
          .edge('good', 'join')
          .edge('bad', 'join')
        await using crew = new Crew(stage, flow)
        crew.worker()
        const handle = await crew.client.start('poisoned')

        await stage.until(
          (async () => {
            for await (const event of handle.stream()) {
              if (event.type === 'node-failed' && event.instanceId === 'join') return
            }
          })(),
        )

        expect((await stage.hand().instance('join', handle.runId))?.error?.code).toBe('PREDECESSOR_FAILED')
        await handle.cancel()
      },
    },
  ],
}
