/** How journals come to a sink: what it costs, and what becomes of it when somebody dies or the sink fails. On a clock that stands. */
import {
  BatonClient,
  createFlow,
  FlowRuntime,
  type IJournalSink,
  type ILogger,
  InMemoryAdapter,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  InMemoryRunStore,
  type JournalEntry,
  type LogLevel,
  type NodeArguments,
  type RunEvent,
  type RunnableFlow,
} from '@baton/core'
import type { IClock, IRunStore, RunId, WorkerSettings } from '@baton/core/adapter'
import { describe, expect, it } from 'vitest'
import { lineFlow, TestClock } from '../src/index.ts'

const SWEEP_MS = 5_000
const REDISPATCH_MS = 30_000

/** Takes what it is given, or fails, or never answers. */
class Shelf implements IJournalSink {
  readonly taken: (readonly JournalEntry[])[] = []
  mood: 'well' | 'fails' | 'hangs' = 'well'
  asked = 0
  isClosed = false

  async publish(_runId: RunId, entries: readonly JournalEntry[]): Promise<void> {
    this.asked += 1
    if (this.mood === 'hangs') return new Promise(() => {})
    if (this.mood === 'fails') throw new Error('no room')
    this.taken.push(structuredClone(entries))
  }

  close(): void {
    this.isClosed = true
  }

  /** Each entry when it came for the first time, in the order in which they came. */
  firsts(runId: string): readonly JournalEntry[] {
    const seen = new Set<string>()
    const all = this.taken.flat().filter((entry) => entry.runId === runId)
    return all.filter(({ id }) => !seen.has(id) && seen.add(id))
  }
}

interface World {
  readonly clock: TestClock
  readonly store: InMemoryRunStore
  readonly shelf: Shelf
  readonly lines: { readonly level: LogLevel; readonly message: string }[]
  worker(options?: WorkerSettings & { readonly store?: IRunStore }): InMemoryAdapter
  client(): BatonClient
  journalOf(runId: string): Promise<readonly RunEvent[]>
}

function worldOf(...flows: RunnableFlow[]): World {
  const clock = new TestClock()
  const lines: World['lines'] = []
  const logger: ILogger = { log: (level, message) => void lines.push({ level, message }) }
  const store = new InMemoryRunStore({ clock })
  const queue = new InMemoryJobQueue({ clock })
  const coordinationStore = new InMemoryCoordinationStore({ clock })
  const shelf = new Shelf()
  const common = { clock, logger }
  return {
    clock,
    store,
    shelf,
    lines,
    worker: (options = {}) =>
      new InMemoryAdapter({ ...common, store, queue, coordinationStore, runtimeOptions: { flows }, ...options }),
    client: () => new BatonClient({ ...common, store, queue, flows, publishJournals: true }),
    async journalOf(runId) {
      const events: RunEvent[] = []
      for await (const event of store.journal(runId as RunId)) events.push(event)
      return events
    },
  }
}

/** What the store is asked for from now on, by name. */
function counted(store: IRunStore): { readonly store: IRunStore; readonly asked: string[] } {
  const asked: string[] = []
  const proxy = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        asked.push(String(name))
        return Reflect.apply(member, target, args) as unknown
      }
    },
  })
  return { store: proxy, asked }
}

async function isWhole({ shelf, journalOf, store }: World, runId: string): Promise<void> {
  const journal = await journalOf(runId)
  const expected = journal.map((event) => ({ id: `${runId}/${event.seq}`, runId, seq: event.seq, event }))
  expect(shelf.firsts(runId)).toEqual(expected)
  expect(store.due({ limit: 100, runId: runId as RunId })).toEqual([])
}

describe('a run whose journal is published', () => {
  it('costs one publish and two store calls for a chain of ten nodes, and nothing without the mark', async () => {
    const flow = lineFlow(10)
    const calls = async (publishJournals: boolean) => {
      const world = worldOf(flow)
      const { store, asked } = counted(world.store)
      const worker = world.worker({ store, journalSink: world.shelf, sweepMs: 1e9 })
      const queue = worker.queue
      const client = new BatonClient({ store: world.store, queue, flows: [flow], clock: world.clock, publishJournals })
      await using _ = worker
      worker.start()
      const handle = await client.start(flow, 0, { runId: 'r' })
      await world.clock.until(handle.outcome())
      await world.clock.advance(2_000)
      return { world, asked: asked.filter((name) => name !== 'due' && name !== 'onEnlisted') }
    }

    const plain = await calls(false)
    const published = await calls(true)

    expect(plain.world.shelf.asked).toBe(0)
    expect(published.asked).toEqual([...plain.asked, 'journal', 'delivered'])
    expect(published.world.shelf.taken).toHaveLength(1)
    await isWhole(published.world, 'r')
  })

  it('publishes a chain that takes long once a second, and not only at its end', async () => {
    const slow = createFlow('slow').node('work', async ({ step }: NodeArguments) => {
      for (let count = 0; count < 4; count++)
        await step('wait', () => new Promise<void>((done) => clock.after(700, done)))
    })
    const world = worldOf(slow)
    const { clock, shelf } = world
    await using worker = world.worker({ journalSink: shelf })
    worker.start()
    await world.client().start(slow, undefined, { runId: 'r' })
    await clock.advance(2_500)
    expect(shelf.taken.length).toBeGreaterThan(0)
    expect(shelf.taken.length).toBeLessThanOrEqual(3)
    await clock.advance(5_000)
    await isWhole(world, 'r')
  })

  it('publishes children, what goes on as new, and what is started by nobody’s child as well', async () => {
    const leaf = createFlow('leaf').node('n', () => ({ output: 1 }))
    const again = createFlow<number>('again').node(
      'n',
      async ({ input, continueAsNew, runChild, startRun }: NodeArguments<number>) => {
        await runChild('leaf', undefined, { runId: `child-${input}` })
        await startRun('leaf', undefined, { runId: `own-${input}` })
        if (input > 0) await continueAsNew(input - 1)
      },
    )
    const world = worldOf(leaf, again)
    await using worker = world.worker({ journalSink: world.shelf })
    worker.start()
    await world.clock.until((await world.client().start(again, 1, { runId: 'r' })).outcome())
    await world.clock.advance(3_000)
    for (const runId of ['r', 'r@2', 'child-1', 'child-0', 'own-1', 'own-0']) await isWhole(world, runId)
  })

  it('publishes runs of jobs from outside where the worker has a sink', async () => {
    const flow = lineFlow(2)
    const world = worldOf(flow)
    await using worker = world.worker({ journalSink: world.shelf })
    worker.start()
    await worker.queue.enqueue([])
    ;(worker.queue as InMemoryJobQueue).push({ runId: 'outside', blueprintId: 'line', nodeId: 'n0' })
    await world.clock.advance(3_000)
    expect(world.store.summary('outside' as RunId)?.status).toBe('completed')
    await isWhole(world, 'outside')
  })

  it('comes from a runtime, too, that has a store and a sink', async () => {
    const flow = lineFlow(3)
    const { shelf, store, clock } = worldOf(flow)
    await using runtime = new FlowRuntime({ flows: [flow], store, clock, worker: { journalSink: shelf } })
    await clock.until(runtime.run(flow, 0, { runId: 'r' }))
    await clock.advance(2_000)
    expect(shelf.firsts('r')).toHaveLength(store.summary('r' as RunId)?.seq ?? 0)
  })
})

describe('a sink that', () => {
  it('fails holds up no run, is asked rarely, is complained of once, and gets all of it when it is back', async () => {
    const flow = lineFlow(3)
    const world = worldOf(flow)
    const { clock, shelf, lines } = world
    shelf.mood = 'fails'
    await using worker = world.worker({ journalSink: shelf })
    worker.start()
    const ids = Array.from({ length: 20 }, (_, index) => `r${index}`)
    for (const runId of ids) await clock.until((await world.client().start(flow, 0, { runId })).outcome(), 10)
    await clock.advance(60_000)

    expect(shelf.asked).toBeLessThan(20)
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(shelf.taken).toEqual([])
    shelf.mood = 'well'
    await clock.advance(700_000)
    for (const runId of ids) await isWhole(world, runId)
  })

  it('never answers holds up no run, and no stop', async () => {
    const flow = lineFlow(3)
    const world = worldOf(flow)
    const { clock, shelf } = world
    shelf.mood = 'hangs'
    const worker = world.worker({ journalSink: shelf })
    worker.start()
    for (let run = 0; run < 20; run++) await clock.until((await world.client().start(flow, 0)).outcome(), 10)
    await clock.until(worker.close(), 3_000)

    expect(shelf.isClosed).toBe(true)
  })

  it('takes what is left when its worker is asked to stop', async () => {
    const flow = lineFlow(3)
    const world = worldOf(flow)
    const worker = world.worker({ journalSink: world.shelf })
    worker.start()
    await world.clock.until((await world.client().start(flow, 0, { runId: 'r' })).outcome())
    await world.clock.until(worker.close())

    await isWhole(world, 'r')
  })
})

describe('what a worker has not published', () => {
  it('because it has no sink, is published by one that has, though another one sweeps', async () => {
    const flow = lineFlow(3)
    const world = worldOf(flow)
    const { clock } = world
    await using sinkless = world.worker({ workerId: 'sinkless' })
    sinkless.start()
    await clock.until((await world.client().start(flow, 0, { runId: 'r' })).outcome())
    await using able = world.worker({ workerId: 'able', journalSink: world.shelf })
    able.start()
    await clock.advance(REDISPATCH_MS - 1)
    expect(world.shelf.taken).toEqual([])

    await clock.advance(2 * SWEEP_MS)
    await isWhole(world, 'r')
  })

  it('because its own sink fails, is published by another whose sink does not', async () => {
    const flow = lineFlow(3)
    const world = worldOf(flow)
    const { clock, shelf } = world
    const broken = new Shelf()
    broken.mood = 'fails'
    await using unlucky = world.worker({ workerId: 'unlucky', journalSink: broken })
    unlucky.start()
    await clock.until((await world.client().start(flow, 0, { runId: 'r' })).outcome())
    await clock.advance(3 * SWEEP_MS)
    await using able = world.worker({ workerId: 'able', journalSink: shelf })
    able.start()
    await clock.advance(4 * REDISPATCH_MS)

    expect(broken.asked).toBeGreaterThan(0)
    await isWhole(world, 'r')
  })

  it('is kept while nobody has a sink, and looked at ever more rarely', async () => {
    const flow = lineFlow(3)
    const world = worldOf(flow)
    const { clock, store } = world
    const counting = counted(store)
    await using sinkless = world.worker({ store: counting.store, retentionMs: 0 })
    sinkless.start()
    await clock.until((await world.client().start(flow, 0, { runId: 'r' })).outcome())
    await clock.advance(3_600_000)
    expect(counting.asked.filter((name) => name === 'redispatch').length).toBeLessThan(12)
    expect(store.summary('r' as RunId)?.status).toBe('completed')

    await using able = world.worker({ journalSink: world.shelf })
    able.start()
    await able.reconcile('r')
    await clock.advance(1_000)
    await isWhole(world, 'r')
  })

  it('because it died between publishing and noting that, comes again, and in order where it is new', async () => {
    const flow = lineFlow(3)
    const world = worldOf(flow)
    const { clock, shelf, store } = world
    const forgetful: IRunStore = new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (name === 'delivered') return () => new Promise(() => {})
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    let isDead = false
    const mortal: IClock = {
      now: () => clock.now(),
      after: (delayMs, callback) => clock.after(delayMs, () => isDead || callback()),
    }
    world.worker({ workerId: 'dying', store: forgetful, journalSink: shelf, clock: mortal }).start()
    await clock.until((await world.client().start(flow, 0, { runId: 'r' })).outcome())
    isDead = true
    const before = shelf.taken.flat().length
    expect(before).toBeGreaterThan(0)
    await using other = world.worker({ workerId: 'other', journalSink: shelf })
    other.start()
    await clock.advance(REDISPATCH_MS + 3 * SWEEP_MS)

    expect(shelf.taken.flat().length).toBeGreaterThanOrEqual(2 * before)
    await isWhole(world, 'r')
  })
})

it('refuses a sink that is none, and a mark that is no mark', () => {
  const flow = lineFlow(1)
  const world = worldOf(flow)
  expect(() => world.worker({ journalSink: {} as IJournalSink })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', field: 'journalSink' }),
  )
  const options = { store: world.store, flows: [flow], publishJournals: 'yes' }
  expect(() => new BatonClient(options as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', field: 'publishJournals' }),
  )
})
