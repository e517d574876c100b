import { describe, expect, it } from 'vitest'
import { Registry } from '../engine/registry.ts'
import { Worker } from '../engine/worker.ts'
import {
  analyzeBlueprint,
  BatonClient,
  createFlow,
  FlowRuntime,
  InMemoryAdapter,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  InMemoryRunStore,
  type NodeArguments,
} from '../index.ts'

const flow = createFlow('x').node('a', () => ({ output: 1 }))
const bad = (value: unknown) => value as never
const alsoHas = (members: object) => members as object

describe('options that cannot be used', () => {
  it.each([
    [{ runid: 'r' }, 'options.runid', 'Did you mean `runId`?'],
    [{ tags: 'one' }, 'tags', ''],
    [{ context: [] }, 'context', ''],
    [{ context: new Map([['a', 1]]) }, 'context', ''],
    [{ runId: null }, 'runId', ''],
    [{ version: 9 }, 'version', ''],
    [{ version: '9' }, 'version', 'name the flow by its id'],
    [null, 'options', ''],
    [{ runId: 'r', idempotencyKey: 'k' }, 'idempotencyKey', ''],
    [{ idempotencyKey: 5 }, 'idempotencyKey', ''],
  ])('are refused by start: %j', async (options, field, hint) => {
    const store = new InMemoryRunStore()
    const client = new BatonClient({ store, flows: [flow] })

    await expect(client.start(flow, 1, bad(options))).rejects.toMatchObject({
      field,
      hint: expect.stringContaining(hint),
    })
    expect(store.list().runs).toEqual([])
  })

  it('are refused by everything that is made of them', async () => {
    const store = new InMemoryRunStore()
    expect(() => new FlowRuntime(bad({ stroe: store }))).toThrow(/options.stroe: no such option/)
    expect(() => new BatonClient(bad({ store, flows: flow }))).toThrow(/flows: must be a list/)
    expect(() => createFlow('x', bad({ verison: '1' }))).toThrow(/options.verison/)
    await expect(new FlowRuntime().run(bad(undefined))).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'flow' })
    await expect(new FlowRuntime().run(flow, 1, bad({ runid: 'r' }))).rejects.toMatchObject({ field: 'options.runid' })
    expect(() => new BatonClient({ store, registry: bad({ q: 5 }) })).toThrow(/registry.q: not a function/)
    expect(() => createFlow('x').node('a', () => undefined, bad(null))).toThrow(/its options are not an object/)
    expect(() => flow.node('b', () => undefined).edge('a', 'b', bad(null))).toThrow(/its options are not an object/)
  })

  it.each([
    [null, 'options'],
    [{ version: '9' }, 'version'],
    [{ signal: 5 }, 'signal'],
    [{ onEvent: 'x' }, 'onEvent'],
  ])('are refused by a run, with a store and without: %j', async (options, field) => {
    const store = new InMemoryRunStore()
    for (const runtime of [new FlowRuntime(), new FlowRuntime({ store })]) {
      await expect(runtime.run(flow, 1, bad(options))).rejects.toMatchObject({ code: 'INVALID_OPTION', field })
      await runtime.stop()
    }
    expect(store.list().runs).toEqual([])
  })

  it.each([
    [undefined, 'options'],
    [{}, 'reason'],
    [{ reason: '' }, 'reason'],
    [{ reason: 5 }, 'reason'],
    [{ reason: 'x', by: 5 }, 'by'],
    [{ raeson: 'x' }, 'options.raeson'],
  ])('are refused by a pause: %j', async (options, field) => {
    const store = new InMemoryRunStore()
    const handle = await new BatonClient({ store, flows: [flow] }).start(flow)
    await expect(handle.pause(bad(options))).rejects.toMatchObject({ code: 'INVALID_OPTION', field })
    await expect(handle.unpause(bad({ reason: 'x' }))).rejects.toMatchObject({ field: 'options.reason' })
    expect(await handle.status()).toBe('pending')
  })

  it.each([
    [{ flwoId: 'x' }, 'query.flwoId', 'Did you mean `flowId`?'],
    [{ status: 'failed' }, 'query.status', 'Write `status'],
    [{ status: ['failde'] }, 'query.status[0]', 'Did you mean `failed`?'],
    [{ tag: 5 }, 'query.tag', ''],
    [{ limit: 0 }, 'query.limit', ''],
  ])('are refused by a list: %j', async (query, field, hint) => {
    const client = new BatonClient({ store: new InMemoryRunStore() })
    await expect(client.listRuns(bad(query))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field,
      hint: expect.stringContaining(hint),
    })
  })

  it('are refused by a handle', async () => {
    const client = new BatonClient({ store: new InMemoryRunStore(), flows: [flow] })
    const handle = await client.start(flow)
    const refused = (field: string) => ({ code: 'INVALID_OPTION', field })
    await expect(handle.approve(bad({ by: {} }))).rejects.toMatchObject(refused('by'))
    await expect(handle.deny(bad({ reason: 5 }))).rejects.toMatchObject(refused('reason'))
    await expect(handle.approve(bad({ buy: 'x' }))).rejects.toMatchObject(refused('options.buy'))
    await expect(handle.approve(bad(null))).rejects.toMatchObject(refused('options'))
    await expect(handle.cancel(bad(() => 1))).rejects.toMatchObject(refused('reason'))
    await expect(handle.signal('s', 1, bad({ signalId: 5 }))).rejects.toMatchObject(refused('signalId'))
    await expect(handle.result(bad({ timeout: 5 }))).rejects.toMatchObject(refused('options.timeout'))
    await expect(handle.outcome(bad({ timeoutMs: '5' }))).rejects.toMatchObject(refused('timeoutMs'))
    for (const from of [Number.NaN, 1.5, 0, 'x']) {
      expect(() => handle.stream(bad({ from }))).toThrow(expect.objectContaining(refused('from')))
    }
    expect(await handle.status()).toBe('pending')
  })

  it.each([
    ['leaseMs', -1],
    ['concurrency', Number.NaN],
    ['workerId', '../x'],
  ])('are refused by a worker: %s %s', (field, value) => {
    const ports = { store: new InMemoryRunStore(), queue: new InMemoryJobQueue(), registry: new Registry({}) }

    expect(() => new Worker({ ...ports, [field]: value })).toThrow(expect.objectContaining({ field }))
  })
})

describe('options that nobody knows', () => {
  const ports = () => ({
    store: new InMemoryRunStore(),
    queue: new InMemoryJobQueue(),
    coordinationStore: new InMemoryCoordinationStore(),
  })
  const clientPorts = () => ({ store: new InMemoryRunStore(), queue: new InMemoryJobQueue() })
  const registry = new Registry({})

  it.each([
    ['a run store', () => new InMemoryRunStore(bad({ redispatch: 1 })), 'options.redispatch'],
    ['a run store, null', () => new InMemoryRunStore(bad(null)), 'options'],
    ['a run store, a time', () => new InMemoryRunStore({ redispatchMs: -1 }), 'redispatchMs'],
    ['a queue', () => new InMemoryJobQueue(bad({ visibility: 1 })), 'options.visibility'],
    ['a coordination store', () => new InMemoryCoordinationStore(bad({ clok: 1 })), 'options.clok'],
    ['a worker', () => new Worker({ ...ports(), registry, ...alsoHas({ leasMs: 1 }) }), 'options.leasMs'],
    ['a worker without options', () => new Worker(bad(undefined)), 'options'],
    ['a worker without a registry', () => new Worker({ ...ports(), registry: bad({}) }), 'registry'],
    ['a worker, a choice', () => new Worker({ ...ports(), registry, acknowledge: bad('clam') }), 'acknowledge'],
    ['a worker, a function', () => new Worker({ ...ports(), registry, onRunEnd: bad(5) }), 'onRunEnd'],
    ['a runtime, its worker', () => new FlowRuntime({ worker: bad({ leasMs: 1 }) }), 'worker.leasMs'],
    ['a runtime, a time of its worker', () => new FlowRuntime({ worker: { leaseMs: 0 } }), 'worker.leaseMs'],
    ['a runtime, its store', () => new FlowRuntime({ store: bad({}) }), 'store'],
    ['a runtime, its queue', () => new FlowRuntime({ queue: bad({}) }), 'queue'],
    ['a registry', () => new Registry(bad(undefined)), 'options'],
    ['a registry, misspelt', () => new Registry(alsoHas({ flow })), 'options.flow'],
    ['a client, its registry', () => new BatonClient({ ...clientPorts(), registered: bad({}) }), 'registered'],
    ['a registry, blueprints', () => new Registry({ blueprints: bad(5) }), 'blueprints'],
    ['a registry, functions', () => new Registry({ registry: bad(5) }), 'registry'],
    ['an adapter', () => new InMemoryAdapter({ runtimeOptions: {}, ...alsoHas({ leasMs: 1 }) }), 'options.leasMs'],
    ['an adapter without options', () => new InMemoryAdapter(bad(undefined)), 'options'],
    ['an adapter without flows', () => new InMemoryAdapter(bad({})), 'runtimeOptions'],
    [
      'an adapter, its flows',
      () => new InMemoryAdapter({ runtimeOptions: bad({ flwos: [] }) }),
      'runtimeOptions.flwos',
    ],
    ['an analysis', () => analyzeBlueprint(bad(5)), 'blueprint'],
  ])('are refused by %s', (_, make, field) => {
    expect(make).toThrow(expect.objectContaining({ field, code: expect.stringMatching(/^INVALID_/) }))
  })

  const makers: readonly [string, (options: object) => unknown, string?][] = [
    ['a worker', (options) => new Worker({ ...ports(), registry, ...options })],
    ['an adapter', (options) => new InMemoryAdapter({ runtimeOptions: {}, ...options })],
    ['a client', (options) => new BatonClient({ ...clientPorts(), ...options })],
    ['a runtime', (options) => new FlowRuntime(options)],
    ['the worker of a runtime', (worker) => new FlowRuntime({ worker }), 'worker.'],
    ['a run store', (options) => new InMemoryRunStore(options)],
    ['a queue', (options) => new InMemoryJobQueue(options)],
    ['a coordination store', (options) => new InMemoryCoordinationStore(options)],
  ]
  const knows = (name: string) => ({
    clock: true,
    logger: !/run store|coordination/.test(name),
    serializer: !/store|queue/.test(name),
    random: !/store|queue|client/.test(name),
    newId: !/store|queue/.test(name),
  })

  it.each(makers)(
    'time, chance, log and serializer are refused by %s where they lack a method',
    (name, make, at = '') => {
      const wrong = { clock: { now: () => 1 }, logger: {}, serializer: JSON, random: 0.5, newId: null }
      for (const [field, isKnown] of Object.entries(knows(name))) {
        if (!isKnown) continue
        const { [field as keyof typeof wrong]: value } = wrong
        const refused = {
          code: 'INVALID_OPTION',
          field: `${at}${field}`,
          message: expect.stringMatching(/has no|function/),
        }
        expect(() => make({ [field]: value })).toThrow(expect.objectContaining(refused))
      }
    },
  )

  it.each([
    ['waitForSignal', () => createFlow('x').waitForSignal('a', bad(undefined)), 'Name the signal'],
    ['sleep', () => createFlow('x').sleep('a', 1, bad(null)), 'pass {}'],
    ['approval', () => createFlow('x').approval('a', bad(null)), 'pass {}'],
  ])('are refused by the builder: %s', (_, build, hint) => {
    expect(build).toThrow(expect.objectContaining({ field: 'nodes[0]', hint: expect.stringContaining(hint) }))
  })

  it.each([
    ['waitForSignal', ({ waitForSignal }: NodeArguments) => waitForSignal('s', bad({ timeout: 5 }))],
    ['approval', ({ approval }: NodeArguments) => approval('s', bad({ timeout: 5 }))],
  ])('are refused by %s in a node', async (_, wait) => {
    const result = await new FlowRuntime().run(
      createFlow('x').node('a', async (node: NodeArguments) => ({ output: await wait(node) })),
    )
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'INVALID_OPTION', message: expect.stringContaining('options.timeout') },
    })
  })
})

it('lets an adapter tell who asks of the runs that ended with it', async () => {
  let onRunEnd = (_runId: string) => {}
  const ended = new Promise<string>((resolve) => {
    onRunEnd = resolve
  })
  await using adapter = new InMemoryAdapter({ runtimeOptions: { flows: [flow] }, onRunEnd })
  adapter.start()
  await new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] }).start(flow, 1, { runId: 'r' })
  expect(await ended).toBe('r')
})

it('says that cancel lost where the run had failed before', async () => {
  await using runtime = new FlowRuntime()
  let release = () => {}
  const slow = createFlow('failing', { failFast: false })
    .node('bad', () => {
      throw new Error('broken')
    })
    .node(
      'slow',
      () =>
        new Promise<undefined>((resolve) => {
          release = () => resolve(undefined)
        }),
    )
  const handle = await runtime.start(slow)
  for await (const event of handle.stream()) if (event.type === 'node-failed') break

  expect(await handle.cancel()).toBe(false)
  release()
  expect(await handle.outcome()).toMatchObject({ status: 'failed' })
})
