import { randomUUID } from 'node:crypto'
import { BullMQAdapter, RedisCoordinationStore } from '@flowcraft/bullmq-adapter'
import { createFlow, type NodeContext } from 'flowcraft'
import { CONCURRENCY, type ContenderOptions, type OpenContender, type RedisContender } from './contender.ts'
import { Ends } from './ends.ts'
import { FlowcraftRedis } from './flowcraft-redis.ts'

type AdapterOptions = ConstructorParameters<typeof BullMQAdapter>[0]
type Connection = ConstructorParameters<typeof RedisCoordinationStore>[0]
type Output = number | Readonly<Record<string, number>>
type Context = NodeContext<Record<string, unknown>>

interface Result {
  readonly payload?: { readonly context: Readonly<Record<string, Output>> }
}

/**
 * flowcraft with its BullMQ adapter and the BullMQ that it brings along. Its end is seen where it is published. Left alone
 * it works on five jobs at a time; it is given as many places as the others.
 */
export const contender: RedisContender = {
  async open(options: ContenderOptions): Promise<OpenContender> {
    const { url, shape } = options
    const connection = new FlowcraftRedis(url, { maxRetriesPerRequest: null }) as unknown as Connection
    const flow = flowOf(options)
    const blueprint = flow.toBlueprint()
    const adapter = new TellingAdapter(
      {
        connection,
        coordinationStore: new RedisCoordinationStore(connection),
        runtimeOptions: {
          blueprints: { [blueprint.id]: blueprint },
          registry: Object.fromEntries(flow.getFunctionRegistry()),
          logger: { debug() {}, info() {}, warn() {}, error: (line: string) => process.stderr.write(`${line}\n`) },
        },
      },
      shape.form === 'line' ? `n${shape.size - 1}` : 'join',
    )
    adapter.start()
    adapter.widen()
    return {
      run: () => adapter.run(blueprint.id, shape.form === 'line' ? 'n0' : 'source'),
      async [Symbol.asyncDispose]() {
        await adapter.close()
        connection.disconnect()
      },
    }
  },
}

class TellingAdapter extends BullMQAdapter {
  readonly #ends = new Ends()
  readonly #last: string

  constructor(options: AdapterOptions, last: string) {
    super(options)
    this.#last = last
  }

  widen(): void {
    const { worker } = this as unknown as { readonly worker: { concurrency: number } }
    worker.concurrency = CONCURRENCY
  }

  async run(blueprintId: string, nodeId: string): Promise<number> {
    const runId = randomUUID()
    const end = this.#ends.of(runId)
    const context = this.createContext(runId)
    // A worker refuses a run of which it cannot read the version.
    await context.set('blueprintVersion', null)
    await context.set('blueprintId', blueprintId)
    await this.enqueueJob({ runId, blueprintId, nodeId })
    return end
  }

  protected override async publishFinalResult(runId: string, result: Result): Promise<void> {
    await super.publishFinalResult(runId, result)
    this.#ends.tell(runId, Number(result.payload?.context[`_outputs.${this.#last}`]))
  }
}

export function flowOf({ shape, onSecondNode }: ContenderOptions) {
  const { name, form, size, contextChars } = shape
  const flow = createFlow(name)
  if (form === 'fan') {
    flow.node('source', async () => ({ output: 1 }))
    // What a join is given differs from flow to flow, so it counts what is in the context.
    flow.node('join', async ({ context }: Context) => {
      let sum = 0
      for (let index = 0; index < size; index++) sum += Number(await context.get(`_outputs.b${index}`))
      return { output: sum }
    })
    for (let index = 0; index < size; index++) {
      flow.node(`b${index}`, async ({ input }: Context) => ({ output: input }))
      flow.edge('source', `b${index}`)
      flow.edge(`b${index}`, 'join')
    }
    return flow
  }
  for (let index = 0; index < size; index++) {
    flow.node(`n${index}`, async ({ input, context }: Context) => {
      if (index === 1) await onSecondNode()
      if (contextChars !== undefined && index === 0) await context.set('large', 'x'.repeat(contextChars))
      else if (contextChars !== undefined) await context.set('small', index)
      return { output: typeof input === 'number' ? input + 1 : 1 }
    })
    if (index > 0) flow.edge(`n${index - 1}`, `n${index}`)
  }
  return flow
}
