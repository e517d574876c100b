import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, InMemoryRunStore, type NodeArguments } from '../index.ts'

const ways: [string, () => FlowRuntime][] = [
  ['without a store', () => new FlowRuntime()],
  ['with one', () => new FlowRuntime({ store: new InMemoryRunStore(), worker: { leaseMs: 150 } })],
]

describe.each(ways)('what is called off while it runs, %s', (_, runtimeOf) => {
  it('hears of it: the loser of a join', async () => {
    let isTold = false
    const flow = createFlow('race')
      .node('fast', async () => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        return { output: 'fast' }
      })
      .node(
        'slow',
        ({ signal }: NodeArguments) =>
          new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => {
              isTold = true
              reject(signal.reason)
            })
          }),
        { timeoutMs: 10_000 },
      )
      .node('first', ({ input }) => ({ output: input }), { joinStrategy: 'any', cancelLosers: true })
      .edge('fast', 'first')
      .edge('slow', 'first')
    await using runtime = runtimeOf()

    expect(await runtime.run(flow)).toMatchObject({ status: 'completed', output: 'fast' })
    expect(isTold).toBe(true)
  })

  it('leaves nothing behind: the items of a map that failed', async () => {
    const flow = createFlow('items')
      .map(
        'each',
        async ({ input }: NodeArguments<number>) => {
          if (input === 0) throw new Error('broken')
          await new Promise((resolve) => setTimeout(resolve, 20))
          return { output: input }
        },
        { fallback: 'instead' },
      )
      .node('instead', () => ({ output: 'instead' }))
    await using runtime = runtimeOf()

    expect(await runtime.run(flow, [0, 1])).toMatchObject({ status: 'completed', output: 'instead' })
  })
})

describe('values', () => {
  const flow = createFlow('shared')
    .node('a', () => ({ output: { n: 1 } }))
    .node('b', ({ input }: NodeArguments<{ n: number }>) => {
      input.n = 99
    })
    .node('c', async ({ input }: NodeArguments<{ n: number }>) => {
      await Promise.resolve()
      return { output: input.n }
    })
    .node('d', ({ input }) => ({ output: (input as { c: number }).c }))
    .edge('a', 'b')
    .edge('a', 'c')
    .edge('b', 'd')
    .edge('c', 'd')

  it('are copied from node to node where that is asked for, as a store does', async () => {
    expect(await new FlowRuntime({ copyValues: true }).run(flow)).toMatchObject({ output: 1 })
    await using runtime = new FlowRuntime({ store: new InMemoryRunStore() })
    expect(await runtime.run(flow)).toMatchObject({ output: 1 })
  })
})
