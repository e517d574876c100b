import { describe, expect, it } from 'vitest'
import {
  BatonClient,
  BatonError,
  createFlow,
  FlowRuntime,
  InMemoryRunStore,
  type NodeArguments,
  type RunId,
  type RunRecord,
} from '../index.ts'
import type { NewRun } from '../model/run.ts'
import type { StandardResult, StandardSchemaV1 } from '../model/standard-schema.ts'
import type { Notice } from '../ports/notice.ts'

const listening = createFlow('listening').node('listen', async ({ waitForSignal }: NodeArguments) => ({
  output: await waitForSignal('word'),
}))
const echo = createFlow('echo').node('echo', ({ input }: NodeArguments) => ({ output: input ?? null }))

/** Resolves when the run is in that status. */
async function reaches(store: InMemoryRunStore, runId: string, status: RunRecord['status']): Promise<RunRecord> {
  for (;;) {
    const run = store.load(runId as RunId)
    if (run?.status === status) return run
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A parent whose child waits, on a store. */
async function waitingFamily(options: { readonly detached?: boolean } = {}) {
  const store = new InMemoryRunStore()
  const runtime = new FlowRuntime({ store })
  const parent = createFlow('parent')
    .node('begin', async ({ startChild }: NodeArguments) => {
      await startChild(listening, undefined, { runId: 'child', ...options })
    })
    .node('wait', async ({ waitForSignal }: NodeArguments) => ({ output: await waitForSignal('go') }))
    .node('fail', () => {
      throw new Error('broken')
    })
    .edge('begin', 'wait')
    .edge('wait', 'fail', { condition: ({ output }) => output === 'fail' })
  const handle = await runtime.start(parent, undefined, { runId: 'parent' })
  await reaches(store, 'parent', 'paused')
  await reaches(store, 'child', 'paused')
  return { store, runtime, handle }
}

describe('a run and its children', () => {
  it('knows them, and they know it', async () => {
    const { store, runtime, handle } = await waitingFamily()
    expect((await handle.record()).children).toEqual([
      { runId: 'child', flowId: 'listening', instanceId: 'begin', status: 'running', detached: false },
    ])
    expect((await reaches(store, 'child', 'paused')).lineage).toEqual({ rootRunId: 'parent', parentRunId: 'parent' })

    await runtime.get('child').signal('word', 1)
    await reaches(store, 'child', 'completed')
    expect((await handle.record()).children).toMatchObject([{ status: 'completed' }])
    await runtime.stop()
  })

  it('leaves a child alone when it completes', async () => {
    const { store, runtime, handle } = await waitingFamily()
    await handle.signal('go', 'on')
    expect(await handle.outcome()).toMatchObject({ status: 'completed' })
    expect((await reaches(store, 'child', 'paused')).status).toBe('paused')
    await runtime.stop()
  })

  it('calls its children off when it fails', async () => {
    const { store, runtime, handle } = await waitingFamily()
    await handle.signal('go', 'fail')
    expect(await handle.outcome()).toMatchObject({ status: 'failed' })
    expect((await reaches(store, 'child', 'cancelled')).reason).toBe('its parent has failed')
    await runtime.stop()
  })

  it('calls its children off when it is cancelled, by a client that has no worker too', async () => {
    const { store, runtime } = await waitingFamily()
    await new BatonClient({ store }).cancel('parent', 'enough')
    expect((await reaches(store, 'child', 'cancelled')).reason).toBe('its parent was cancelled: enough')
    await runtime.stop()
  })

  it('lets a detached child go on, whatever becomes of it', async () => {
    const { store, runtime, handle } = await waitingFamily({ detached: true })
    await handle.cancel()
    await handle.outcome()
    await runtime.get('child').signal('word')
    await reaches(store, 'child', 'completed')
    await runtime.stop()
  })

  it('calls off the child of a node that lost a join', async () => {
    const store = new InMemoryRunStore()
    const runtime = new FlowRuntime({ store })
    const race = createFlow('race')
      .node('slow', async ({ runChild }: NodeArguments) => ({
        output: await runChild(listening, undefined, { runId: 'loser' }),
      }))
      .node('quick', async ({ waitForSignal }: NodeArguments) => ({ output: await waitForSignal('go') }))
      .node('first', ({ input }: NodeArguments) => ({ output: input }), { joinStrategy: 'any', cancelLosers: true })
      .edge('slow', 'first')
      .edge('quick', 'first')
    const handle = await runtime.start(race)
    await reaches(store, 'loser', 'paused')
    await handle.signal('go', 'won')

    expect(await handle.result()).toBe('won')
    expect((await reaches(store, 'loser', 'cancelled')).reason).toBe('the node that started it was called off')
    await runtime.stop()
  })

  it('takes an id that another run has for a child that failed', async () => {
    const store = new InMemoryRunStore()
    const runtime = new FlowRuntime({ store })
    await (await runtime.start(echo, 1, { runId: 'taken' })).result()
    const parent = createFlow('parent').node('ask', async ({ runChild }: NodeArguments) => ({
      output: await runChild(echo, 1, { runId: 'taken' }),
    }))

    for (const host of [runtime, new FlowRuntime()]) {
      const first = createFlow('first').node('ask', async ({ runChild, startChild }: NodeArguments) => {
        if (host !== runtime) await startChild(echo, 1, { runId: 'taken' })
        return { output: await runChild(parent) }
      })
      expect(await host.run(first)).toMatchObject({
        status: 'failed',
        error: { code: 'RUN_FAILED', message: expect.stringContaining('A run with this id') },
      })
    }
    await runtime.stop()
  })

  it.each(['with a store', 'without a store'])(
    'are one where they are the same, and never each other, %s',
    async (where) => {
      const host = new FlowRuntime(where === 'with a store' ? { store: new InMemoryRunStore() } : {})
      const id = { runId: 'child' }
      let parents = 0
      const asking = (code: (node: NodeArguments) => Promise<unknown>) =>
        createFlow(`parent-${++parents}`).node('ask', async (node: NodeArguments) => ({ output: await code(node) }), {
          retry: { attempts: 3 },
        })
      const isRefused = { status: 'failed', error: { code: 'RUN_EXISTS' } }

      const same = asking(async ({ runChild }) => [await runChild(echo, 1, id), await runChild(echo, 1, id)])
      expect(await host.run(same)).toMatchObject({ output: [1, 1] })
      for (const other of [createFlow('other').node('b', () => {}), echo]) {
        const waits = asking(async ({ startChild, runChild }) => [
          await startChild(echo, 2, { runId: `second-${other.id}` }),
          await runChild(other, 3, { runId: `second-${other.id}` }),
        ])
        expect(await host.run(waits)).toMatchObject(isRefused)
      }
      const catches = asking(async ({ startChild }) => {
        await startChild(echo, 4, { runId: 'third' })
        return startChild(echo, 5, { runId: 'third' }).catch(({ code }) => code)
      })
      expect(await host.run(catches)).toMatchObject({ output: 'RUN_EXISTS' })
      await host.stop()
    },
  )

  it.each(['runChild', 'startChild'] as const)('refuse options that are none: %s', async (call) => {
    const flow = createFlow('parent').node('ask', async (node: NodeArguments) => {
      await node[call](echo, 1, null as never)
    })
    expect(await new FlowRuntime().run(flow)).toMatchObject({ status: 'failed', error: { code: 'INVALID_OPTION' } })
  })

  it.each([
    ['a flow that nobody has', 'nobody', {}, 'UNKNOWN_FLOW'],
    ['an unknown option', 'echo', { runid: 'x' }, 'INVALID_OPTION'],
    ['an id that is none', 'echo', { runId: '../x' }, 'INVALID_ID'],
    ['an input that cannot be kept', 'echo', {}, 'INVALID_VALUE'],
  ])('refuses %s, and starts nothing', async (_, flow, options, code) => {
    const store = new InMemoryRunStore()
    const runtime = new FlowRuntime({ store, flows: [echo] })
    const parent = createFlow('parent').node('ask', async ({ startChild }: NodeArguments) => {
      await startChild(flow, code === 'INVALID_VALUE' ? () => 1 : 1, options as object)
    })
    expect(await runtime.run(parent)).toMatchObject({ status: 'failed', error: { code } })
    expect(store.list().runs).toHaveLength(1)
    await runtime.stop()
  })

  it.each(['startChild', 'runChild', '.child()'] as const)(
    'have their input checked by the schema of their flow before anything of them is kept: %s',
    async (call) => {
      const texts = schemaOf((value) => (typeof value === 'string' ? { value: Number(value) } : { issues: [NO_TEXT] }))
      const child = createFlow('numbers', { input: texts }).node('echo', ({ input }) => ({ output: input }))
      const parent =
        call === '.child()'
          ? createFlow('parent').child('ask', child)
          : createFlow('parent').node('ask', async ({ input, startChild, runChild }) => ({
              output: await (call === 'runChild' ? runChild(child, input) : (await startChild(child, input)).result()),
            }))

      const store = new InMemoryRunStore()
      for (const runtime of [new FlowRuntime({ store }), new FlowRuntime()]) {
        expect(await runtime.run(parent, 7, { runId: 'wrong' })).toMatchObject({
          status: 'failed',
          error: { code: 'INVALID_VALUE', message: expect.stringContaining('input: not a text') },
        })
        expect(await runtime.run(parent, '7', { runId: 'right' })).toMatchObject({ status: 'completed', output: 7 })
        await runtime.stop()
      }
      expect(
        store
          .list()
          .runs.map(({ runId }) => runId)
          .sort(),
      ).toEqual(['right', 'right:ask:0', 'wrong'])
      expect(store.load('wrong' as RunId)?.children ?? []).toEqual([])
    },
  )

  it('are told in this process, without a store, when the run is cancelled', async () => {
    const stop = new AbortController()
    const told: string[] = []
    const stubborn = createFlow('stubborn').node('work', async ({ signal }: NodeArguments) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      told.push('the child stopped')
    })
    const parent = createFlow('parent').node('ask', async ({ startChild, waitForSignal }: NodeArguments) => {
      await startChild(stubborn)
      setTimeout(() => stop.abort('enough'), 0)
      await waitForSignal('never')
    })

    expect(await new FlowRuntime().run(parent, undefined, { signal: stop.signal })).toMatchObject({
      status: 'cancelled',
      reason: 'enough',
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toEqual(['the child stopped'])
  })

  it('may be a thousand, one inside the other', async () => {
    const deep = createFlow<number>('deep').node('down', async ({ input, runChild }: NodeArguments<number>) => ({
      output: input === 0 ? 0 : 1 + (await runChild<number>('deep', input - 1)),
    }))
    expect(await new FlowRuntime({ flows: [deep] }).run(deep, 1_000)).toMatchObject({ output: 1_000 })
  })

  it.each(['create', 'notify', 'summary', 'delivered'] as const)(
    'hear from each other though the store fails in %s, and once only',
    async (method) => {
      const store = new FailingStore({ redispatchMs: 5, redispatchMaxMs: 5 })
      const runtime = new FlowRuntime({ store, worker: { sweepMs: 5 } })
      const parent = createFlow('parent').node('ask', async ({ runChild }: NodeArguments) => ({
        output: [await runChild(echo, 1), await runChild(echo, 2)],
      }))
      const handle = await runtime.start(parent, undefined, { runId: 'parent' })
      store.fail(method, 3)

      expect(await handle.result()).toEqual([1, 2])
      for (const runId of ['parent', 'parent:ask:0', 'parent:ask:1']) {
        while (store.due({ limit: 1, runId: runId as RunId }).length > 0) await turn()
      }
      const types: string[] = []
      for await (const { type } of handle.stream()) types.push(type)
      expect(types.filter((type) => type.startsWith('child-'))).toEqual([
        'child-started',
        'child-ended',
        'child-started',
        'child-ended',
      ])
      expect(store.list().runs).toHaveLength(3)
      await runtime.stop()
    },
  )
})

const NO_TEXT = { message: 'not a text' }

/** A schema that takes its time, as one that asks elsewhere does. */
function schemaOf(validate: (value: unknown) => StandardResult<number>): StandardSchemaV1<unknown, number> {
  return { '~standard': { version: 1, vendor: 'test', validate: async (value) => validate(value) } }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Answers that never come, for what is about children. The call has taken effect every other time. */
class FailingStore extends InMemoryRunStore {
  #method: string | undefined
  #left = 0

  fail(method: string, times: number): void {
    this.#method = method
    this.#left = times
  }

  override create(run: NewRun) {
    return this.#perhaps('create', () => super.create(run))
  }

  override notify(notice: Notice) {
    return this.#perhaps('notify', () => super.notify(notice))
  }

  override summary(runId: RunId) {
    return runId === 'parent' ? super.summary(runId) : this.#perhaps('summary', () => super.summary(runId))
  }

  override delivered(runId: RunId, keys: readonly string[]) {
    return this.#perhaps('delivered', () => super.delivered(runId, keys))
  }

  #perhaps<Answer>(method: string, ask: () => Answer): Answer {
    if (method !== this.#method || this.#left === 0) return ask()
    this.#left -= 1
    if (this.#left % 2 === 0) ask()
    throw new BatonError('STORE_UNAVAILABLE', { message: `no answer to ${method}` })
  }
}
