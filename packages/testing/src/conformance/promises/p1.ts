import { expect } from 'vitest'
import { fanFlow, lineFlow } from '../../blueprints.ts'
import { Crew } from '../crew.ts'
import type { Suite } from '../suite.ts'
import { Cable, losesAnswers, mischiefs, withMischief } from '../troubled-ports.ts'

export const p1: Suite = {
  name: 'P1: a start that returned is never lost',
  cases: [
    {
      title: 'a run that was started while no worker was up is carried out when one comes',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(3))
        const handle = await crew.client.start('line', 1)
        await stage.pass(stage.ticks(30))

        crew.worker({ world: await stage.world.reopen() })

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 4 })
      },
    },
    {
      title: 'a run whose job was lost, because the queue was down or the client died, is carried out all the same',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(3))
        const queue = withMischief(stage.world.queue, () => {
          throw new Error('the queue is down, as part of the test')
        })
        const lossy = withMischief(stage.world.queue, mischiefs['loses every job'])
        const handles = [
          await crew.clientOf({ queue }).start('line', 1),
          await crew.clientOf({ queue: lossy }).start('line', 10),
        ]

        crew.worker()

        expect(await crew.outcome(handles[0] as never)).toMatchObject({ output: 4 })
        expect(await crew.outcome(handles[1] as never)).toMatchObject({ output: 13 })
      },
    },
    {
      title: 'a start whose answer was lost gives the same run when it is asked again',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(2))
        const client = crew.clientOf({ store: losesAnswers(stage.store, ['create']) })

        await expect(client.start('line', 1, { runId: 'order-7' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
        const handle = await client.start('line', 1, { runId: 'order-7' })
        crew.worker()

        expect(await crew.outcome(handle)).toMatchObject({ output: 3 })
        expect((await stage.store.list()).runs).toHaveLength(1)
      },
    },
    {
      title: 'a start with the same idempotency key gives the same run, and one of another flow another',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(2), fanFlow(2))
        const keys = ['order-7', 'né ☃ with blanks', 'x'.repeat(300)]

        for (const idempotencyKey of keys) {
          const first = await crew.client.start('line', 1, { idempotencyKey })
          const again = await crew.client.start('line', 1, { idempotencyKey })
          const other = await crew.client.start('fan', 1, { idempotencyKey })

          expect(again.runId).toBe(first.runId)
          expect(other.runId).not.toBe(first.runId)
          const different = crew.client.start('line', 2, { idempotencyKey })
          await expect(different).rejects.toMatchObject({ code: 'RUN_EXISTS' })
        }
        expect((await stage.store.list()).runs).toHaveLength(2 * keys.length)
      },
    },
    {
      title: 'a run is carried out though every worker that takes it up dies soon after',
      async run(stage) {
        await using crew = new Crew(stage, fanFlow(3))
        const handle = await crew.client.start('fan')
        const cables: Cable[] = []
        for (let death = 0; death < 4; death++) {
          const cable = new Cable(stage.store)
          cables.push(cable)
          crew.worker({ store: cable.store, concurrency: 1, inlineMaxNodes: 1 })
          await stage.pass(stage.ticks(1))
          cable.pull()
          await stage.pass(crew.boundMs)
        }

        crew.worker()

        expect(await crew.outcome(handle)).toMatchObject({ output: { b0: 'b0', b1: 'b1', b2: 'b2' } })
        for (const cable of cables) cable.cut()
      },
    },
    {
      title: 'a run that starts later starts then, whoever is up at that time',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(2))
        const startAtMs = stage.clock.now() + stage.ticks(40)
        const handle = await crew.client.start('line', 1, { startAtMs })
        crew.worker()
        await stage.pass(stage.ticks(20))
        expect(await handle.status()).toBe('pending')

        expect(await crew.outcome(handle)).toMatchObject({ output: 3 })
        const claimed = (await stage.hand().journal(handle.runId)).find(({ type }) => type === 'node-claimed')
        expect(claimed?.atMs).toBeGreaterThanOrEqual(startAtMs)
      },
    },
  ],
}
