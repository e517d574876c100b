/** Baton as a user runs it, whatever brings its jobs: a worker, and a client that follows each run to its end. */
import { BatonClient, createFlow, type Flow, type NodeArguments } from '@baton/core'
import type { BaseDistributedAdapter, EngineOptions } from '@baton/core/adapter'
import { CONCURRENCY, type ContenderOptions, type RedisContender } from '../redis/contender.ts'

/** Opens an adapter with nothing in its queue. */
type AdapterFor = (options: ContenderOptions, settings: EngineOptions) => Promise<BaseDistributedAdapter>

export function batonWith(fanOut: 'own-places' | 'queue', adapterFor: AdapterFor): RedisContender {
  return {
    async open(options) {
      const flow = flowOf(options)
      const adapter = await adapterFor(options, { runtimeOptions: { flows: [flow] }, concurrency: CONCURRENCY, fanOut })
      adapter.start()
      const client = new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] })
      return {
        async run() {
          const run = await client.start<number>(flow)
          return run.result()
        },
        [Symbol.asyncDispose]: () => adapter.close(),
      }
    },
  }
}

function flowOf({ shape, onSecondNode }: ContenderOptions): Flow {
  const { form, size, contextChars } = shape
  let flow: Flow = createFlow(shape.name)
  if (form === 'fan') {
    flow = flow.node('source', async () => ({ output: 1 }))
    for (let index = 0; index < size; index++) {
      flow = flow.node(`b${index}`, async ({ input }) => ({ output: input })).edge('source', `b${index}`)
    }
    flow = flow.node('join', async ({ input }: NodeArguments) => ({ output: sumOf(Object.values(input as object)) }))
    for (let index = 0; index < size; index++) flow = flow.edge(`b${index}`, 'join')
    return flow
  }
  for (let index = 0; index < size; index++) {
    flow = flow.node(`n${index}`, async ({ input, context }: NodeArguments) => {
      if (index === 1) await onSecondNode()
      if (contextChars !== undefined && index === 0) await context.set('large', largeValue(contextChars))
      else if (contextChars !== undefined) await context.set('small', index)
      return { output: typeof input === 'number' ? input + 1 : 1 }
    })
    if (index > 0) flow = flow.edge(`n${index - 1}`, `n${index}`)
  }
  return flow
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function largeValue(chars: number): string {
  return 'x'.repeat(chars)
}
