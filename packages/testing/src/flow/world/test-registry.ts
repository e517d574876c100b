import type { FunctionRegistry, NodeArguments, NodeFunction, RunnableFlow } from '@baton/core'
import { Registry } from '@baton/core/adapter'

/** Calls the code of a node. `original` is its own function, given the same arguments. */
export type Caller = (flowId: string, args: NodeArguments, original: () => unknown) => unknown

/** Knows flows with something around the functions of all their nodes, also of flows that nodes bring along. */
export class TestRegistry extends Registry {
  readonly #call: Caller
  readonly #wrapped = new WeakMap<RunnableFlow, RunnableFlow>()

  constructor(call: Caller) {
    super({})
    this.#call = call
  }

  /** Registers a flow and its children. */
  know(flow: RunnableFlow): void {
    this.addFlow(this.#wrap(flow))
  }

  override toStart(flow: RunnableFlow | string, version?: string): ReturnType<Registry['toStart']> {
    return super.toStart(typeof flow === 'string' ? flow : this.#wrap(flow), version)
  }

  #wrap(flow: RunnableFlow): RunnableFlow {
    const known = this.#wrapped.get(flow)
    if (known !== undefined) return known
    // What is no flow is refused by the registry itself, in its own words.
    if (typeof flow?.toBlueprint !== 'function') return flow
    const blueprint = flow.toBlueprint()
    const wrapped: RunnableFlow = {
      toBlueprint: () => blueprint,
      registry: this.#around(blueprint.id, flow.registry),
      children: (flow.children ?? []).map((child) => this.#wrap(child)),
    }
    this.#wrapped.set(flow, wrapped)
    // Asked for again it is already what it should be.
    this.#wrapped.set(wrapped, wrapped)
    return wrapped
  }

  #around(flowId: string, registry: FunctionRegistry): FunctionRegistry {
    const nodes = new Map<string, NodeFunction<never, unknown>>()
    for (const [uses, fn] of registry.nodes) {
      const own = fn as NodeFunction
      const call: NodeFunction = (args) => this.#call(flowId, args, () => own(args)) as ReturnType<NodeFunction>
      nodes.set(uses, call)
    }
    return { ...registry, nodes }
  }
}
