import { describe, expect, it } from 'vitest'
import { BatonError, createFlow, FlowRuntime, InMemoryAdapter, InMemoryRunStore, type NodeArguments } from '../index.ts'

/** A store whose context cannot be read, or whose steps cannot be committed, for the first so many times. */
function storeWithOutage(what: 'read' | 'step', times: number): InMemoryRunStore {
  const store = new InMemoryRunStore()
  let left = times
  const fail = () => {
    left -= 1
    throw new BatonError('STORE_UNAVAILABLE')
  }
  if (what === 'read') {
    const context = store.context.bind(store)
    store.context = (runId) => {
      const source = context(runId)
      return { ...source, read: (keys) => (left > 0 ? fail() : source.read(keys)) }
    }
  } else {
    const commit = store.commit.bind(store)
    store.commit = (transition) => (transition.outcome.type === 'stepped' && left > 0 ? fail() : commit(transition))
  }
  return store
}

describe('an outage of the store', () => {
  it('is told once by each who meets it, and not with every sweep', async () => {
    const store = new InMemoryRunStore()
    let looks = 0
    store.due = () => {
      looks += 1
      throw new BatonError('STORE_UNAVAILABLE')
    }
    const warnings: string[] = []
    const logger = { log: (level: string, message: string) => void (level === 'warn' && warnings.push(message)) }
    await using adapter = new InMemoryAdapter({ store, logger, sweepMs: 10, runtimeOptions: { flows: [] } })

    adapter.start()

    await expect.poll(() => looks).toBeGreaterThan(20)
    expect(warnings.sort()).toEqual([
      'a sweep failed; the next one tries again',
      'a sweep failed; the next one tries again',
      'the waiting lists could not be read; the next sweep will',
    ])
  })

  const flow = createFlow('patient').node('work', async ({ context, step, attempt }: NodeArguments) => {
    const before = (await context.get<number>('count')) ?? 0
    const more = await step('more', () => 1)
    return { output: { sum: before + more, attempt } }
  })

  it.each([
    ['read', 2],
    ['step', 2],
    // Longer than the lease: the instance is handed back and taken again.
    ['read', 6],
    ['step', 6],
  ] as const)(
    'while a node does a %s, %i times in a row, is no failure of the node',
    { timeout: 20_000 },
    async (what, times) => {
      await using runtime = new FlowRuntime({
        store: storeWithOutage(what, times),
        worker: { leaseMs: 300, sweepMs: 50 },
      })

      expect(await runtime.run(flow)).toMatchObject({ status: 'completed', output: { sum: 1, attempt: 1 } })
    },
  )
})
