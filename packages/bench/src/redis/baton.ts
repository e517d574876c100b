import { BullMQAdapter } from '@baton/adapter-bullmq'
import { BatonClient, createFlow, type Flow, type NodeArguments } from '@baton/core'
import { CONCURRENCY, type ContenderOptions, type OpenContender, type RedisContender } from './contender.ts'

/** Baton as a user runs it: a worker, and a client that follows each run to its end. */
export const contender = batonWith('own-places')

/** The same as with a client in another process: every start, and every branch, goes through BullMQ. */
export const byQueue = batonWith('queue')

function batonWith(fanOut: 'own-places' | 'queue'): RedisContender {
  return { open: (options) => openBaton(options, fanOut) }
}

async function openBaton(options: ContenderOptions, fanOut: 'own-places' | 'queue'): Promise<OpenContender> {
  const flow = flowOf(options)
  const adapter = new BullMQAdapter({
    connection: options.url,
    runtimeOptions: { flows: [flow] },
    concurrency: CONCURRENCY,
    fanOut,
  })
  adapter.start()
  const client = new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] })
  return {
    async run() {
      const run = await client.start<number>(flow)
      return run.result()
    },
    [Symbol.asyncDispose]: () => adapter.close(),
  }
}

export function flowOf({ shape, onSecondNode }: ContenderOptions): Flow {
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
