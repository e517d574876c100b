/**
 * createFlow: a blueprint and its functions, written down together.
 *
 * A flow never changes: each call gives a new one, so that a common beginning can be shared and a half-built flow can
 * be handed around. A mistake is reported by the call that makes it, in the words of `checkBlueprint`.
 */

import {
  APPROVAL,
  approve,
  CHILD,
  child,
  readApproval,
  readChild,
  readSleep,
  readWaitForSignal,
  SLEEP,
  sleep,
  WAIT_FOR_SIGNAL,
  waitForSignal,
} from '../engine/built-in-nodes.ts'
import type { EdgePredicate, EdgeTransform, NodeFunction } from '../engine/node-function.ts'
import type { FunctionRegistry, RunnableFlow } from '../engine/registry.ts'
import {
  type Blueprint,
  type BlueprintEdge,
  type BlueprintNode,
  edgeIdOf,
  type NodeConfig,
} from '../model/blueprint.ts'
import { checkBlueprint, readEdge, readHead, readNode } from '../model/check-blueprint.ts'
import { addEdge, addNodeId } from '../model/check-graph.ts'
import { checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { EdgeId, NodeId } from '../model/ids.ts'
import { mistake } from '../model/readers.ts'
import type {
  ApprovalNodeOptions,
  ChildNodeOptions,
  EdgeOptions,
  FlowOptions,
  MapOptions,
  NodeOptions,
  SignalNodeOptions,
  WaitConfig,
} from './flow-options.ts'

/**
 * Begins a flow. Nodes that no edge leads to are the ones that start.
 *
 * ```ts
 * const flow = createFlow<Order>('orders', { version: '1.0.0' })
 *   .node('reserve', async ({ input }: NodeArguments<Order>) => ({ output: await reserve(input) }))
 *   .node('ship', ({ input, idempotencyKey }) => ship(input, idempotencyKey), { retry: { attempts: 3 } })
 *   .edge('reserve', 'ship')
 * ```
 */
export function createFlow<Input = unknown>(id: string, options: FlowOptions = {}): Flow<Input, never> {
  checkOptions(options, ['version', 'description', 'failFast', 'deadlineMs'] satisfies (keyof FlowOptions)[])
  const { version, description, failFast, deadlineMs } = options
  const head = { id, metadata: ifAny({ version, description }), policy: ifAny({ failFast, deadlineMs }) }
  return new Flow<Input, never>(
    readHead(head, ''),
    { nodes: new Map(), edges: new Map(), functions: new Map(), list: [] },
    0,
  )
}

/** Undefined members count as absent, but a member without members would not. */
function ifAny<Members extends object>(members: Members): Members | undefined {
  return Object.values(members).some((value) => value !== undefined) ? members : undefined
}

declare const inputType: unique symbol

/** The input of a flow's runs: `InputOf<typeof flow>`. */
export type InputOf<F> = F extends { readonly [inputType]?: infer Input } ? Input : never

type AnyFunction = NodeFunction<never, unknown>

/**
 * What was added, in order. Flows that grow out of each other share one list, and each knows how much of it is its
 * own: building a flow costs the same per call, however long it is.
 */
interface Parts {
  readonly nodes: Map<NodeId, number>
  readonly edges: Map<EdgeId, number>
  readonly functions: Map<string, AnyFunction>
  readonly list: Part[]
}

type Part =
  | { readonly node: BlueprintNode; readonly fn: AnyFunction; readonly child?: RunnableFlow }
  | { readonly edge: BlueprintEdge; readonly condition?: EdgePredicate; readonly transform?: EdgeTransform }

/** A blueprint and its functions. `Ids` are the ids of its nodes so far. */
export class Flow<Input = unknown, Ids extends string = string> implements RunnableFlow {
  /** For types only. */
  declare readonly [inputType]?: Input
  readonly #head: Omit<Blueprint, 'nodes' | 'edges'>
  readonly #parts: Parts
  readonly #length: number
  #blueprint: Blueprint | undefined
  #registry: FunctionRegistry | undefined

  /** @internal `createFlow` begins one. */
  constructor(head: Omit<Blueprint, 'nodes' | 'edges'>, parts: Parts, length: number) {
    this.#head = head
    this.#parts = parts
    this.#length = length
  }

  get id(): string {
    return this.#head.id
  }

  /** Adds a node. */
  node<Id extends string, In = unknown, Out = unknown>(
    id: Id,
    fn: NodeFunction<In, Out>,
    options: NodeOptions = {},
  ): Flow<Input, Ids | Id> {
    return this.#addNode(id, fn, options)
  }

  #addNode<Id extends string>(
    id: Id,
    fn: AnyFunction,
    options: NodeOptions,
    runs?: RunnableFlow,
  ): Flow<Input, Ids | Id> {
    const parts = this.#partsToGrow()
    const place = parts.nodes.size
    assertOptions(options, `nodes[${place}]`)
    const { uses = `${this.id}/${id}`, params, config, ...members } = options
    const merged = mergeConfig(members, config, `nodes[${place}].config`)
    const node = readNode({ id, uses, params, config: merged }, `nodes[${place}]`)
    if (typeof fn !== 'function') {
      throw mistake(`nodes[${place}]`, `${id} has no function`, `Give it as the second argument: .node('${id}', fn).`)
    }
    if (!parts.nodes.has(node.id) && (parts.functions.get(node.uses) ?? fn) !== fn) {
      const hint = 'Give each function its own name; without `uses` it is called by flow and node.'
      throw mistake(`nodes[${place}].uses`, `${JSON.stringify(node.uses)} is another function already`, hint)
    }
    addNodeId(parts.nodes, node.id, place)
    parts.functions.set(node.uses, fn)
    parts.list.push(runs === undefined ? { node, fn } : { node, fn, child: runs })
    return new Flow(this.#head, parts, parts.list.length)
  }

  /** Adds a node whose function is called for each item of the list that is its input; it gives the list of outputs. */
  map<Id extends string, Item = unknown, Out = unknown>(
    id: Id,
    fn: NodeFunction<Item, Out>,
    options: MapOptions = {},
  ): Flow<Input, Ids | Id> {
    this.#assertNodeOptions(options)
    const { concurrency, maxFailures, ...others } = options
    const map = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(maxFailures === undefined ? {} : { maxFailures }),
    }
    return this.node(id, fn, { ...others, map })
  }

  /** Adds a node that asks people. Its output is the decision; a denial takes the edge with the action `denied`. */
  approval<Id extends string>(id: Id, options: ApprovalNodeOptions = {}): Flow<Input, Ids | Id> {
    this.#assertNodeOptions(options)
    const { config, name = id, ...others } = options
    const params = readApproval({ name, ...others }, this.#nextParams())
    return this.node(id, approve, { uses: APPROVAL, params, ...(config === undefined ? {} : { config }) })
  }

  /**
   * Adds a node that runs another flow as a run of its own, with the node's input. Its output is that run's. A flow that
   * is given itself, and not by its id, is known wherever this one is.
   */
  child<Id extends string>(id: Id, flow: RunnableFlow | string, options: ChildNodeOptions = {}): Flow<Input, Ids | Id> {
    this.#assertNodeOptions(options)
    const { config, ...others } = options
    const params = readChild({ flow: flowIdOf(flow), ...others }, this.#nextParams())
    const nodeOptions = { uses: CHILD, params, ...(config === undefined ? {} : { config }) }
    return this.#addNode(id, child, nodeOptions, typeof flow === 'string' ? undefined : flow)
  }

  /** Adds a node that waits this long, holding no worker. It has no output. */
  sleep<Id extends string>(id: Id, delayMs: number, options: WaitConfig = {}): Flow<Input, Ids | Id> {
    this.#assertNodeOptions(options)
    const params = readSleep({ delayMs }, this.#nextParams())
    return this.node(id, sleep, { uses: SLEEP, params, ...options })
  }

  /** Adds a node that waits for a signal. Its output is the signal's payload. */
  waitForSignal<Id extends string>(id: Id, options: SignalNodeOptions): Flow<Input, Ids | Id> {
    this.#assertNodeOptions(options, `Name the signal: .waitForSignal('${id}', { signal: 'name' }).`)
    const { config, ...others } = options
    const params = readWaitForSignal(others, this.#nextParams())
    return this.node(id, waitForSignal, { uses: WAIT_FOR_SIGNAL, params, ...(config === undefined ? {} : { config }) })
  }

  /** Lets the target follow the source. */
  edge(source: Ids, target: Ids, options: EdgeOptions = {}): Flow<Input, Ids> {
    const parts = this.#partsToGrow()
    const place = parts.edges.size
    assertOptions(options, `edges[${place}]`)
    const { condition, transform, ...members } = options
    const name = `${this.id}/${edgeIdOf({ source, target, ...members })}`
    const names = {
      condition: typeof condition === 'function' ? `${name}#condition` : condition,
      transform: typeof transform === 'function' ? `${name}#transform` : transform,
    }
    const edge = readEdge({ source, target, ...members, ...names }, `edges[${place}]`)
    addEdge(parts.edges, edge, place, parts.nodes)
    parts.list.push({
      edge,
      ...(typeof condition === 'function' ? { condition } : {}),
      ...(typeof transform === 'function' ? { transform } : {}),
    })
    return new Flow(this.#head, parts, parts.list.length)
  }

  /** The flow's data, checked and frozen: the same object at every call. */
  toBlueprint(): Blueprint {
    this.#blueprint ??= checkBlueprint({
      ...this.#head,
      nodes: this.#list().flatMap((part) => ('node' in part ? [part.node] : [])),
      edges: this.#list().flatMap((part) => ('edge' in part ? [part.edge] : [])),
    })
    return this.#blueprint
  }

  /** The flow's functions, by the names that its blueprint uses. */
  get registry(): FunctionRegistry {
    this.#registry ??= registryOf(this.#list())
    return this.#registry
  }

  /** The flows that its nodes run as runs of their own, where they were given and not named. */
  get children(): readonly RunnableFlow[] {
    return this.#list().flatMap((part) => ('child' in part && part.child !== undefined ? [part.child] : []))
  }

  #list(): readonly Part[] {
    return this.#parts.list.slice(0, this.#length)
  }

  /** The shared list while this flow is its end; a copy of what is its own when another flow has grown out of it. */
  #partsToGrow(): Parts {
    if (this.#parts.list.length === this.#length) return this.#parts
    const parts: Parts = { nodes: new Map(), edges: new Map(), functions: new Map(), list: [...this.#list()] }
    for (const part of parts.list) {
      if ('node' in part) {
        parts.nodes.set(part.node.id, parts.nodes.size)
        parts.functions.set(part.node.uses, part.fn)
      } else parts.edges.set(edgeIdOf(part.edge), parts.edges.size)
    }
    return parts
  }

  #assertNodeOptions(options: unknown, hint?: string): void {
    assertOptions(options, `nodes[${this.#parts.nodes.size}]`, hint)
  }

  #nextParams(): string {
    return `nodes[${this.#partsToGrow().nodes.size}].params`
  }
}

function flowIdOf(flow: unknown): string {
  if (typeof flow === 'string') return flow
  if (typeof (flow as RunnableFlow | undefined)?.toBlueprint === 'function')
    return (flow as RunnableFlow).toBlueprint().id
  const hint = 'Pass what createFlow() gives, or the id of a flow that is registered.'
  throw new BatonError('INVALID_OPTION', { field: 'flow', message: 'not a flow', hint })
}

function assertOptions(options: unknown, field: string, hint = 'Leave them out, or pass {}.'): void {
  if (typeof options === 'object' && options !== null) return
  throw mistake(field, 'its options are not an object', hint)
}

function mergeConfig(members: NodeConfig, config: NodeConfig | undefined, field: string): NodeConfig | undefined {
  if (config === undefined) return ifAny(members)
  for (const [member, value] of Object.entries(members)) {
    if (value === undefined || config?.[member as keyof NodeConfig] === undefined) continue
    throw mistake(`${field}.${member}`, 'is given twice', 'Write it in `config` or beside it, not in both.')
  }
  return ifAny(members) === undefined ? config : { ...members, ...config }
}

function registryOf(list: readonly Part[]): FunctionRegistry {
  const nodes = new Map<string, AnyFunction>()
  const conditions = new Map<string, EdgePredicate>()
  const transforms = new Map<string, EdgeTransform>()
  for (const part of list) {
    if ('node' in part) nodes.set(part.node.uses, part.fn)
    else {
      if (part.condition !== undefined) conditions.set(part.edge.condition as string, part.condition)
      if (part.transform !== undefined) transforms.set(part.edge.transform as string, part.transform)
    }
  }
  return { nodes, conditions, transforms }
}
