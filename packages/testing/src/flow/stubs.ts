/** Stubs: code that takes the place of a node's function in a test. */
import type { Flow, InputOf, NodeArguments, NodeReturn, NodeTypes, RunnableFlow } from '@baton/core'
import { BatonError } from '@baton/core'
import { checkNumber } from '@baton/core/adapter'
import { assertKnownNode } from './known-node.ts'

/** The ids of a flow's nodes, as far as its type tells. */
export type IdsOf<F> = F extends Flow<InputOf<F>, infer Ids, unknown> ? Ids : string

type TypesOf<F> = F extends Flow<InputOf<F>, string, infer Types> ? Types : unknown

type Of<F, Id> = Extract<TypesOf<F>, { readonly id: Id }>

/** What a node takes. A map takes its list, and its code an item of it. */
export type Takes<F, Id> = [Of<F, Id>] extends [never]
  ? unknown
  : Of<F, Id> extends NodeTypes<string, infer Input, unknown>
    ? OrItem<Input>
    : unknown

export type Gives<F, Id> = [Of<F, Id>] extends [never]
  ? unknown
  : Of<F, Id> extends NodeTypes<string, unknown, infer Output>
    ? OrItem<Output>
    : unknown

type OrItem<Value> = Value extends readonly (infer Item)[] ? Value | Item : Value

/** Methods, so that a stub may say more exactly than the flow what it takes: the item of a map, and not its list. */
interface StubMethods<Input, Output> {
  stub(
    args: NodeArguments<Input>,
    original: () => Promise<NodeReturn<unknown>>,
  ): NodeReturn<Output> | Promise<NodeReturn<Output>>
}

/** Stands in for a node's function. `original` calls that. */
export type Stub<Input = unknown, Output = unknown> = StubMethods<Input, Output>['stub']

/** Stubs by the ids of nodes. */
export type Stubs<F> = { readonly [Id in IdsOf<F>]?: Stub<Takes<F, Id>, Gives<F, Id>> }

export type AnyStub = Stub<never, never>

const hanging = new WeakSet<AnyStub>()

/** Fails the first attempts of a node (`Infinity`: all), and then lets its own function run. A crash is no attempt. */
export function fails(attempts: number, error: Error | string = 'failed by the test'): Stub<never, never> {
  checkNumber(attempts, 'attempts', { required: true, least: 1, whole: true })
  return ({ attempt }, original) => {
    if (attempt <= attempts) throw typeof error === 'string' ? new Error(error) : error
    return original() as Promise<NodeReturn<never>>
  }
}

/** Never answers, and ends when its signal fires: for timeouts and cancels. */
export function hangs(): Stub<never, never> {
  const stub: AnyStub = ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  hanging.add(stub)
  return stub
}

function isHanging(stub: AnyStub): boolean {
  return hanging.has(stub)
}

/** The stubs of all flows of a test. */
export class StubBook {
  readonly #byFlow = new Map<string, Map<string, AnyStub>>()

  add(flow: RunnableFlow, stubs: object): void {
    const { id, nodes } = flow.toBlueprint()
    const known = nodes.map((node) => node.id)
    const book = this.#byFlow.get(id) ?? new Map<string, AnyStub>()
    for (const [nodeId, stub] of Object.entries(stubs) as [string, AnyStub | undefined][]) {
      if (stub === undefined) continue
      assertKnownNode(nodeId, { flowId: id, nodeIds: known }, `nodes.${nodeId}`)
      if (typeof stub !== 'function') {
        const message = `must be a function, not ${typeof stub}`
        throw new BatonError('INVALID_OPTION', { field: `nodes.${nodeId}`, message })
      }
      book.set(nodeId, stub)
    }
    this.#byFlow.set(id, book)
  }

  find(flowId: string, nodeId: string): AnyStub | undefined {
    return this.#byFlow.get(flowId)?.get(nodeId)
  }

  /** Calls what stands in for the node, or its own function. */
  call(flowId: string, args: NodeArguments, original: () => unknown, hang: () => void): unknown {
    const stub = this.find(flowId, args.nodeId)
    if (stub === undefined) return original()
    if (isHanging(stub)) hang()
    return stub(args as NodeArguments<never>, async () => original() as NodeReturn<unknown>)
  }
}
