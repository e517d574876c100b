import { describe, expect, it } from 'vitest'
import {
  createFlow,
  FlowRuntime,
  type ILogger,
  InMemoryRunStore,
  type LogLevel,
  type NodeArguments,
  type RunId,
} from '../index.ts'

const LIMIT = 40

/** Goes round a loop of one node. */
const looping = createFlow<number>('looping')
  .node('turn', ({ input }: NodeArguments<number>) => ({ output: input - 1, action: input > 1 ? 'again' : 'over' }))
  .node('end', () => ({ output: 'over' }))
  .edge('turn', 'turn', { action: 'again', loop: { maxVisits: 10_000 } })
  .edge('turn', 'end', { action: 'over' })

/** A single function of many steps. */
function stepping(called: number[]) {
  return createFlow<number>('stepping').node('steps', async ({ input, step }: NodeArguments<number>) => {
    for (let count = 0; count < input; count++) await step('count', () => void called.push(count))
    return { output: 'over' }
  })
}

interface Line {
  readonly level: LogLevel
  readonly message: string
}

function setup(journalMaxEvents = LIMIT) {
  const lines: Line[] = []
  const logger: ILogger = { log: (level, message) => void lines.push({ level, message }) }
  const store = new InMemoryRunStore()
  const runtime = (max = journalMaxEvents) =>
    new FlowRuntime({ flows: [looping], store, logger, worker: { journalMaxEvents: max } })
  return { store, lines, runtime }
}

async function untilPaused(store: InMemoryRunStore, runId: string): Promise<void> {
  while (store.summary(runId as RunId)?.operatorPause === undefined) await new Promise((done) => setImmediate(done))
}

/** Until nothing of the run is claimed any more. */
async function untilQuiet(store: InMemoryRunStore, runId: string): Promise<void> {
  await untilPaused(store, runId)
  const isClaimed = () => store.load(runId as RunId)?.instances.some(({ status }) => status === 'claimed')
  while (isClaimed()) await new Promise((done) => setImmediate(done))
}

describe('a journal that is full', () => {
  it('pauses its run, visibly and soon, after one warning', async () => {
    const { store, lines, runtime } = setup()
    await using engine = runtime()
    await engine.start(looping, 1_000, { runId: 'r' })
    await untilQuiet(store, 'r')

    const { operatorPause, status, seq } = await engine.get('r').summary()
    expect(status).toBe('paused')
    expect(operatorPause).toMatchObject({ code: 'JOURNAL_FULL', reason: expect.stringContaining('limit is 40') })
    expect(seq).toBeLessThan(LIMIT + 5)
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'error'])
    expect(lines[0]?.message).toMatch(/a journal of 3[6-9] events will soon be full at 40/)
  })

  it('lets its run be cancelled', async () => {
    const { store, runtime } = setup()
    await using engine = runtime()
    const handle = await engine.start(looping, 1_000, { runId: 'r' })
    await untilQuiet(store, 'r')

    expect(await handle.cancel('enough')).toBe(true)
    expect(await handle.outcome()).toMatchObject({ status: 'cancelled', reason: 'enough' })
  })

  it('lets its run go on where the limit is higher, and loses nothing', async () => {
    const { store, runtime } = setup()
    const first = runtime()
    await first.start(looping, 30, { runId: 'r' })
    await untilQuiet(store, 'r')
    // The limit is what it was: one round, and it is paused again.
    await first.get('r').unpause()
    await untilQuiet(store, 'r')
    const { seq } = await first.get('r').summary()
    expect(seq).toBeLessThan(LIMIT + 10)
    await first.stop()

    await using second = runtime(1_000)
    await second.get('r').unpause()
    expect(await second.get('r').result()).toBe('over')
    const { instances } = await second.get('r').record()
    expect(instances.filter(({ nodeId }) => nodeId === 'turn')).toHaveLength(30)
  })

  it('takes no more steps of a function that goes on and on, and does none of them twice', async () => {
    const { store, runtime } = setup()
    const called: number[] = []
    const flow = stepping(called)
    const first = runtime()
    await first.start(flow, 100, { runId: 'r' })
    await untilQuiet(store, 'r')
    expect((await first.get('r').summary()).seq).toBeLessThan(LIMIT + 5)
    await first.stop()

    await using second = runtime(1_000)
    await second.start(flow, 100, { runId: 'r' })
    await second.get('r').unpause()
    expect(await second.get('r').result()).toBe('over')
    expect(called).toEqual(Array.from({ length: 100 }, (_, count) => count))
  })

  it('is never met by a run that goes on as new in time, however much it does', async () => {
    const { store, lines, runtime } = setup()
    const flow = createFlow<number>('endless').node(
      'work',
      async ({ input, step, continueAsNew }: NodeArguments<number>) => {
        for (let count = 0; count < 10; count++) await step('count', () => input)
        return input < 30 ? continueAsNew(input + 1) : { output: `${input} times ten` }
      },
    )
    await using engine = runtime()
    expect(await engine.run(flow, 1, { runId: 'r' })).toMatchObject({ output: '30 times ten', runId: 'r@30' })
    expect(store.summary('r@17' as RunId)?.seq).toBeLessThan(20)
    expect(lines).toEqual([])
  })

  it('does not follow the run that goes on as new', async () => {
    const { store, runtime } = setup(10)
    const flow = createFlow<number>('late').node(
      'work',
      async ({ input, step, continueAsNew }: NodeArguments<number>) => {
        if (input > 1) return { output: 'over' }
        await Promise.all(Array.from({ length: 12 }, () => step('count', () => 0)))
        return continueAsNew(input + 1)
      },
    )
    await using engine = runtime()
    // Twelve steps began together before the journal was full, so that the function got to its end.
    expect(await engine.run(flow, 1, { runId: 'r' })).toMatchObject({ output: 'over', runId: 'r@2' })
    const types: string[] = []
    for await (const { type } of store.journal('r' as RunId)) types.push(type)
    expect(types).toContain('run-pause-ordered')
  })
})
