/** What the engine does that is not about any store: core's own integration tests, in memory, on a clock that stands. */
import {
  BatonClient,
  BatonError,
  createFlow,
  FlowRuntime,
  InMemoryAdapter,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  InMemoryRunStore,
  type NodeArguments,
  type RunnableFlow,
} from '@baton/core'
import { wait } from '@baton/core/adapter'
import { describe, expect, it } from 'vitest'
import { Countdown, Crew, lineFlow, memorySubject, Signal, Stage, TestClock } from '../src/index.ts'

const { tickMs } = memorySubject

async function stageOf(): Promise<Stage> {
  const options = { redispatchMs: 20 * tickMs, redispatchMaxMs: 80 * tickMs, visibilityMs: 40 * tickMs }
  return new Stage(memorySubject, await memorySubject.create(options))
}

/** A node that runs until its signal fires, and says so. */
function hanging(started: Signal, told: Signal) {
  return ({ signal }: NodeArguments) => {
    started.fire()
    return new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => {
        told.fire()
        reject(signal.reason)
      }),
    )
  }
}

describe('an attempt', () => {
  it('that runs past its timeout is told, counts, and is tried again', async () => {
    const stage = await stageOf()
    const told = new Signal()
    const flow = createFlow('slow').node(
      'work',
      (args: NodeArguments) => (args.attempt === 1 ? hanging(new Signal(), told)(args) : { output: args.attempt }),
      { timeoutMs: 50, retry: { attempts: 2, delayMs: 1 } },
    )
    await using crew = new Crew(stage, flow)
    crew.worker()

    const handle = await crew.client.start('slow')

    expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 2 })
    expect(told.hasFired).toBe(true)
    expect(await stage.hand().instance('work', handle.runId)).toMatchObject({ attempt: 2, lostLeases: 0 })
  })

  it('that has ended gets no more words in: its writes and steps are refused', async () => {
    const stage = await stageOf()
    const gate = new Signal()
    const late: unknown[] = []
    const flow = createFlow('late').node(
      'work',
      async ({ context, step }: NodeArguments) => {
        await gate.wait()
        await context.set('k', 1).catch((error: unknown) => late.push(error))
        await step('s', () => 1).catch((error: unknown) => late.push(error))
      },
      { timeoutMs: 50 },
    )
    await using crew = new Crew(stage, flow)
    crew.worker()
    const handle = await crew.client.start('late')
    expect(await crew.outcome(handle)).toMatchObject({ status: 'failed', error: { code: 'NODE_TIMEOUT' } })

    gate.fire()
    await stage.pass(100)

    expect(late).toContainEqual(expect.objectContaining({ code: 'ATTEMPT_ENDED' }))
    expect((await handle.record()).context).toEqual({})
  })

  it('whose first word is a wait leaves its place to others at once', async () => {
    const stage = await stageOf()
    const flow = createFlow('waits').node('work', ({ sleep }: NodeArguments) => sleep(stage.longMs))
    await using crew = new Crew(stage, flow, lineFlow(1))
    crew.worker({ concurrency: 1 })
    const waiting = await crew.client.start('waits')

    expect(await crew.outcome(await crew.client.start('line', 1))).toMatchObject({ output: 2 })
    expect((await stage.hand().instance('work', waiting.runId))?.status).toBe('sleeping')
  })

  it('that returns what no node returns fails with the name of what it returned', async () => {
    const runtime = new FlowRuntime()
    let flows = 0
    const returns = (value: unknown) => runtime.run(createFlow(`returns-${flows++}`).node('a', () => value as never))

    expect(await returns('text')).toMatchObject({ status: 'failed', error: { code: 'INVALID_VALUE' } })
    expect(await returns({ outptu: 1 })).toMatchObject({ error: { message: expect.stringContaining('outptu') } })
    expect(await returns({ action: 7 })).toMatchObject({ error: { code: 'INVALID_VALUE' } })
  })
})

describe('a run in this process, without a store', () => {
  it('is cancelled by its signal, and so are its nodes', async () => {
    const clock = new TestClock()
    const stop = new AbortController()
    const [started, told] = [new Signal(), new Signal()]
    const flow = createFlow('cancel').node('work', hanging(started, told))
    const running = new FlowRuntime({ clock }).run(flow, undefined, { signal: stop.signal })
    await started.wait()

    stop.abort(new Error('enough'))

    expect(await clock.until(running)).toMatchObject({ status: 'cancelled', reason: 'enough' })
    expect(told.hasFired).toBe(true)
  })

  it('that waits for the outside says what it waits for', async () => {
    const approval = await new FlowRuntime().run(createFlow('ask').approval('sign', { request: { sum: 1 } }))
    const signal = await new FlowRuntime().run(createFlow('wait').waitForSignal('w', { signal: 'paid' }))

    expect(approval).toMatchObject({
      status: 'paused',
      pendingApproval: { approvalId: 'sign:sign', request: { sum: 1 } },
    })
    expect(signal).toMatchObject({ status: 'paused', pendingPause: { instanceId: 'w', signal: 'paid' } })
  })

  it('runs at most as many nodes at a time as it is told', async () => {
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    }
    let flow = createFlow('wide').node('n0', work, { uses: 'wide/n' })
    for (let index = 1; index < 10; index++) flow = flow.node(`n${index}`, work, { uses: 'wide/n' }) as typeof flow

    await new FlowRuntime({ concurrency: 3 }).run(flow)

    expect(most).toBe(3)
  })
})

describe('a worker', () => {
  it('runs at most as many nodes at a time as it is told, of all runs together', async () => {
    const stage = await stageOf()
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    }
    await using crew = new Crew(stage, createFlow('busy').node('a', work).node('b', work, { uses: 'busy/b' }))
    crew.worker({ concurrency: 3 })

    const handles = await Promise.all(Array.from({ length: 8 }, () => crew.client.start('busy')))
    for (const handle of handles) await crew.outcome(handle)

    expect(most).toBe(3)
  })

  it('takes work of a higher priority first', async () => {
    const stage = await stageOf()
    const order: string[] = []
    const flow = createFlow('urgent').node('a', ({ runId }: NodeArguments) => void order.push(runId))
    await using crew = new Crew(stage, flow)
    await crew.client.start('urgent', 1, { runId: 'low', priority: -1 })
    await crew.client.start('urgent', 1, { runId: 'middle' })
    await crew.client.start('urgent', 1, { runId: 'high', priority: 5 })

    crew.worker({ concurrency: 1 })
    await crew.outcome(crew.client.get('low'))

    expect(order).toEqual(['high', 'middle', 'low'])
  })

  it('lets other work have its turn after as many nodes of one run as it is told', async () => {
    const stage = await stageOf()
    const order: string[] = []
    const see = ({ runId }: NodeArguments) => void order.push(runId)
    const flow = createFlow('turns').node('a', see).node('b', see).node('c', see).edge('a', 'b').edge('b', 'c')
    await using crew = new Crew(stage, flow)
    await crew.client.start('turns', 1, { runId: 'one' })
    await crew.client.start('turns', 1, { runId: 'two' })

    crew.worker({ concurrency: 1, inlineMaxNodes: 2 })
    await crew.outcome(crew.client.get('one'))
    await crew.outcome(crew.client.get('two'))

    expect(order).toEqual(['one', 'one', 'two', 'two', 'one', 'two'])
  })

  it('comes back to a retry as soon as a place is free, and does not wait for a sweep', async () => {
    const stage = await stageOf()
    const flow = createFlow('prompt')
      .node(
        'flaky',
        ({ attempt }: NodeArguments) => {
          if (attempt === 1) throw new Error('once, as part of the test')
        },
        { retry: { attempts: 2, delayMs: 10, jitter: 0 } },
      )
      .node('busy', () => wait(stage.clock, 50))
    await using crew = new Crew(stage, flow)
    crew.worker({ concurrency: 1, sweepMs: 600_000 })

    const handle = await crew.client.start('prompt')
    await crew.outcome(handle, 600_000)

    const { createdAtMs, endedAtMs = 0 } = await handle.summary()
    expect(endedAtMs - createdAtMs).toBe(50)
  })

  it.each(['its own claim', 'the commit before', 'the making of its run'])(
    'runs nothing on a claim that comes later than its lease, by %s, and neither an attempt nor a lease is lost',
    async (by) => {
      const stage = await stageOf()
      const ran: string[] = []
      const flow = createFlow('late')
        .node('first', ({ attempt }) => void ran.push(`first ${attempt}`))
        .node('second', ({ attempt }) => void ran.push(`second ${attempt}`))
        .edge('first', 'second')
      await using crew = new Crew(stage, flow)
      const store = stage.world.store as InMemoryRunStore
      let isSlow = true
      const late = async <Answer>(answer: Answer): Promise<Answer> => {
        if (isSlow) await wait(stage.clock, crew.leaseMs)
        isSlow = false
        return answer
      }
      if (by === 'its own claim') {
        const claim = store.claim.bind(store)
        store.claim = (request) => late(claim(request)) as never
      } else if (by === 'the commit before') {
        const commit = store.commit.bind(store)
        store.commit = (transition) => late(commit(transition)) as never
      } else {
        const create = store.create.bind(store)
        store.create = (run, first) => late(create(run, first)) as never
      }
      // Long enough that nobody else takes it meanwhile.
      crew.worker({ sweepMs: 10 * crew.leaseMs, fanOut: by === 'its own claim' ? 'queue' : 'own-places' })
      const handle = await stage.until(crew.client.start('late'), 2 * crew.leaseMs)

      expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
      expect(ran).toEqual(['first 1', 'second 1'])
      const types = await stage.hand().types(handle.runId)
      expect(types).toContain('node-released')
      expect(types).not.toContain('node-lost')
    },
  )

  it('that goes on as new outlives a store that is away for longer than a lease', async () => {
    const stage = await stageOf()
    const store = stage.world.store as InMemoryRunStore
    const summary = store.summary.bind(store)
    let awayUntilMs = 0
    store.summary = (runId) => {
      if (stage.clock.now() < awayUntilMs) throw new BatonError('STORE_UNAVAILABLE')
      return summary(runId)
    }
    const flow = createFlow('loop').node('turn', ({ input, continueAsNew, log }: NodeArguments) => {
      if (input === 0) return { output: 'over' }
      if (awayUntilMs === 0) awayUntilMs = stage.clock.now() + 3 * crew.leaseMs
      log('info', 'a turn')
      return continueAsNew(Number(input) - 1)
    })
    await using crew = new Crew(stage, flow)
    crew.worker()

    const handle = await crew.client.start('loop', 1)

    expect(await crew.outcome(handle, 60 * crew.leaseMs)).toMatchObject({ status: 'completed', output: 'over' })
  })

  it('removes runs when their retention is over, and not before', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, lineFlow(1))
    crew.worker({ retentionMs: 3_600_000 })
    const handle = await crew.client.start('line', 1)
    await crew.outcome(handle)

    await stage.pass(3_000_000)
    expect(await crew.client.getRun(handle.runId)).toBeDefined()
    await stage.pass(900_000)

    expect(await crew.client.getRun(handle.runId)).toBeUndefined()
  })

  it('is the only one of many that sweeps, and another takes over when it is gone', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, lineFlow(1))
    const workers = [crew.worker(), crew.worker(), crew.worker()]
    await stage.pass(crew.sweepMs * 3)
    const holder = await stage.world.coordinationStore.get('baton/sweeper')
    expect(workers.map(({ workerId }) => workerId)).toContain(holder)

    await stage.until(workers.find(({ workerId }) => workerId === holder)?.stop() ?? Promise.resolve(), 60_000)
    await stage.pass(crew.sweepMs * 3)

    const next = await stage.world.coordinationStore.get('baton/sweeper')
    expect(next).not.toBe(holder)
    expect(workers.map(({ workerId }) => workerId)).toContain(next)
  })
})

describe('what is due for a run makes it say to others', () => {
  const resting = createFlow('resting').sleep('rest', 86_400_000)
  const crewOn = (...flows: readonly RunnableFlow[]) => {
    const clock = new TestClock()
    const ports = { store: new InMemoryRunStore({ clock }), queue: new InMemoryJobQueue({ clock }) }
    const adapter = new InMemoryAdapter({ ...ports, clock, runtimeOptions: { flows }, sweepMs: 5_000 })
    adapter.start()
    return { clock, adapter, client: new BatonClient({ ...ports, clock, flows }) }
  }

  it('its end by a deadline is heard by its parent with the sweep that saw it', async () => {
    const parent = createFlow('parent').node('ask', async ({ runChild }: NodeArguments) => ({
      output: await runChild(resting, undefined, { deadlineMs: 1_000 }).catch(({ cause }) => cause.code),
    }))
    const { clock, adapter, client } = crewOn(parent, resting)
    const handle = await client.start(parent, undefined, { runId: 'p' })

    await clock.advance(6_000)

    expect(await handle.summary()).toMatchObject({ status: 'completed', output: 'RUN_TIMEOUT' })
    await adapter.close()
  })

  it('its children are called off with the sweep that saw its deadline', async () => {
    const parent = createFlow('parent').child('ask', resting)
    const { clock, adapter, client } = crewOn(parent, resting)
    await client.start(parent, undefined, { runId: 'p', deadlineMs: 1_000 })

    await clock.advance(6_000)

    expect(await client.get('p').status()).toBe('failed')
    expect(await client.get('p:ask:0').status()).toBe('cancelled')
    await adapter.close()
  })

  it.each(['after', 'while'])(
    'a signal to a child whose start is still on its way is not lost: brought %s',
    async (when) => {
      const child = createFlow('child').waitForSignal('wait', { signal: 'go' })
      const parent = createFlow('parent').node('ask', async ({ startChild, signalRun }: NodeArguments) => {
        const started = await startChild(child, undefined, { runId: 'kid' })
        await signalRun('kid', 'go', 7)
        return { output: await started.result() }
      })
      const { clock, adapter, client } = crewOn(parent, child)
      const store = adapter.store as InMemoryRunStore
      const [create, due] = [store.create.bind(store), store.due.bind(store)]
      let isDown = true
      store.create = (run) => {
        if (isDown && run.runId === 'kid') throw new BatonError('STORE_UNAVAILABLE')
        return create(run)
      }
      store.due = (query) => {
        const isLooking = isDown && query.runId === 'p' && when === 'while'
        const start = isLooking
          ? due(query).find((item) => item.type === 'message' && item.message.body.type === 'start')
          : undefined
        if (start?.type === 'message' && start.message.body.type === 'start') {
          // Somebody else is a little faster than the look for it.
          create(start.message.body.run)
          store.delivered(start.runId, [start.message.key])
        }
        return due(query)
      }
      const handle = await client.start(parent, undefined, { runId: 'p' })
      await clock.advance(1_000)
      isDown = false

      expect(await clock.until(handle.result())).toBe(7)
      await adapter.close()
    },
  )

  it('every child is called off, also where more starts wait for the store than anybody looks through', async () => {
    const many = 1_100
    const parent = createFlow<number>('parent')
      .node('list', ({ input }: NodeArguments<number>) => ({
        output: Array.from({ length: input }, (_, index) => index),
      }))
      .map('start', async ({ itemIndex, startChild }: NodeArguments<number>) => {
        await startChild(resting, undefined, { runId: `child-${itemIndex}` })
      })
      .sleep('rest', 86_400_000)
      .edge('list', 'start')
      .edge('start', 'rest')
    const { clock, adapter, client } = crewOn(parent, resting)
    const store = adapter.store as InMemoryRunStore
    const create = store.create.bind(store)
    let isDown = true
    store.create = (run) => {
      if (isDown && run.lineage?.parentRunId !== undefined) throw new BatonError('STORE_UNAVAILABLE')
      return create(run)
    }
    const handle = await client.start(parent, many, { runId: 'p' })
    await clock.advance(1_000)
    expect((await handle.record()).children).toHaveLength(many)

    await handle.cancel()
    isDown = false
    await clock.advance(3_600_000)

    const children = Array.from({ length: many }, (_, index) => client.get(`child-${index}`).status())
    expect(new Set(await Promise.all(children))).toEqual(new Set(['cancelled']))
    await adapter.close()
  })

  it('its children are called off as soon as a worker finds that its node is gone', async () => {
    const before = createFlow('parent', { failFast: false }).child('ask', resting).sleep('old', 1_000)
    const after = createFlow('parent', { failFast: false }).child('ask', resting).sleep('new', 1_000)
    const { clock, adapter, client } = crewOn(before, resting)
    await client.start(before, undefined, { runId: 'p' })
    await clock.advance(500)
    await adapter.stop()
    const { store, queue } = adapter
    const next = new InMemoryAdapter({
      store,
      queue,
      clock,
      runtimeOptions: { flows: [after, resting] },
      sweepMs: 5_000,
    })
    next.start()

    await clock.advance(6_000)

    expect(await client.get('p').summary()).toMatchObject({ status: 'failed', error: { code: 'NODE_GONE' } })
    expect(await client.get('p:ask:0').status()).toBe('cancelled')
    await next.close()
    await adapter.close()
  })
})

describe('an adapter', () => {
  it('publishes the final result of a run once, by its own extension point', async () => {
    const published: string[] = []
    class Publishing extends InMemoryAdapter {
      protected override async publishFinalResult(runId: string): Promise<void> {
        published.push(runId)
      }
    }
    const clock = new TestClock()
    const ports = { store: new InMemoryRunStore({ clock }), queue: new InMemoryJobQueue({ clock }) }
    await using adapter = new Publishing({ ...ports, clock, runtimeOptions: { flows: [lineFlow(2)] } })
    adapter.start()
    ports.queue.push({ runId: 'order-7', blueprintId: 'line', nodeId: 'n0' })

    await clock.advance(10)

    expect(published).toEqual(['order-7'])
    expect((await adapter.getRun('order-7'))?.status).toBe('completed')
    await clock.until(adapter.close())
  })

  it('reconciles a run that an outside job announced and nobody created, from the second place that knows it', async () => {
    const clock = new TestClock()
    const coordinationStore = new InMemoryCoordinationStore({ clock })
    const adapter = new InMemoryAdapter({ clock, coordinationStore, runtimeOptions: { flows: [lineFlow(2)] } })
    coordinationStore.setIfNotExist('baton/blueprint/order-9', 'line')

    expect(await adapter.reconcile('order-9')).toEqual(['n0'])

    expect((await adapter.getRun('order-9'))?.status).toBe('pending')
    await clock.until(adapter.close())
  })
})

describe('a handle', () => {
  it('stops waiting when its time is up, and the run goes on', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, createFlow('rest').sleep('a', 10_000))
    crew.worker()
    const handle = await crew.client.start('rest')

    await expect(stage.until(handle.result({ timeoutMs: 100 }))).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })

    expect(await crew.outcome(handle, 60_000)).toMatchObject({ status: 'completed' })
  })

  it('throws why a run has no result', async () => {
    const stage = await stageOf()
    const flow = createFlow('bad').node('a', () => {
      throw new Error('broken')
    })
    await using crew = new Crew(stage, flow, createFlow('wait').waitForSignal('w', { signal: 's' }))
    crew.worker()
    const failed = await crew.client.start('bad')
    const cancelled = await crew.client.start('wait')
    await cancelled.cancel('enough')

    await expect(stage.until(failed.result())).rejects.toMatchObject({
      code: 'RUN_FAILED',
      cause: { message: 'broken' },
    })
    await expect(stage.until(cancelled.result())).rejects.toMatchObject({ code: 'RUN_CANCELLED' })
  })

  it('wakes all who wait for one result', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, lineFlow(2))
    const handle = await crew.client.start('line', 1)
    const woken = new Countdown(5)
    for (let index = 0; index < 5; index++) void handle.result().then(() => woken.count())

    crew.worker()

    await stage.until(woken.wait())
  })
})
