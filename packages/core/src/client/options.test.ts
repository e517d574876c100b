import { describe, expect, it } from 'vitest'
import { Registry } from '../engine/registry.ts'
import { Worker } from '../engine/worker.ts'
import { BatonClient, createFlow, FlowRuntime, InMemoryRunStore } from '../index.ts'
import { InMemoryJobQueue } from '../memory/job-queue.ts'

const flow = createFlow('x').node('a', () => ({ output: 1 }))
const bad = (value: unknown) => value as never

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
