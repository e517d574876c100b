import { describe, expect, it } from 'vitest'
import { BatonError, createFlow, InMemoryAdapter, InMemoryRunStore } from '../index.ts'
import { BatonClient } from './client.ts'

describe('A start whose answer is lost', () => {
  it.each(['after it has taken effect', 'before'])('%s holds up neither the run nor the worker', async (when) => {
    const store = new InMemoryRunStore()
    const create = store.create.bind(store)
    let isCut = true
    store.create = (...args) => {
      const created = isCut && when === 'before' ? undefined : create(...args)
      if (!isCut && created !== undefined) return created
      isCut = false
      throw new BatonError('STORE_UNAVAILABLE')
    }
    const flow = createFlow('one').node('a', () => ({ output: 1 }), { maxLostLeases: 0 })
    await using adapter = new InMemoryAdapter({ store, runtimeOptions: { flows: [flow] }, concurrency: 1 })
    adapter.start()
    const client = new BatonClient({ store, queue: adapter.queue, flows: [flow] })

    await expect(client.start(flow, undefined, { runId: 'r' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const run = await client.start(flow, undefined, { runId: 'r' })

    expect(await run.result({ timeoutMs: 5_000 })).toBe(1)
    expect(await (await client.start(flow)).result({ timeoutMs: 5_000 })).toBe(1)
  })
})
