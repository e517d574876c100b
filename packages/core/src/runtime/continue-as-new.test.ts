import { describe, expect, it } from 'vitest'
import {
  BatonClient,
  createFlow,
  FlowRuntime,
  InMemoryRunStore,
  type NodeArguments,
  type RunEvent,
  type RunId,
  type RunStatus,
} from '../index.ts'
import type { NewRun } from '../model/run.ts'

const counting = createFlow<number>('counting', { version: '1' }).node(
  'count',
  ({ input, continueAsNew }: NodeArguments<number>) =>
    input < 5 ? continueAsNew(input + 1) : { output: `reached ${input}` },
)

/** Collects one word per link, and goes on until it is told `end`. */
const collecting = createFlow<string[]>('collecting').node(
  'collect',
  async ({ input = [], waitForSignal, continueAsNew }: NodeArguments<string[]>) => {
    const word = await waitForSignal<string>('word')
    return word === 'end' ? { output: input } : continueAsNew([...input, word])
  },
)

async function journalOf(store: InMemoryRunStore, runId: string): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of store.journal(runId as RunId)) events.push(event)
  return events
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

async function reaches(store: InMemoryRunStore, runId: string, status: RunStatus): Promise<void> {
  while (store.summary(runId as RunId)?.status !== status) await settle()
}

/** A store that loses messages between runs until it is told to bring them: whoever delivers finds it broken. */
class SlowPost extends InMemoryRunStore {
  isBroken = true

  override create(run: NewRun) {
    if (this.isBroken && run.lineage?.succession !== undefined) throw new Error('the store is away')
    return super.create(run)
  }
}

/** Its first node fails, which stops nothing; then its second one wants the run to go on as new. */
const failing = createFlow('failing', { failFast: false })
  .node('a', () => {
    throw new Error('broken')
  })
  .node('b', async ({ sleep, continueAsNew }: NodeArguments) => {
    await sleep(1)
    return continueAsNew()
  })
  .node('c', async ({ sleep }: NodeArguments) => {
    await sleep(2)
    return { output: 'c' }
  })
  .node('d', () => ({ output: 'd' }))
  .edge('b', 'd')
  .edge('c', 'd')

describe('a run that goes on as new', () => {
  it('ends as failed where it has failed before, after what does not follow its node', async () => {
    for (const store of [undefined, new InMemoryRunStore()]) {
      await using runtime = new FlowRuntime({ flows: [failing], ...(store === undefined ? {} : { store }) })
      const { status, runId } = await runtime.run(failing, undefined, { runId: 'f' })
      expect([status, runId]).toEqual(['failed', 'f'])
      const record = store?.load(runId as RunId)
      const fates = record?.instances.map(({ instanceId, status }) => `${instanceId} ${status}`)
      if (record !== undefined) expect(fates).toEqual(['a failed', 'b succeeded', 'c succeeded', 'd succeeded'])
    }
  })

  it('gives the result of the last, with a store and without', async () => {
    for (const store of [undefined, new InMemoryRunStore()]) {
      await using runtime = new FlowRuntime({ flows: [counting], ...(store === undefined ? {} : { store }) })
      expect(await runtime.run(counting, 1, { runId: 'c' })).toMatchObject({
        status: 'completed',
        runId: 'c@5',
        output: 'reached 5',
      })
    }
  })

  it('keeps a short journal of each, and says which one goes on', async () => {
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [counting], store })
    const handle = await runtime.start(counting, 1, { runId: 'c', tags: ['daily'], priority: 3 })
    await handle.result()

    expect(store.summary('c' as RunId)).toMatchObject({ status: 'completed', continuedBy: 'c@2', newestRunId: 'c@5' })
    expect(store.summary('c' as RunId)).not.toHaveProperty('output')
    expect(store.summary('c@3' as RunId)).toMatchObject({
      continuedBy: 'c@4',
      version: '1',
      tags: ['daily'],
      priority: 3,
      lineage: { rootRunId: 'c', succession: { firstRunId: 'c', previousRunId: 'c@2', link: 3 } },
    })
    expect(await handle.outcome({ follow: false })).toEqual({
      status: 'completed',
      runId: 'c',
      output: undefined,
      continuedBy: 'c@2',
    })
    expect((await handle.latest()).runId).toBe('c@5')
    const [own, all]: [RunEvent[], RunEvent[]] = [[], []]
    for await (const event of handle.stream({ follow: false })) own.push(event)
    for await (const event of handle.stream()) all.push(event)
    expect(own.map(({ type }) => type)).toEqual(['run-started', 'node-claimed', 'node-succeeded', 'run-completed'])
    expect(all.flatMap((event) => (event.type === 'run-started' ? [event.head.runId] : []))).toEqual([
      'c',
      'c@2',
      'c@3',
      'c@4',
      'c@5',
    ])
  })

  it('takes along the signals that nobody has used, in their order', async () => {
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [collecting], store })
    const handle = await runtime.start(collecting, undefined, { runId: 'c' })
    for (const word of ['a', 'b', 'c', 'd', 'end']) await handle.signal('word', word)

    expect(await handle.result()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('passes on to the newest what comes for the first, each signal once', async () => {
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [collecting], store })
    const handle = await runtime.start<string[]>(collecting, undefined, { runId: 'c' })
    await reaches(store, 'c', 'paused')
    for (const [index, word] of ['a', 'b', 'c'].entries()) {
      await handle.signal('word', word, { signalId: word })
      await reaches(store, `c@${index + 2}`, 'paused')
    }
    // Asked again, for want of an answer: of the first, of one in between, of the last.
    for (const word of ['a', 'b', 'c']) await handle.signal('word', word, { signalId: word })
    expect(await handle.status()).toBe('paused')

    await handle.signal('word', 'end')
    expect(await handle.result()).toEqual(['a', 'b', 'c'])
  })

  it('makes the next run itself when news come before anybody has made it', async () => {
    const store = new SlowPost()
    const runtime = new FlowRuntime({ flows: [collecting], store })
    await (await runtime.start(collecting, undefined, { runId: 'c' })).signal('word', 'a')
    await reaches(store, 'c', 'completed')
    await runtime.stop()
    expect(store.summary('c@2' as RunId)).toBeUndefined()

    store.isBroken = false
    const client = new BatonClient({ flows: [collecting], store })
    await client.signal('c', 'word', 'b')
    expect(await client.cancel('c', 'enough')).toBe(true)

    expect(await client.get('c').outcome()).toEqual({ status: 'cancelled', runId: 'c@2', reason: 'enough' })
    const [started, signal] = await journalOf(store, 'c@2')
    expect(started).toMatchObject({ type: 'run-started', input: ['a'] })
    expect(signal).toMatchObject({ type: 'signal-received', payload: 'b' })
  })

  it('is cancelled by whoever cancels the first, in time or never', async () => {
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [collecting], store })
    const handle = await runtime.start(collecting, undefined, { runId: 'c' })
    await handle.signal('word', 'a')
    await reaches(store, 'c@2', 'paused')

    expect(await handle.cancel('enough')).toBe(true)
    expect(await handle.outcome()).toMatchObject({ status: 'cancelled', runId: 'c@2' })
    expect(await handle.cancel()).toBe(false)
  })

  it('tells its parent once, with the result of the last; and who cancels the parent cancels the last', async () => {
    for (const store of [undefined, new InMemoryRunStore()]) {
      const parent = createFlow('parent').node('ask', async ({ runChild }: NodeArguments) => ({
        output: await runChild(counting, 2, { runId: 'child' }),
      }))
      await using runtime = new FlowRuntime({ flows: [counting], ...(store === undefined ? {} : { store }) })
      expect(await runtime.run(parent)).toMatchObject({ status: 'completed', output: 'reached 5' })
    }
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [collecting], store })
    const waiting = createFlow('waiting').node('ask', async ({ runChild }: NodeArguments) => {
      await runChild(collecting, undefined, { runId: 'child' })
    })
    const handle = await runtime.start(waiting, undefined, { runId: 'parent' })
    await reaches(store, 'child', 'paused')
    await runtime.get('child').signal('word', 'a')
    await reaches(store, 'child@2', 'paused')
    await handle.cancel('enough')
    await reaches(store, 'child@2', 'cancelled')
    const types = (await journalOf(store, 'parent')).map(({ type }) => type)
    expect(types.filter((type) => type === 'child-ended')).toHaveLength(0)
  })

  it('takes along the children that still run: their end finds it, and its cancel finds them', async () => {
    const store = new InMemoryRunStore()
    const listening = createFlow('listening').node('listen', async ({ waitForSignal }: NodeArguments) => {
      await waitForSignal('word')
    })
    const leading = createFlow<number>('leading').node(
      'lead',
      async ({ input, startChild, continueAsNew, waitForSignal }: NodeArguments<number>) => {
        if (input > 1) return { output: await waitForSignal('never') }
        await startChild(listening, undefined, { runId: 'one' })
        await startChild(listening, undefined, { runId: 'two' })
        await startChild(listening, undefined, { runId: 'apart', detached: true })
        return continueAsNew(input + 1)
      },
    )
    await using runtime = new FlowRuntime({ flows: [listening, leading], store })
    const handle = await runtime.start(leading, 1, { runId: 'l' })
    await reaches(store, 'l@2', 'paused')
    await runtime.get('one').signal('word')
    await reaches(store, 'one', 'completed')
    await settle()
    const { children } = await (await handle.latest()).record()
    expect(children.map(({ runId, status }) => [runId, status])).toEqual([
      ['one', 'completed'],
      ['two', 'running'],
    ])

    await handle.cancel('enough')
    await reaches(store, 'two', 'cancelled')
    expect(store.summary('apart' as RunId)?.status).toBe('paused')
  })

  it('hears how a child ended that an earlier one of its row has had', async () => {
    const child = createFlow('shared').node('say', () => ({ output: 'once' }))
    const parent = createFlow<number>('asking').node(
      'ask',
      async ({ input, runChild, continueAsNew }: NodeArguments<number>) => {
        const output = await runChild(child, undefined, { runId: 'shared-child' })
        return input < 3 ? continueAsNew(input + 1) : { output }
      },
    )
    for (const ports of [{}, { store: new InMemoryRunStore() }]) {
      await using runtime = new FlowRuntime({ flows: [child, parent], ...ports })
      expect(await runtime.run(parent, 1, { runId: 'p' })).toMatchObject({ runId: 'p@3', output: 'once' })
    }
  })

  it('hears once how a child ends that goes on by itself, asked for by two of its row', async () => {
    const child = createFlow('apart').node('say', async ({ sleep }: NodeArguments) => {
      await sleep(20)
      return { output: 'late' }
    })
    const parent = createFlow<number>('asking').node(
      'ask',
      async ({ input, runChild, startChild, continueAsNew }: NodeArguments<number>) => {
        if (input > 1) return { output: await runChild(child, undefined, { runId: 'apart' }) }
        await startChild(child, undefined, { runId: 'apart', detached: true })
        return continueAsNew(2)
      },
    )
    for (const ports of [{}, { store: new InMemoryRunStore() }]) {
      await using runtime = new FlowRuntime({ flows: [child, parent], ...ports })
      expect(await runtime.run(parent, 1, { runId: 'p' })).toMatchObject({ runId: 'p@2', output: 'late' })
    }
  })

  it('takes another id where somebody has one like that for a run of their own, and news finds it there', async () => {
    const store = new InMemoryRunStore()
    const own = createFlow('own').waitForSignal('w', { signal: 'word' })
    await using runtime = new FlowRuntime({ flows: [collecting, own], store })
    await runtime.start(own, undefined, { runId: 'c@2' })
    const handle = await runtime.start(collecting, [], { runId: 'c' })

    await handle.signal('word', 'one')
    await handle.signal('word', 'end')

    expect(await handle.outcome()).toMatchObject({ runId: expect.stringMatching(/^c@2-./), output: ['one'] })
    expect(store.summary('c@2' as RunId)?.status).toBe('paused')
    await runtime.get('c@2').cancel()
  })

  it('takes another id than its own child has, without a store too', async () => {
    const child = createFlow('named').node('say', () => ({ output: 'said' }))
    const parent = createFlow<number>('naming').node(
      'ask',
      async ({ input, runChild, continueAsNew }: NodeArguments<number>) => {
        const output = await runChild(child, undefined, { runId: 'p@2' })
        return input > 1 ? { output } : continueAsNew(2)
      },
    )
    for (const ports of [{}, { store: new InMemoryRunStore() }]) {
      await using runtime = new FlowRuntime({ flows: [child, parent], ...ports })
      const end = await runtime.run(parent, 1, { runId: 'p' })
      expect(end).toMatchObject({ runId: expect.stringMatching(/^p@2-./), output: 'said' })
    }
  })

  it('calls off what else is live in the run, and starts nothing behind', async () => {
    const store = new InMemoryRunStore()
    const branching = createFlow<number>('branching')
      .node('go', async ({ input, continueAsNew }: NodeArguments<number>) =>
        input > 1 ? { output: 'over' } : continueAsNew(input + 1),
      )
      .node('wait', async ({ input, waitForSignal }: NodeArguments<number>) => {
        if (input === 1) await waitForSignal('never')
      })
      .node('behind', ({ input }: NodeArguments<{ go: string }>) => ({ output: input.go }))
      .edge('go', 'behind')
      .edge('wait', 'behind')
    await using runtime = new FlowRuntime({ flows: [branching], store })
    expect(await runtime.run(branching, 1, { runId: 'b' })).toMatchObject({ runId: 'b@2', output: 'over' })
    const { instances } = store.load('b' as RunId) ?? { instances: [] }
    expect(instances.find(({ instanceId }) => instanceId === 'wait')?.status).toBe('cancelled')
    expect(instances.find(({ instanceId }) => instanceId === 'behind')?.status ?? 'absent').not.toBe('succeeded')
  })

  it('begins with an empty context and its own version, unless told otherwise', async () => {
    const make = (version: string) =>
      createFlow<number>('versioned', { version }).node(
        'node',
        async ({ input, context, continueAsNew }: NodeArguments<number>) => {
          const seen = (await context.get<string>('seen')) ?? 'nothing'
          await context.set('seen', 'from before')
          if (input === 1) return continueAsNew(2)
          if (input === 2) return continueAsNew(3, { context: { seen: `given, after ${seen}` }, upgrade: true })
          return { output: [version, seen] }
        },
      )
    const [one, two] = [make('1'), make('2')]
    for (const store of [undefined, new InMemoryRunStore()]) {
      await using runtime = new FlowRuntime({ flows: [one, two], ...(store === undefined ? {} : { store }) })
      expect(await runtime.run('versioned', 1, { runId: 'v', version: '1' })).toMatchObject({
        output: ['2', 'given, after nothing'],
      })
      expect(store?.summary('v@2' as RunId)?.version ?? '1').toBe('1')
    }
  })

  it('refuses options that it does not know', async () => {
    for (const options of [{ deadline: 5 }, { upgrade: 1 }, { upgrade: true, version: '1' }, { priority: 0.5 }]) {
      await using runtime = new FlowRuntime()
      const flow = createFlow('refused').node('node', ({ continueAsNew }: NodeArguments) =>
        continueAsNew(1, options as never),
      )
      expect(await runtime.run(flow)).toMatchObject({ status: 'failed', error: { code: 'INVALID_OPTION' } })
    }
  })

  it('stays known by its first id as long as the last one lives, whatever else is removed', async () => {
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [collecting], store })
    const handle = await runtime.start<string[]>(collecting, undefined, { runId: 'c' })
    for (const word of ['a', 'b', 'c']) await handle.signal('word', word)
    await reaches(store, 'c@4', 'paused')
    const endedBeforeMs = Date.now() + 60_000

    // c@2 and c@3; the first one is the way to the last.
    expect(store.purge({ endedBeforeMs })).toBe(2)
    await handle.signal('word', 'end')
    expect(await handle.result()).toEqual(['a', 'b', 'c'])
    await reaches(store, 'c@4', 'completed')
    expect(store.purge({ endedBeforeMs })).toBe(2)
  })
})
