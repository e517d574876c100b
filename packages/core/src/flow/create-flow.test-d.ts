/** Types have tests: tsc checks this file, and nobody runs it. */
import type { BatonClient } from '../client/client.ts'
import type { NodeArguments, NodeFunction } from '../engine/node-function.ts'
import type { RunnableFlow } from '../engine/registry.ts'
import type { Blueprint, WorkflowBlueprint } from '../model/blueprint.ts'
import type { JsonObject } from '../model/json.ts'
import type { StandardSchemaV1 } from '../model/standard-schema.ts'
import type { FlowRuntime } from '../runtime/flow-runtime.ts'
import { createFlow, type Flow, type InputOf } from './create-flow.ts'

type Equal<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false
const is = <Fact extends true>(): Fact | undefined => undefined

interface Order {
  readonly id: string
}

// biome-ignore format: as the documents have it
const workflow = createFlow('any-join-example')
  .node('A', async () => { throw new Error('A failed') })
  .node('B', async () => ({ output: 'B succeeded' }))
  .node('C', async ({ input }) => ({ output: `Result: ${input}` }), {
    config: { joinStrategy: 'any' }
  })
  .edge('A', 'C')
  .edge('B', 'C')
  .toBlueprint()
is<Equal<typeof workflow, Blueprint>>()

// A blueprint by hand, as the documents write it.
const byHand: WorkflowBlueprint = {
  id: 'payment-processor',
  metadata: { version: '1.0.0' },
  nodes: [
    { id: 'validate', uses: 'validate-payment' },
    { id: 'process', uses: 'process-payment-v1' },
  ],
  edges: [{ source: 'validate', target: 'process' }],
}

const flow = createFlow<Order>('orders')
  .node('a', ({ input }: NodeArguments<Order>) => ({ output: input.id.length }))
  .node('b', ({ input, params, attempt }) => {
    is<Equal<typeof input, unknown>>()
    is<Equal<typeof params, JsonObject>>()
    is<Equal<typeof attempt, number>>()
  })
  .map('c', async ({ input, itemIndex }: NodeArguments<Order>) => ({ output: [input.id, itemIndex], action: 'x' }))
  .approval('d')
  .sleep('e', 5)
  .waitForSignal('f', { signal: 's' })

// Ids are known, and only those.
flow.edge('a', 'b').edge('b', 'c').edge('c', 'd').edge('d', 'e').edge('e', 'f')
// @ts-expect-error there is no such node
flow.edge('a', 'typo')
// @ts-expect-error there is no such node
flow.edge('typo', 'a')
// @ts-expect-error nothing was added yet
createFlow('x').edge('a', 'b')
// @ts-expect-error an edge is not a node
flow.edge('a', 'b').edge('a', 'a->b')

// The input of its runs.
is<Equal<InputOf<typeof flow>, Order>>()
const plain = createFlow('x').node('a', () => {})
is<Equal<InputOf<typeof plain>, unknown>>()
is<Equal<InputOf<string>, never>>()

// Flows in variables: built in a loop, of any input, or wherever something that can run is wanted.
let loop: Flow = createFlow('x')
for (const id of ['a', 'b']) loop = loop.node(id, () => {})
loop.edge('a', 'b')
const some: readonly Flow[] = [flow, plain]
const runnable: readonly RunnableFlow[] = [flow, plain, ...some]

// What is not a node's function, or not an option.
// @ts-expect-error a number is neither nothing nor a result
createFlow('x').node('a', () => 7)
// @ts-expect-error nor is its promise
createFlow('x').node('a', async () => 7)
// @ts-expect-error an action is a text
createFlow('x').node('a', () => ({ action: 7 }))
// @ts-expect-error a function is not data
createFlow('x').node('a', () => {}, { params: { f: () => {} } })
// @ts-expect-error misspelt
createFlow('x').node('a', () => {}, { retries: 3 })
// @ts-expect-error misspelt
createFlow('x').node('a', () => {}, { config: { retry: { attemps: 3 } } })
// @ts-expect-error neither
createFlow('x').node('a', () => {}, { joinStrategy: 'some' })
// @ts-expect-error a map is what it is
createFlow('x').map('a', () => {}, { map: {} })
// @ts-expect-error for which signal?
createFlow('x').waitForSignal('a', {})
// @ts-expect-error a condition says yes or no
flow.edge('a', 'b', { condition: () => 'yes' })
flow.edge('a', 'b', {
  condition: ({ output, action }) => action === 'x' || output === 1,
  transform: (output) => output,
})

// An edge between two nodes whose types are known and do not fit.
const typed = createFlow('types')
  .node('number', () => ({ output: 1 }))
  .node('text', () => ({ output: 'x' }))
  .node('anything', ({ input }) => ({ output: input }))
  .node('nothing', () => {})
  .node('takesNumber', ({ input }: NodeArguments<number>) => ({ output: input }))
  .node('takesBoth', ({ input }: NodeArguments<{ number: number; text: string }>) => ({ output: input.text }))
  .node('mapped', ({ input }: NodeArguments<{ of: boolean }>) => ({ output: input.of }), {
    inputs: { of: { run: true } },
  })
  .node('mappedInConfig', ({ input }: NodeArguments<{ of: boolean }>) => ({ output: input.of }), {
    config: { inputs: { of: { run: true } } },
  })
  .map('each', ({ input }: NodeArguments<number>) => ({ output: String(input) }))
  .node('takesTexts', ({ input }: NodeArguments<readonly string[]>) => ({ output: input }))
  .sleep('pause', 5)
  .approval('ask')
typed.edge('number', 'takesNumber').edge('anything', 'takesNumber').edge('nothing', 'takesNumber')
typed.edge('number', 'anything').edge('number', 'takesBoth').edge('text', 'takesBoth')
typed.edge('number', 'mapped').edge('number', 'mappedInConfig').edge('each', 'takesTexts')
// @ts-expect-error a text is no number
typed.edge('text', 'takesNumber')
// @ts-expect-error nor is it after a condition
typed.edge('text', 'takesNumber', { condition: () => true })
// @ts-expect-error neither the whole input nor a member of it
typed.edge('takesNumber', 'takesBoth')
// @ts-expect-error a map gives a list
typed.edge('each', 'takesNumber')
// @ts-expect-error and takes one
typed.edge('number', 'each')
// @ts-expect-error of such items
typed.edge('takesTexts', 'each')
// @ts-expect-error a sleep has no output
typed.edge('pause', 'takesNumber')
// @ts-expect-error a decision is no number
typed.edge('ask', 'takesNumber')
// A child takes what its flow takes, and nobody knows what it gives.
const family = createFlow('family')
  .node('text', () => ({ output: 'x' }))
  .node('order', () => ({ output: { id: 'x' } }))
  .child('orders', flow)
  .child('mapped', flow, { config: { inputs: { id: { run: true } } } })
  .child('each', flow, { config: { map: { concurrency: 2 } } })
  .child('named', 'orders', { version: '2', wait: false })
  .node('takesNumber', ({ input }: NodeArguments<number>) => ({ output: input }))
family.edge('order', 'orders').edge('text', 'named').edge('text', 'mapped').edge('text', 'each')
family.edge('orders', 'takesNumber')
// @ts-expect-error a text is no order
family.edge('text', 'orders')
// @ts-expect-error misspelt
createFlow('x').child('a', flow, { waits: false })
// A transform may turn anything into anything.
typed.edge('text', 'takesNumber', { transform: (text) => Number(text) })

// What a node gives is all that its code may return: a union, or a type of its own for each way out.
type Shape = { readonly kind: 'dot' } | { readonly kind: 'line'; readonly length: number }
declare const shape: Shape
declare const named: NodeFunction<Order, number>
const unions = createFlow('unions')
  .node('shape', () => ({ output: shape }))
  .node('ways', ({ attempt }) => (attempt === 1 ? { output: 1, action: 'first' } : { output: 'x' }))
  .node('later', ({ attempt }) => (attempt === 1 ? Promise.resolve({ output: 1 }) : { output: 'x' }))
  .node('sometimes', ({ attempt }) => (attempt === 1 ? { output: 1 } : { action: 'none' }))
  .node('named', named)
  .map('shapes', () => ({ output: shape }))
  .node('takesShape', ({ input }: NodeArguments<Shape>) => ({ output: input.kind }))
  .node('takesShapes', ({ input }: NodeArguments<readonly Shape[]>) => ({ output: input.length }))
  .node('takesEither', ({ input }: NodeArguments<number | string>) => ({ output: input }), { joinStrategy: 'any' })
  .node('takesNumber', ({ input }: NodeArguments<number>) => ({ output: input }))
unions.edge('shape', 'takesShape').edge('ways', 'takesEither').edge('later', 'takesEither')
unions.edge('shapes', 'takesShapes').edge('sometimes', 'takesNumber').edge('named', 'takesNumber')
// @ts-expect-error sometimes it is a text
unions.edge('ways', 'takesNumber')
// @ts-expect-error it may be later
unions.edge('later', 'takesNumber')
// @ts-expect-error misspelt
createFlow('x').node('a', () => ({ outptu: 1 }))

// What a child is started with is checked by its flow, and nobody knows what it gives: the code says it.
export const starting = createFlow('starting')
  .node('run', async ({ runChild }) => {
    const given: string = await runChild(flow, { id: 'x' })
    const unknown = await runChild('named', 7)
    is<Equal<typeof unknown, unknown>>()
    // @ts-expect-error a number is no order
    await runChild(flow, 7)
    // @ts-expect-error nor is nothing
    await runChild(flow)
    return { output: given }
  })
  .node('start', async ({ startChild }) => {
    const child = await startChild(flow, { id: 'x' }, { detached: true })
    // @ts-expect-error a number is no order
    await startChild(flow, 7)
    return { output: await child.result() }
  })
  .node('same', async ({ runChild, waitForSignal }) =>
    Math.random() > 0.5 ? { output: await runChild(plain) } : { output: await waitForSignal('s') },
  )
  .node('takesNumber', ({ input }: NodeArguments<number>) => ({ output: input }))
  .edge('start', 'takesNumber')
  .edge('same', 'takesNumber')

// Schemas: any library's will do, so this one is made here.
declare function schema<Input, Output = Input>(): StandardSchemaV1<Input, Output>
interface Loose {
  readonly id?: string | undefined
}
const checked = createFlow('checked', { input: schema<Loose, Order>() })
  .node(
    'first',
    ({ input }) => {
      is<Equal<typeof input, Order>>()
      return { output: input.id }
    },
    { input: schema<Loose, Order>(), output: schema<string, number>(), retry: { attempts: 2 } },
  )
  .node('second', ({ input }: NodeArguments<number>) => ({ output: input }))
  .node('third', ({ input }: NodeArguments<string>) => ({ output: input }))
  .map(
    'items',
    ({ input }) => {
      is<Equal<typeof input, Order>>()
      return { output: 'x' }
    },
    { input: schema<Loose, Order>(), output: schema<string, Date>(), concurrency: 2 },
  )
// What starts a run gives what the schema takes; what a node gives is what its schema makes of it.
is<Equal<InputOf<typeof checked>, Loose>>()
checked.edge('first', 'second')
// @ts-expect-error the schema has made a number of it
checked.edge('first', 'third')
// @ts-expect-error the schema of the output takes a text
createFlow('x').node('a', () => ({ output: 7 }), { output: schema<string>() })
// @ts-expect-error and not a number sometimes
createFlow('x').node('a', () => ({ output: Math.random() > 0.5 ? 7 : 'x' }), { output: schema<string>() })
// @ts-expect-error and not left out, nor left out sometimes
createFlow('x').node('a', () => {}, { output: schema<string>() })
// @ts-expect-error the same
createFlow('x').map('a', async ({ attempt }) => (attempt === 1 ? { output: 'x' } : { action: 'x' }), {
  output: schema<string>(),
})
createFlow('x').node('a', () => {}, { output: schema<string | undefined, string>() })
// @ts-expect-error the schema of the input gives an order
createFlow('x').node('a', ({ input }: NodeArguments<string>) => ({ output: input }), { input: schema<Order>() })
// @ts-expect-error not a schema
createFlow('x', { input: { id: 'string' } })
// @ts-expect-error misspelt, beside a schema
createFlow('x').node('a', () => {}, { input: schema<Order>(), retries: 3 })
createFlow<Order>('x', { input: schema<Order>() })
// @ts-expect-error another type than its schema's
createFlow<Date>('x', { input: schema<Order>() })

// What a run is started with.
declare const runtime: FlowRuntime
declare const client: BatonClient
export const started = [
  client.start(checked, {}),
  client.start(checked, { id: 'x' }, { runId: 'y' }),
  runtime.run(flow, { id: 'x' }),
  client.start(plain),
  client.start(plain, 7),
  client.start('by-id', 7),
  client.start<string>(flow, { id: 'x' }),
  // @ts-expect-error an id is a text
  client.start(checked, { id: 7 }),
  // @ts-expect-error orders have ids
  client.start(flow, {}),
  // @ts-expect-error nothing is no order
  runtime.run(flow),
  // @ts-expect-error the same
  runtime.start(flow),
]

export { byHand, runnable }
