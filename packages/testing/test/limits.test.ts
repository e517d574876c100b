/** Limits, and workers that die, freeze and come back at any call of theirs. In memory, on a clock that stands. */
import {
  BatonClient,
  BatonError,
  createFlow,
  type FlowOptions,
  InMemoryAdapter,
  InMemoryRunStore,
  type IRunStore,
  type NodeArguments,
  type RunEvent,
  type RunHandle,
  type RunId,
  systemClock,
} from '@baton/core'
import { RunMachine, wait } from '@baton/core/adapter'
import { describe, expect, it } from 'vitest'
import { around, Crew, memorySubject, mischiefs, Stage, type World, withMischief } from '../src/index.ts'

const { tickMs } = memorySubject
const LIMIT = 2
const RUNS = 6

/** Who has been let in and has not ended, as the store knows it at each moment. */
class Turnstile {
  readonly letInAtMs: number[] = []
  readonly underWay = new Set<RunId>()
  most = 0

  readonly newMachine: typeof RunMachine.create = (run, atMs, options) => {
    const onEvent = (event: RunEvent) => {
      options.onEvent?.(event)
      if (event.type === 'slot-granted') {
        this.underWay.add(run.runId)
        this.letInAtMs.push(event.atMs)
        this.most = Math.max(this.most, this.underWay.size)
      } else if (/^run-(completed|failed|cancelled)$/.test(event.type)) this.underWay.delete(run.runId)
    }
    return RunMachine.create(run, atMs, { ...options, onEvent })
  }
}

async function stageOf(turnstile: Turnstile): Promise<Stage> {
  const redispatch = { redispatchMs: 20 * tickMs, redispatchMaxMs: 80 * tickMs }
  const world = await memorySubject.create({ ...redispatch, visibilityMs: 40 * tickMs })
  const { clock = systemClock } = world
  const store = new InMemoryRunStore({ ...redispatch, clock, newMachine: turnstile.newMachine })
  const own: World = { ...world, store, reopen: () => own }
  return new Stage(memorySubject, own)
}

const NOT_CALLS = new Set(['journal', 'context', 'onEnlisted', 'close'])

/** What becomes of a worker at one of its calls. `late`: the call is made when all others have long given it up. */
type Fate = 'dies before' | 'dies after' | 'is late'

/** The store of a worker whom something happens to at its n-th call. */
class Fateful {
  readonly store: IRunStore
  calls = 0
  #isStruck = false
  #isBuried = false
  readonly #hanging: (() => void)[] = []

  constructor(stage: Stage, at: number, fate: Fate, lateMs: number) {
    this.store = around(stage.store, (method, call) => {
      if (NOT_CALLS.has(method)) return call()
      this.calls += 1
      if (this.calls === at) {
        this.#isStruck = fate !== 'is late'
        if (fate === 'is late') return wait(stage.clock, lateMs).then(call)
        if (fate === 'dies after') return Promise.resolve(call()).then(() => this.#never())
      }
      return this.#isStruck ? this.#never() : call()
    })
  }

  /** Lets go of its calls, so that it can be stopped. */
  bury(): void {
    this.#isBuried = true
    for (const drop of this.#hanging.splice(0)) drop()
  }

  #never(): Promise<never> {
    if (this.#isBuried) return Promise.reject(new BatonError('CLOSED'))
    return new Promise((_, reject) => this.#hanging.push(() => reject(new BatonError('CLOSED'))))
  }
}

const limited = (stage: Stage) =>
  createFlow('limited', { concurrency: { limit: LIMIT } })
    .node('first', () => wait(stage.clock, tickMs))
    .node('second', () => wait(stage.clock, tickMs))
    .edge('first', 'second')

async function play(at: number, fate: Fate): Promise<number> {
  const turnstile = new Turnstile()
  const stage = await stageOf(turnstile)
  const flow = limited(stage)
  await using crew = new Crew(stage, flow)
  const fateful = new Fateful(stage, at, fate, crew.leaseMs * 3)
  crew.worker({ store: fateful.store, concurrency: 2 })
  for (let others = 0; others < 3; others++) crew.worker({ concurrency: 2 })

  const handles: RunHandle[] = []
  for (let run = 0; run < RUNS; run++) handles.push(await crew.client.start(flow))
  await handles[RUNS - 1]?.cancel('not needed any more')
  const ends = await Promise.all(handles.map((handle) => crew.outcome(handle, crew.boundMs * 40)))

  const name = `${fate} at call ${at}`
  expect(
    ends.map(({ status }) => status),
    name,
  ).toEqual([...Array(RUNS - 1).fill('completed'), 'cancelled'])
  expect(turnstile.most, name).toBeLessThanOrEqual(LIMIT)
  // The rest of what is to say is said, and the limiter knows of nobody any more.
  await stage.pass(crew.leaseMs * 20)
  const { runs } = await stage.store.list({ flowId: 'baton:limiter' })
  for (const { runId } of runs) {
    expect((await stage.store.load(runId))?.limiter, name).toMatchObject({ held: [], waiting: [] })
  }
  expect(await stage.store.due({ limit: 10 }), name).toEqual([])
  fateful.bury()
  return fateful.calls
}

describe('runs under a limit', () => {
  it.each(['dies before', 'dies after', 'is late'] as const)(
    'have their turn, never more than allowed, when a worker %s any call of its own',
    { timeout: 60_000 },
    async (fate) => {
      const calls = Math.min(120, await play(Number.POSITIVE_INFINITY, fate))
      expect(calls).toBeGreaterThan(10)
      for (let at = 1; at <= calls; at++) await play(at, fate)
    },
  )

  it.each(Object.entries(mischiefs))('have their turn with a queue that %s', async (_name, mischief) => {
    const turnstile = new Turnstile()
    const stage = await stageOf(turnstile)
    const flow = limited(stage)
    await using crew = new Crew(stage, flow)
    const queue = withMischief(stage.world.queue, mischief)
    for (let worker = 0; worker < 4; worker++) crew.worker({ queue })

    const handles: RunHandle[] = []
    for (let run = 0; run < RUNS; run++) handles.push(await crew.client.start(flow))

    for (const handle of handles) expect((await crew.outcome(handle)).status).toBe('completed')
    expect(turnstile.most).toBe(LIMIT)
  })

  it('wait with nobody polling: a thousand of them cost the store nothing but what happens', async () => {
    const turnstile = new Turnstile()
    const stage = await stageOf(turnstile)
    let calls = 0
    const hold = createFlow('limited', { concurrency: { limit: 1 } }).waitForSignal('hold', { signal: 'go' })
    await using crew = new Crew(stage, hold)
    const counting = around(stage.store, (method, call) => {
      if (method !== 'due' && method !== 'purge') calls += 1
      return call()
    })
    crew.worker({ store: counting, sweepMs: 100 * tickMs })
    for (let run = 0; run < 1_000; run++) await crew.client.start(hold)
    await stage.pass(500 * tickMs)

    calls = 0
    await stage.pass(100_000 * tickMs)

    expect(calls).toBe(0)
    expect(turnstile.most).toBe(1)
  })
})

describe('a limit', () => {
  /** What the store is asked for one run, by all that have to do with it. */
  async function callsOf(options: FlowOptions): Promise<Record<string, number>> {
    const stage = await stageOf(new Turnstile())
    const flow = createFlow('counted', options).node('a', () => {})
    await using crew = new Crew(stage, flow)
    const calls: Record<string, number> = {}
    const store = around(stage.store, (method, call) => {
      if (!NOT_CALLS.has(method)) calls[method] = (calls[method] ?? 0) + 1
      return call()
    })
    crew.worker({ store, sweepMs: 1e9 })
    const client = crew.clientOf({ store })
    // The first run makes the limiter.
    for (let run = 0; run < 2; run++) {
      for (const method of Object.keys(calls)) delete calls[method]
      await crew.outcome(await client.start(flow))
    }
    await stage.pass(10 * tickMs)
    return calls
  }

  it('costs three notices for each run, and three notes that they were brought', async () => {
    const limited = await callsOf({ concurrency: { limit: 1 } })
    const { create, claim, commit } = await callsOf({})

    expect({ create, claim }).toEqual({ create: 1, claim: undefined })
    // A run that may have to wait is not claimed by whoever makes it.
    expect(limited).toMatchObject({ create, claim: 1, commit, notify: 3, delivered: 3 })
  })
})

describe('runs under a rate', () => {
  const PERIOD = 40 * tickMs
  const paced = createFlow('paced', { rateLimit: { limit: 2, periodMs: PERIOD } }).node(
    'work',
    (_: NodeArguments) => {},
  )

  it('are let in at the instant, by a worker that needs no sweep for it', async () => {
    const turnstile = new Turnstile()
    const stage = await stageOf(turnstile)
    // A run that is started by a node: its worker hears that others have to wait.
    const starter = createFlow('starter').node('start', async ({ startChild }: NodeArguments) => {
      for (let run = 0; run < RUNS; run++) await startChild('paced')
    })
    await using crew = new Crew(stage, starter, paced)
    crew.worker({ sweepMs: 1e9 })
    const begunAtMs = stage.clock.now()

    await crew.outcome(await crew.client.start(starter))
    await stage.pass(10 * PERIOD)

    expect(turnstile.letInAtMs.map((atMs) => atMs - begunAtMs)).toEqual([0, 0, PERIOD, PERIOD, 2 * PERIOD, 2 * PERIOD])
  })

  it('are let in by the sweep where nobody has an alarm for it, late and never too many', async () => {
    const turnstile = new Turnstile()
    const stage = await stageOf(turnstile)
    await using crew = new Crew(stage, paced)
    const begunAtMs = stage.clock.now()
    // The client hears how long they wait, and goes.
    for (let run = 0; run < 3; run++) await crew.client.start(paced)
    await stage.pass(PERIOD * 1.5)
    expect(turnstile.letInAtMs).toHaveLength(2)

    crew.worker()
    await stage.pass(crew.boundMs)

    const [, , third = 0] = turnstile.letInAtMs
    expect(third - begunAtMs).toBeGreaterThanOrEqual(PERIOD * 1.5)
  })
})

it('says of what keeps a limit that nobody can pause, unpause or cancel it, and runs go on being let in', async () => {
  const flow = createFlow('kept', { concurrency: { limit: 1 } }).node('work', () => ({ output: 'done' }))
  const adapter = new InMemoryAdapter({ runtimeOptions: { flows: [flow] } })
  await adapter.start()
  try {
    const client = new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] })
    await (await client.start(flow)).result()
    const limiter = client.get('baton:limit:kept:runs')

    const answers = [await limiter.pause({ reason: 'a try' }), await limiter.unpause(), await limiter.cancel()]

    expect(answers).toEqual([false, false, false])
    expect((await limiter.summary()).operatorPause).toBeUndefined()
    expect(await (await client.start(flow)).result()).toBe('done')
  } finally {
    await adapter.close()
  }
})
