/** Types have tests: tsc checks this file, and nobody runs it. */
import type { NodeArguments } from '../engine/node-function.ts'
import type { RunnableFlow } from '../engine/registry.ts'
import type { Blueprint, WorkflowBlueprint } from '../model/blueprint.ts'
import type { JsonObject } from '../model/json.ts'
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

export { byHand, runnable }
