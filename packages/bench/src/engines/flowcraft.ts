/** flowcraft, whatever brings its jobs: the flow of a shape, as its adapters are told of it, and runs of that flow. */
import { randomUUID } from 'node:crypto'
import { type AdapterOptions, type BaseDistributedAdapter, createFlow, type NodeContext } from 'flowcraft'
import type { ContenderOptions } from '../redis/contender.ts'
import { Ends } from '../redis/ends.ts'
import type { Shape } from '../redis/shape.ts'

type Context = NodeContext<Record<string, unknown>>

export function runtimeOptionsFor(options: ContenderOptions): AdapterOptions['runtimeOptions'] {
  const flow = flowOf(options)
  const blueprint = flow.toBlueprint()
  return {
    blueprints: { [blueprint.id]: blueprint },
    registry: Object.fromEntries(flow.getFunctionRegistry()),
    logger: { debug() {}, info() {}, warn() {}, error: (line: string) => process.stderr.write(`${line}\n`) },
  }
}

/** What an adapter has for those that extend it. */
interface Insides {
  createContext(runId: string): { set(key: string, value: unknown): Promise<void> }
  enqueueJob(job: { readonly runId: string; readonly blueprintId: string; readonly nodeId: string }): Promise<void>
  publishFinalResult(runId: string, result: Result): Promise<void>
}

interface Result {
  readonly payload?: { readonly context: Readonly<Record<string, unknown>> }
}

/**
 * It has no client: a run is made by writing its context and sending its first job, and its end is seen where it is published.
 * @returns makes one run, and resolves to the output of its last node
 */
export function runsOn(adapter: BaseDistributedAdapter, { name, form, size }: Shape): () => Promise<number> {
  const insides = adapter as unknown as Insides
  const ends = new Ends()
  const [first, last] = form === 'line' ? ['n0', `n${size - 1}`] : ['source', 'join']
  const publish = insides.publishFinalResult.bind(adapter)
  insides.publishFinalResult = async (runId, result) => {
    await publish(runId, result)
    ends.tell(runId, Number(result.payload?.context[`_outputs.${last}`]))
  }
  return async () => {
    const runId = randomUUID()
    const end = ends.of(runId)
    const context = insides.createContext(runId)
    // A worker refuses a run of which it cannot read the version.
    await context.set('blueprintVersion', null)
    await context.set('blueprintId', name)
    await insides.enqueueJob({ runId, blueprintId: name, nodeId: first })
    return end
  }
}

function flowOf({ shape, onSecondNode }: ContenderOptions) {
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
