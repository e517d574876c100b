import { createFlow, type NodeArguments } from '@baton/core'
import type { ILogger } from '@baton/core/adapter'
import { expect } from 'vitest'
import { fanFlow, flakyFlow, lineFlow, Witness } from '../blueprints.ts'
import { Countdown, Signal } from '../signal.ts'
import { Crew, KeptLog } from './crew.ts'
import { operatingRuns } from './operating-runs.ts'
import { priorities } from './priorities.ts'
import type { Case, Suite } from './suite.ts'
import { around } from './troubled-ports.ts'

/** No sweep comes to help: only the queue brings work. */
const NO_SWEEP_MS = 3_600_000

const policies: Case[] = (['claim', 'commit'] as const).map((acknowledge) => ({
  title: `a run is carried to its end where jobs are acknowledged with the ${acknowledge}`,
  async run(stage) {
    const witness = new Witness()
    await using crew = new Crew(stage, fanFlow(6, witness), flakyFlow(1, witness, stage.ticks(2)))
    crew.worker({ acknowledge, concurrency: 2 })

    const handles = [await crew.client.start('fan'), await crew.client.start('flaky')]
    const results = await Promise.all(handles.map((handle) => crew.outcome(handle)))

    expect(results.map(({ status }) => status)).toEqual(['completed', 'completed'])
    expect(witness.count('join')).toBe(1)
  },
}))

export const adapterSuite: Suite = {
  name: 'the adapter',
  cases: [
    ...policies,
    ...operatingRuns,
    ...priorities,
    {
      title: 'runs nodes on all its workers, each node once',
      async run(stage) {
        const meeting = new Countdown(4)
        const workers = new Set<string>()
        const work = async ({ nodeId }: NodeArguments) => {
          meeting.count()
          await meeting.wait()
          return { output: nodeId }
        }
        const flow = createFlow('meet').node('a', work).node('b', work).node('c', work).node('d', work)
        await using crew = new Crew(stage, flow)
        for (let count = 0; count < 4; count++) {
          crew.worker({ concurrency: 1, world: count % 2 === 0 ? stage.world : await stage.world.reopen() })
        }

        const handle = await crew.client.start('meet')

        expect(await crew.outcome(handle)).toMatchObject({ output: { a: 'a', b: 'b', c: 'c', d: 'd' } })
        for (const { workerId } of (await handle.record()).instances) workers.add(workerId ?? '')
        expect(workers.size).toBe(4)
      },
    },
    {
      title: 'brings a job again that could not be claimed because the store was down',
      async run(stage) {
        const refused = new Signal()
        const store = around(stage.store, (method, call) => {
          if (method === 'claim' && !refused.hasFired) throw new Error('the store is down, as part of the test')
          return call()
        })
        const logger: ILogger = {
          log: (_, message) => {
            if (message.includes('comes again')) refused.fire()
          },
        }
        await using crew = new Crew(stage, lineFlow(2))
        // Alone: whose a job is among several, is the queue's to say. Nor does it look for work once it has begun.
        crew.worker({ store, sweepMs: NO_SWEEP_MS, leaseMs: stage.ticks(4), logger })
        await stage.pass(stage.ticks(2))
        const handle = await crew.client.start('line', 1)
        await stage.until(refused.wait())

        expect(await crew.outcome(handle)).toMatchObject({ output: 3 })
      },
      world: { redispatch: 100_000, redispatchMax: 200_000, visibility: 100 },
    },
    {
      title: 'hands back what it runs when it stops, at no cost to it, and another carries on at once',
      async run(stage) {
        const started = new Signal()
        let calls = 0
        const flow = createFlow('handed').node('work', async ({ signal }: NodeArguments) => {
          calls += 1
          if (calls > 1) return { output: 'done' }
          started.fire()
          return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        })
        await using crew = new Crew(stage, flow)
        const first = crew.worker()
        const handle = await crew.client.start('handed')
        await stage.until(started.wait())

        await stage.until(first.stop(), 60_000)
        expect(await stage.hand().instance('work', handle.runId)).toMatchObject({ status: 'ready', lostLeases: 0 })
        crew.worker()

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 'done' })
        expect(await stage.hand().instance('work', handle.runId)).toMatchObject({ attempt: 1, lostLeases: 0 })
        expect(await stage.hand().types(handle.runId)).toContain('node-released')
      },
    },
    {
      title: 'lets what runs come to its end when it stops, if that is soon',
      async run(stage) {
        const started = new Signal()
        const gate = new Signal()
        const witness = new Witness()
        const flow = createFlow('ending')
          .node('work', async (args: NodeArguments) => {
            witness.see(args)
            started.fire()
            await gate.wait()
            return { output: 1 }
          })
          .node('next', (args: NodeArguments) => witness.see(args))
          .edge('work', 'next')
        await using crew = new Crew(stage, flow)
        const worker = crew.worker({ stopWithinMs: stage.longMs })
        const handle = await crew.client.start('ending')
        await stage.until(started.wait())

        const stopped = worker.stop()
        gate.fire()
        await stage.until(stopped, 60_000)

        expect(witness.visits()).toEqual(['work'])
        expect((await handle.record()).instances.map(({ status }) => status)).toEqual(['succeeded', 'ready'])
        expect(worker.running).toEqual([])
        await stage.pass(crew.boundMs)
        expect(witness.visits()).toEqual(['work'])
      },
    },
    {
      title: 'does not execute a run of a version that it lacks, and leaves it to one that has it',
      async run(stage) {
        const executed: string[] = []
        const version = (name: string) =>
          createFlow('versioned', { version: name }).node('work', () => {
            executed.push(name)
            return { output: name }
          })
        await using crew = new Crew(stage, version('1'), version('2'))
        crew.worker({ runtimeOptions: { flows: [version('1')] } })
        const old = await crew.client.start('versioned', undefined, { version: '1' })
        const young = await crew.client.start('versioned', undefined, { version: '2' })
        expect(await crew.outcome(old)).toMatchObject({ output: '1' })
        await stage.pass(crew.boundMs)
        expect(await young.status()).toBe('pending')

        crew.worker({ runtimeOptions: { flows: [version('2')] } })

        expect(await crew.outcome(young, 120_000)).toMatchObject({ output: '2' })
        expect(executed).toEqual(['1', '2'])
      },
    },
    {
      title: 'creates the run of a job from outside once, with all its start nodes, however often the job comes',
      needs: ['push'],
      async run(stage) {
        const witness = new Witness()
        const see = (args: NodeArguments) => {
          witness.see(args)
          return { output: args.nodeId }
        }
        const flow = createFlow('orders').node('one', see).node('two', see)
        await using crew = new Crew(stage, flow)
        crew.worker()
        crew.worker()

        for (let count = 0; count < 3; count++) {
          await stage.world.push?.({ runId: 'order-7', blueprintId: 'orders', nodeId: 'one' })
        }
        await stage.until(
          (async () => {
            while ((await stage.store.list()).runs.length === 0) await stage.pass(stage.ticks(2))
          })(),
          crew.boundMs * 10,
        )
        const result = await crew.outcome(crew.client.get('order-7'))

        expect(result).toMatchObject({ status: 'completed', output: { one: 'one', two: 'two' } })
        await stage.pass(crew.boundMs)
        expect([...witness.visits()].sort()).toEqual(['one', 'two'])
      },
    },
    {
      title: 'puts a job from outside among the dead letters when no run and no start node fits it',
      needs: ['push', 'deadLetters'],
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(3))
        crew.worker()

        await stage.world.push?.({ runId: 'order-8', blueprintId: 'line', nodeId: 'n1' })
        for (let turn = 0; turn < 200 && (await stage.world.deadLetters?.())?.length === 0; turn++) {
          await stage.pass(stage.ticks(2))
        }

        expect(JSON.stringify(await stage.world.deadLetters?.())).toContain('order-8')
        expect(await stage.store.list()).toEqual({ runs: [] })
      },
    },
    {
      title: 'sends jobs again for what is ready in a run, when it is told to reconcile it',
      async run(stage) {
        await using crew = new Crew(stage, fanFlow(2))
        const handle = await crew.clientOf({ queue: around(stage.world.queue, () => undefined) }).start('fan')
        const idle = crew.make()
        crew.worker({ sweepMs: NO_SWEEP_MS })
        await stage.pass(stage.ticks(2))

        const sent = await idle.reconcile(handle.runId)

        expect(sent.length).toBeLessThanOrEqual(1)
        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
        expect(await idle.reconcile(handle.runId)).toEqual([])
        await expect(idle.reconcile('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_RUN', field: 'runId' })
        await expect(idle.reconcile('../x')).rejects.toMatchObject({ code: 'INVALID_ID' })
      },
    },
    {
      title: 'shows its runs: one whole, many in pages',
      async run(stage) {
        await using crew = new Crew(stage, lineFlow(2))
        const adapter = crew.worker()
        const handles = [await crew.client.start('line', 1), await crew.client.start('line', 2)]
        for (const handle of handles) await crew.outcome(handle)

        expect((await adapter.getRun(handles[0]?.runId ?? ''))?.output).toBe(3)
        expect(await adapter.getRun('nobody')).toBeUndefined()
        expect((await adapter.listRuns({ status: ['completed'] })).runs).toHaveLength(2)
      },
    },
    {
      title: 'puts run, instance and attempt into every line it logs about work',
      async run(stage) {
        const log = new KeptLog()
        const flow = createFlow('logs').node(
          'work',
          ({ attempt, log }: NodeArguments) => {
            log('info', 'from the node', { extra: 1, runId: 'forged' })
            if (attempt === 1) throw new Error('once, as part of the test')
          },
          { retry: { attempts: 2, delayMs: 1, jitter: 0 } },
        )
        await using crew = new Crew(stage, flow)
        crew.worker({ logger: log })

        const handle = await crew.client.start('logs')
        await crew.outcome(handle)

        const lines = log.lines.filter(({ message }) => message.includes('attempt') || message.includes('node'))
        expect(lines).toHaveLength(3)
        expect(lines.map(({ fields }) => fields.attempt)).toEqual([1, 1, 2])
        for (const { fields } of lines) {
          expect(fields).toMatchObject({ runId: handle.runId, instanceId: 'work', workerId: 'worker-1' })
        }
      },
    },
    {
      title: 'lets go of all its ports when it is closed, and refuses to start again',
      async run(stage) {
        const world = await stage.world.reopen()
        await using crew = new Crew(stage, lineFlow(1))
        const closed: string[] = []
        const note = (name: string) => (method: string, call: () => unknown) =>
          method === 'close' ? void closed.push(name) : call()
        const adapter = crew.make({
          store: around(world.store, note('store')),
          queue: around(world.queue, note('queue')),
        })
        adapter.start()

        await stage.until(Promise.all([adapter.close(), adapter.close()]), 60_000)

        expect(closed.sort()).toEqual(['queue', 'store'])
        expect(() => adapter.start()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
      },
    },
  ],
}
