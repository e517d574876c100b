import { createFlow } from '@baton/core'
import { expect } from 'vitest'
import { fanFlow, flakyFlow, lineFlow, Witness } from '../../blueprints.ts'
import { Signal } from '../../signal.ts'
import { Crew } from '../crew.ts'
import type { Suite } from '../suite.ts'
import { Cable, mischiefs, withMischief } from '../troubled-ports.ts'

export const p4: Suite = {
  name: 'P4: while one able worker lives, no run is stuck',
  cases: [
    {
      title: 'what a dead worker held is claimed by another within one lease and two sweeps',
      async run(stage) {
        const started = new Signal()
        let calls = 0
        const flow = createFlow('dies').node('work', async () => {
          calls += 1
          if (calls > 1) return { output: calls }
          started.fire()
          return new Promise<never>(() => {})
        })
        await using crew = new Crew(stage, flow)
        const cable = new Cable(stage.store)
        crew.worker({ store: cable.store })
        const handle = await crew.client.start('dies')
        await stage.until(started.wait())
        cable.pull()
        stage.measureTime()
        const diedAtMs = stage.clock.now()

        crew.worker()

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 2 })
        const claims = (await stage.hand().journal(handle.runId)).filter(({ type }) => type === 'node-claimed')
        const slackMs = stage.world.clock === undefined ? stage.ticks(40) : 1
        expect((claims[1]?.atMs ?? 0) - diedAtMs).toBeLessThanOrEqual(crew.boundMs + slackMs)
        expect(await stage.hand().instance('work', handle.runId)).toMatchObject({ attempt: 1, lostLeases: 1 })
        cable.cut()
      },
    },
    {
      title: 'what a worker committed and never sent is found by another',
      async run(stage) {
        const witness = new Witness()
        await using crew = new Crew(stage, fanFlow(4, witness))
        const cable = new Cable(stage.store)
        const mute = withMischief(stage.world.queue, (jobs) => {
          if (jobs.length > 1) cable.pull()
          return []
        })
        crew.worker({ store: cable.store, queue: mute, concurrency: 1 })
        const handle = await crew.client.start('fan')
        await stage.pass(stage.ticks(5))

        crew.worker()

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
        expect(witness.count('join')).toBe(1)
        cable.cut()
      },
    },
    {
      title: 'runs go on without a queue: retries, joins and all',
      async run(stage) {
        await using crew = new Crew(stage, fanFlow(5), flakyFlow(2, new Witness(), stage.ticks(3)), lineFlow(5))
        const queue = withMischief(stage.world.queue, mischiefs['loses every job'])
        crew.worker({ queue, concurrency: 2, inlineMaxNodes: 1 })
        const client = crew.clientOf({ queue })

        const handles = [await client.start('fan'), await client.start('flaky'), await client.start('line', 1)]
        const results = await Promise.all(handles.map((handle) => crew.outcome(handle, crew.boundMs * 40)))

        expect(results.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed'])
      },
    },
    {
      title: 'a node that takes its worker with it again and again ends as failed, not in an endless loop',
      async run(stage) {
        let calls = 0
        const flow = createFlow('poison').node(
          'work',
          () => {
            calls += 1
            cables.at(-1)?.pull()
            return new Promise<never>(() => {})
          },
          { maxLostLeases: 2 },
        )
        await using crew = new Crew(stage, flow)
        const cables: Cable[] = []
        const handle = await crew.client.start('poison')
        for (let life = 0; life < 4; life++) {
          const cable = new Cable(stage.store)
          cables.push(cable)
          crew.worker({ store: cable.store, concurrency: 1 })
          await stage.pass(crew.boundMs * 1.5)
        }

        expect(await crew.outcome(handle)).toMatchObject({ status: 'failed', error: { code: 'LEASES_LOST' } })
        expect(calls).toBe(3)
        for (const cable of cables) cable.cut()
      },
    },
    {
      title: 'a worker whose every place is taken by nodes that wait durably has places free for others',
      async run(stage) {
        const sleeper = createFlow('sleeper').sleep('rest', stage.longMs)
        await using crew = new Crew(stage, sleeper, lineFlow(2))
        crew.worker({ concurrency: 1 })
        const sleeping = [await crew.client.start('sleeper'), await crew.client.start('sleeper')]

        const handle = await crew.client.start('line', 1)

        expect(await crew.outcome(handle)).toMatchObject({ output: 3 })
        for (const each of sleeping) await each.cancel()
      },
    },
  ],
}
