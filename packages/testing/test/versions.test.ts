/** Versions side by side: which worker does what, what that costs, and what waits meanwhile. */
import {
  type BatonClient,
  createFlow,
  type Flow,
  type IJobQueue,
  type IRunStore,
  type NodeArguments,
} from '@baton/core'
import { describe, expect, it } from 'vitest'
import { around, Crew, KeptLog, memorySubject, Signal, Stage } from '../src/index.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

async function stageOf(): Promise<Stage> {
  return new Stage(
    memorySubject,
    await memorySubject.create({ redispatchMs: 30_000, redispatchMaxMs: 600_000, visibilityMs: 30_000 }),
  )
}

/** Counts calls by method. */
class Tally {
  readonly counts = new Map<string, number>()

  around<Port extends object>(port: Port): Port {
    return around(port, (method, call) => {
      this.counts.set(method, this.of(method) + 1)
      return call()
    })
  }

  of(method: string): number {
    return this.counts.get(method) ?? 0
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }
}

/** What was executed: the version that did it, by run and instance. */
class Executed {
  readonly all: { readonly version: string; readonly runId: string; readonly instanceId: string }[] = []

  by(version: string) {
    return ({ runId, instanceId }: Pick<NodeArguments, 'runId' | 'instanceId'>) => {
      this.all.push({ version, runId, instanceId })
    }
  }

  of(runId: string): string[] {
    return this.all.filter((one) => one.runId === runId).map(({ version, instanceId }) => `${instanceId} by ${version}`)
  }
}

const settings = { leaseMs: 30_000, sweepMs: 5_000 }

describe('a version that nobody has', () => {
  const flow = (version: string) => createFlow('orders', { version }).node('work', () => ({ output: version }))

  async function startMany(client: BatonClient, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      await client.start('orders', undefined, { version: '1', runId: `old-${index}` })
    }
  }

  it('costs each of its jobs a handful of calls, once, and then nothing', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, flow('1'), flow('2'))
    const store = new Tally()
    const queue = new Tally()
    let deliveries = 0
    const counted = {
      store: store.around<IRunStore>(stage.world.store),
      queue: around<IJobQueue>(queue.around(stage.world.queue), (method, call, args) => {
        if (method !== 'consume') return call()
        const [handler, options] = args as Parameters<IJobQueue['consume']>
        return stage.world.queue.consume((delivery) => {
          deliveries += 1
          return handler(delivery)
        }, options)
      }),
    }
    const log = new KeptLog()
    for (let index = 0; index < 3; index++) {
      crew.worker({ runtimeOptions: { flows: [flow('2')] }, ...settings, ...counted, logger: log })
    }
    await startMany(crew.client, 1_000)
    await stage.pass(MINUTE_MS)

    expect(deliveries).toBe(1_000)
    expect(store.of('enlist')).toBe(1_000)
    expect(store.of('claim')).toBe(0)
    expect(await crew.client.waitingForWorker()).toMatchObject([{ flowId: 'orders', version: '1', count: 1_000 }])

    const [before, queuedBefore] = [store.total, queue.total]
    await stage.pass(60 * MINUTE_MS)

    // Three workers look twelve times a minute, each into what is due and into its lists, and one of them sweeps.
    expect(store.total - before).toBeLessThanOrEqual(60 * (12 * (3 * 2 + 1) + 1) + 10)
    expect(queue.total).toBe(queuedBefore)
    expect(deliveries).toBe(1_000)
    expect(store.of('claim')).toBe(0)
    const told = log.lines.filter(({ message }) => message.includes('waiting for a worker with orders@1'))
    expect(told.length).toBeGreaterThan(0)
    expect(new Set(told.map(({ fields }) => fields.workerId)).size).toBe(told.length)
  })

  it('is done by the one worker that comes with it, all of it, without a sweep in between', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, flow('1'), flow('2'))
    for (let index = 0; index < 3; index++) crew.worker({ runtimeOptions: { flows: [flow('2')] }, ...settings })
    await startMany(crew.client, 1_000)
    await stage.pass(MINUTE_MS)

    crew.worker({ runtimeOptions: { flows: [flow('1')] }, ...settings })
    await stage.pass(1)

    const { runs } = await crew.client.listRuns({ status: ['completed'], limit: 1_000 })
    expect(runs).toHaveLength(1_000)
    expect(await crew.client.waitingForWorker()).toEqual([])
  })

  it('is done together by those that come with it', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, flow('1'), flow('2'))
    crew.worker({ runtimeOptions: { flows: [flow('2')] }, ...settings })
    await startMany(crew.client, 300)
    await stage.pass(MINUTE_MS)
    const store = new Tally()

    for (let index = 0; index < 3; index++) {
      crew.worker({ runtimeOptions: { flows: [flow('1')] }, ...settings, store: store.around(stage.world.store) })
    }
    await stage.pass(1)

    const { runs } = await crew.client.listRuns({ status: ['completed'], limit: 1_000 })
    expect(runs).toHaveLength(300)
    // They may meet over one page, not over each of its items again and again.
    expect(store.of('claim')).toBeLessThan(300 * 3)
    expect(store.of('due')).toBeLessThan(60)
  })

  it('lies for days and is carried on as if nothing had been', async () => {
    const stage = await stageOf()
    const executed = new Executed()
    const long = (version: string) =>
      createFlow('long', { version })
        .node('ask', async (args: NodeArguments) => {
          executed.by(version)(args)
          return { output: await args.waitForSignal('answer') }
        })
        .node('rest', async (args: NodeArguments) => {
          await args.sleep(60_000)
          executed.by(version)(args)
          return { output: args.input }
        })
        .edge('ask', 'rest')
    await using crew = new Crew(stage, long('1'), long('2'))
    const old = crew.worker({ runtimeOptions: { flows: [long('1')] }, ...settings })
    const young = crew.worker({ runtimeOptions: { flows: [long('2')] }, ...settings })
    const handle = await crew.client.start('long', undefined, { version: '1' })
    await stage.pass(MINUTE_MS)
    expect(await handle.status()).toBe('paused')
    await stage.until(old.stop())

    await handle.signal('answer', 42)
    await stage.pass(3 * DAY_MS)
    expect(await handle.summary()).toMatchObject({ status: 'running', pendingWorker: {} })
    await stage.until(young.stop())
    await stage.pass(DAY_MS)
    crew.worker({ runtimeOptions: { flows: [long('2')] }, ...settings })
    crew.worker({ runtimeOptions: { flows: [long('1')] }, ...settings })

    expect(await crew.outcome(handle, 10 * MINUTE_MS)).toMatchObject({ status: 'completed', output: 42 })
    expect(new Set(executed.all.map(({ version }) => version))).toEqual(new Set(['1']))
    expect((await handle.record()).metrics.lostLeases).toBe(0)
  })
})

describe('one version with two contents', () => {
  it('is told loudly by the worker that starts second', async () => {
    const stage = await stageOf()
    const [marked, told] = [new Signal(), new Signal()]
    const coordinationStore = around(stage.world.coordinationStore, async (_method, call, [key]) => {
      const answer = await call()
      if (String(key).startsWith('baton/version/') && answer === true) marked.fire()
      return answer
    })
    const world = { ...stage.world, coordinationStore }
    const first = createFlow('pay', { version: '1' }).node('a', () => undefined)
    const second = createFlow('pay', { version: '1' }).node('b', () => undefined)
    await using crew = new Crew(stage, first)
    crew.worker({ world, ...settings })
    await marked.wait()

    const log = (level: string, message: string) => {
      if (level === 'error' && message.startsWith('pay@1 has another content')) told.fire()
    }
    crew.worker({ world, runtimeOptions: { flows: [second] }, ...settings, logger: { log } })

    await told.wait()
  })
})

describe('two versions at work', () => {
  it('do each their own, also fans, retries, timers and and children', async () => {
    const stage = await stageOf()
    const executed = new Executed()
    const child = (version: string) =>
      createFlow('part', { version }).node('do', (args: NodeArguments) => executed.by(version)(args))
    const flow = (version: string) => {
      const see = executed.by(version)
      return createFlow('whole', { version })
        .node('start', see)
        .node('left', see)
        .node(
          'right',
          (args: NodeArguments) => {
            see(args)
            if (args.attempt === 1) throw new Error('once more')
          },
          { retry: { attempts: 2, delayMs: 2_000 } },
        )
        .child('part', child(version))
        .node('late', async (args: NodeArguments) => {
          await args.sleep(120_000)
          see(args)
        })
        .node('join', see)
        .edge('start', 'left')
        .edge('start', 'right')
        .edge('start', 'part')
        .edge('left', 'join')
        .edge('right', 'join')
        .edge('part', 'join')
        .edge('join', 'late') as Flow
    }
    const both = { 1: flow('1'), 2: flow('2') }
    await using crew = new Crew(stage, both[1], both[2])
    // The sweep comes to their help for what sleeps only: what lands on a list is taken from there by the hint.
    for (const version of [1, 2, 1, 2] as const) {
      crew.worker({ runtimeOptions: { flows: [both[version]] }, leaseMs: 30_000, sweepMs: 3_600_000 })
    }

    const handles = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        crew.client.start('whole', undefined, { version: index % 2 === 0 ? '1' : '2', runId: `run-${index}` }),
      ),
    )
    const outcomes = await Promise.all(handles.map((handle) => crew.outcome(handle, 3 * 3_600_000)))

    expect(outcomes.map(({ status }) => status)).toEqual(handles.map(() => 'completed'))
    for (const [index, { runId }] of handles.entries()) {
      const version = index % 2 === 0 ? '1' : '2'
      const family = executed.all.filter((one) => one.runId === runId || one.runId.startsWith(`${runId}:`))
      expect(family.length).toBeGreaterThanOrEqual(7)
      expect(new Set(family.map((one) => one.version)), runId).toEqual(new Set([version]))
    }
  })

  it('tell each other through the store: what one lacks the other does without a sweep or a job', async () => {
    const stage = await stageOf()
    const executed = new Executed()
    const flow = (version: string) => createFlow('hint', { version }).node('work', executed.by(version))
    await using crew = new Crew(stage, flow('1'), flow('2'))
    const noJobs = around<IJobQueue>(stage.world.queue, (method, call, args) => {
      if (method !== 'consume') return call()
      const { signal } = args[1] as Parameters<IJobQueue['consume']>[1]
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    })
    const rarely = { leaseMs: 30_000, sweepMs: 3_600_000 }
    crew.worker({ runtimeOptions: { flows: [flow('1')] }, ...rarely, queue: noJobs })
    crew.worker({ runtimeOptions: { flows: [flow('2')] }, ...rarely })
    await stage.pass(MINUTE_MS)

    const handle = await crew.client.start('hint', undefined, { version: '1' })
    await stage.pass(1)

    expect(await handle.status()).toBe('completed')
    expect(executed.of(handle.runId)).toEqual(['work by 1'])
  })

  it('end a run that was called off while only the other one was there, also what a dead worker held', async () => {
    const stage = await stageOf()
    const started = new Signal()
    const flow = (version: string) =>
      createFlow('stuck', { version }).node('work', ({ signal }: NodeArguments) => {
        started.fire()
        return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      })
    await using crew = new Crew(stage, flow('1'), flow('2'))
    const frozen = stage.hand('dead')
    const handle = await crew.client.start('stuck', undefined, { version: '1' })
    await frozen.claim('work', { runId: handle.runId, leaseMs: 30_000 })
    crew.worker({ runtimeOptions: { flows: [flow('2')] }, ...settings })
    await stage.pass(5 * MINUTE_MS)
    expect(await crew.client.waitingForWorker()).toMatchObject([{ flowId: 'stuck', version: '1', count: 1 }])

    await handle.cancel('not wanted any more')

    expect(await crew.outcome(handle)).toMatchObject({ status: 'cancelled' })
    expect(started.hasFired).toBe(false)
    expect(await crew.client.waitingForWorker()).toEqual([])
  })

  it('check a job that came from outside as well, and one that names another version than its run has', async () => {
    const stage = await stageOf()
    const executed = new Executed()
    const flow = (version: string) => createFlow('plain', { version }).node('work', executed.by(version))
    await using crew = new Crew(stage, flow('1'), flow('2'))
    const log = new KeptLog()
    crew.worker({ runtimeOptions: { flows: [flow('2')] }, ...settings, logger: log })
    const waits = await crew.client.start('plain', undefined, { version: '1', runId: 'waits' })
    const lied = await crew.client.start('plain', undefined, { version: '1', runId: 'lied' })

    stage.world.push?.({ runId: 'waits', blueprintId: 'plain', nodeId: 'work' })
    const lie = {
      runId: lied.runId,
      blueprintId: 'plain',
      nodeId: 'work',
      instanceId: 'work',
      dispatch: 7,
      version: '2',
    }
    await stage.world.queue.enqueue([lie])
    await stage.pass(10 * MINUTE_MS)

    expect(executed.all).toEqual([])
    expect(await crew.client.waitingForWorker()).toMatchObject([{ flowId: 'plain', version: '1', count: 2 }])
    crew.worker({ runtimeOptions: { flows: [flow('1')] }, ...settings })
    for (const handle of [waits, lied]) expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
    expect(executed.of('waits')).toEqual(['work by 1'])
    expect(executed.of('lied')).toEqual(['work by 1'])
  })

  it('leave a job from outside in the queue whose run only the other one can create', async () => {
    const stage = await stageOf()
    const executed = new Executed()
    const mine = createFlow('mine').node('work', executed.by('mine'))
    const other = createFlow('other').node('work', executed.by('other'))
    await using crew = new Crew(stage, mine, other)
    const first = crew.worker({ runtimeOptions: { flows: [mine] }, ...settings })

    stage.world.push?.({ runId: 'theirs', blueprintId: 'other', nodeId: 'work' })
    await stage.pass(10 * MINUTE_MS)
    expect(await stage.world.store.summary('theirs' as never)).toBeUndefined()
    await stage.until(first.stop())
    crew.worker({ runtimeOptions: { flows: [other] }, ...settings })
    await stage.pass(MINUTE_MS)

    expect(executed.of('theirs')).toEqual(['work by other'])
  })
})

describe('a flow without versions', () => {
  it('is carried on by whatever blueprint a worker has', async () => {
    const stage = await stageOf()
    const executed = new Executed()
    const flow = (name: string) =>
      createFlow('loose')
        .node('first', async (args: NodeArguments) => {
          executed.by(name)(args)
          await args.waitForSignal('go')
        })
        .node('second', executed.by(name))
        .edge('first', 'second')
    await using crew = new Crew(stage, flow('any'))
    const before = crew.worker({ runtimeOptions: { flows: [flow('before')] }, ...settings })
    const handle = await crew.client.start('loose')
    await stage.pass(MINUTE_MS)
    await stage.until(before.stop())
    crew.worker({ runtimeOptions: { flows: [flow('after')] }, ...settings })

    await handle.signal('go')

    expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
    expect(executed.of(handle.runId)).toEqual(['first by before', 'first by after', 'second by after'])
  })

  it('ends a run with NODE_GONE when a node is gone that it still needs, and only then', async () => {
    const stage = await stageOf()
    const wait = async ({ waitForSignal }: NodeArguments) => void (await waitForSignal('go'))
    const before = createFlow('loose').node('first', wait).node('gone', wait).edge('first', 'gone')
    const after = createFlow('loose').node('first', wait).node('new', wait).edge('first', 'new')
    await using crew = new Crew(stage, before)
    const worker = crew.worker({ ...settings })
    const early = await crew.client.start('loose', undefined, { runId: 'early' })
    const late = await crew.client.start('loose', undefined, { runId: 'late' })
    await late.signal('go')
    await stage.pass(MINUTE_MS)
    await stage.until(worker.stop())
    crew.worker({ runtimeOptions: { flows: [after] }, ...settings })

    await early.signal('go')
    await early.signal('go')
    await late.signal('go')

    expect(await crew.outcome(early)).toMatchObject({ status: 'completed' })
    expect(await crew.outcome(late)).toMatchObject({ status: 'failed', error: { code: 'NODE_GONE' } })
  })

  it('waits on its list where nobody has the flow at all', async () => {
    const stage = await stageOf()
    const flow = createFlow('rare').node('work', () => ({ output: 1 }))
    const other = createFlow('other').node('work', () => undefined)
    await using crew = new Crew(stage, flow)
    crew.worker({ runtimeOptions: { flows: [other] }, ...settings })
    const handle = await crew.client.start('rare')
    await stage.pass(MINUTE_MS)
    expect(await crew.client.waitingForWorker()).toMatchObject([{ flowId: 'rare', count: 1 }])

    crew.worker({ ...settings })

    expect(await crew.outcome(handle)).toMatchObject({ output: 1 })
  })
})
