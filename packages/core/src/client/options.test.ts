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
