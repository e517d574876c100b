/**
 * createFlow: a blueprint and its functions, written down together.
 *
 * A flow never changes: each call gives a new one, so that a common beginning can be shared and a half-built flow can
 * be handed around. A mistake is reported by the call that makes it, in the words of `checkBlueprint`.
 */

import {
  approve,
  child,
  readApproval,
  readChild,
  readSleep,
  readWaitForSignal,
  sleep,
  waitForSignal,
} from '../engine/built-in-nodes.ts'
import type { NodeArguments } from '../engine/node-function.ts'
import type { FunctionRegistry, inputType, RunnableFlow } from '../engine/registry.ts'
import { type Blueprint, type ConcurrencyLimit, edgeIdOf, type NodeConfig, type RateLimit } from '../model/blueprint.ts'
import { APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL } from '../model/built-in-uses.ts'
import { checkBlueprint, readEdge, readHead, readNode } from '../model/check-blueprint.ts'
import { addEdge, addNodeId } from '../model/check-graph.ts'
import { checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import { mistake } from '../model/readers.ts'
import type { ApprovalDecision } from '../model/run.ts'
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from '../model/standard-schema.ts'
import type {
  ApprovalNodeOptions,
  ChildNodeOptions,
  EdgeOptions,
  FlowOptions,
  MapOptions,
  NodeOptions,
  SchemaOptions,
  SignalNodeOptions,
  WaitConfig,
} from './flow-options.ts'
import { toLimits } from './limit-options.ts'
import { assertSchema, isSameCode, nodeCode } from './node-code.ts'
import type { Fitting, ListGiven, ListTaken, NodeTypes, OutputOf, Returns, ReturnsFor, Taken } from './node-types.ts'
import { copyOf, noParts, type Part, type Parts, registryOf } from './parts.ts'

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
export function createFlow<Schema extends StandardSchemaV1>(
  id: string,
  options: FlowOptions<Schema> & { readonly input: Schema },
): Flow<SchemaInput<Schema>, never, never>
export function createFlow<Input = unknown>(
  id: string,
  options?: FlowOptions & { readonly input?: StandardSchemaV1<Input, unknown> },
): Flow<Input, never, never>
export function createFlow(id: string, options: FlowOptions = {}): Flow<unknown, never, never> {
  checkOptions(options, flowOptions)
  const { version, description, failFast, deadlineMs, input } = options
  const concurrency = toLimits<ConcurrencyLimit>(options.concurrency)
  const rate = toLimits<RateLimit>(options.rateLimit)
  const policy = ifAny({ failFast, deadlineMs, concurrency, rate })
  const head = { id, metadata: ifAny({ version, description }), policy }
  assertSchema(input, 'input')
  return new Flow<unknown, never, never>(readHead(head, ''), noParts(input), 0)
}

const flowOptions = [
  'version',
  'description',
  'failFast',
  'deadlineMs',
  'input',
  'concurrency',
  'rateLimit',
] as const satisfies readonly (keyof FlowOptions)[]

type AddOptions = NodeOptions & SchemaOptions

/** Undefined members count as absent, but a member without members would not. */
function ifAny<Members extends object>(members: Members): Members | undefined {
  return Object.values(members).some((value) => value !== undefined) ? members : undefined
}

/** The input of a flow's runs: `InputOf<typeof flow>`. */
export type InputOf<F> = F extends RunnableFlow<infer Input> ? Input : never

/** A blueprint and its functions. `Ids` are the ids of its nodes so far, `Types` what they take and give. */
export class Flow<Input = unknown, Ids extends string = string, Types = unknown> implements RunnableFlow<Input> {
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

  /** Adds a node. With schemas, their types are those of its input and of what it must return. */
  node<
    Id extends string,
    OutSchema extends StandardSchemaV1,
    In = unknown,
    Accepted = In,
    Mapped extends NodeConfig['inputs'] = undefined,
  >(
    id: Id,
    fn: (args: NodeArguments<In>) => ReturnsFor<OutSchema> | Promise<ReturnsFor<OutSchema>>,
    options: NodeOptions<Mapped> & SchemaOptions<Accepted, In, OutSchema> & { readonly output: OutSchema },
  ): Flow<Input, Ids | Id, Types | NodeTypes<Id, Taken<Mapped, Accepted>, SchemaOutput<OutSchema>>>
  node<
    Id extends string,
    Return extends Returns,
    In = unknown,
    Accepted = In,
    Mapped extends NodeConfig['inputs'] = undefined,
  >(
    id: Id,
    fn: (args: NodeArguments<In>) => Return,
    options?: NodeOptions<Mapped> & SchemaOptions<Accepted, In, undefined>,
  ): Flow<Input, Ids | Id, Types | NodeTypes<Id, Taken<Mapped, Accepted>, OutputOf<Return>>>
  node<Id extends string>(id: Id, fn: unknown, options: AddOptions = {}): Flow<Input, Ids | Id, Types> {
    return this.#add(id, fn, options)
  }

  #add<Id extends string, More>(
    id: Id,
    fn: unknown,
    options: AddOptions,
    runs?: RunnableFlow,
  ): Flow<Input, Ids | Id, Types | More> {
    const parts = this.#partsToGrow()
    const place = parts.nodes.size
    assertOptions(options, `nodes[${place}]`)
    const { uses = `${this.id}/${id}`, params, config, input, output, ...members } = options
    const merged = mergeConfig(members as NodeConfig, config as NodeConfig | undefined, `nodes[${place}].config`)
    const node = readNode({ id, uses, params, config: merged }, `nodes[${place}]`)
    const given = nodeCode(id, fn, input, output, `nodes[${place}]`)
    const known = parts.functions.get(node.uses)
    if (!parts.nodes.has(node.id) && known !== undefined && !isSameCode(known, given)) {
      const hint = 'Give each function, with its schemas, its own name; without `uses` it is called by flow and node.'
      throw mistake(`nodes[${place}].uses`, `${JSON.stringify(node.uses)} is another function already`, hint)
    }
    addNodeId(parts.nodes, node.id, place)
    const code = known ?? given
    parts.functions.set(node.uses, code)
    parts.list.push(runs === undefined ? { node, code } : { node, code, child: runs })
    return new Flow(this.#head, parts, parts.list.length)
  }

  /** Adds a node whose function is called for each item of the list that is its input; it gives the list of outputs. */
  map<
    Id extends string,
    OutSchema extends StandardSchemaV1,
    Item = unknown,
    Accepted = Item,
    Mapped extends NodeConfig['inputs'] = undefined,
  >(
    id: Id,
    fn: (args: NodeArguments<Item>) => ReturnsFor<OutSchema> | Promise<ReturnsFor<OutSchema>>,
    options: MapOptions<Mapped> & SchemaOptions<Accepted, Item, OutSchema> & { readonly output: OutSchema },
  ): Flow<
    Input,
    Ids | Id,
    Types | NodeTypes<Id, Taken<Mapped, ListTaken<Accepted>>, ListGiven<SchemaOutput<OutSchema>>>
  >
  map<
    Id extends string,
    Return extends Returns,
    Item = unknown,
    Accepted = Item,
    Mapped extends NodeConfig['inputs'] = undefined,
  >(
    id: Id,
    fn: (args: NodeArguments<Item>) => Return,
    options?: MapOptions<Mapped> & SchemaOptions<Accepted, Item, undefined>,
  ): Flow<Input, Ids | Id, Types | NodeTypes<Id, Taken<Mapped, ListTaken<Accepted>>, ListGiven<OutputOf<Return>>>>
  map<Id extends string>(id: Id, fn: unknown, options: MapOptions & SchemaOptions = {}): Flow<Input, Ids | Id, Types> {
    this.#assertNodeOptions(options)
    const { concurrency, maxFailures, ...others } = options
    const map = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(maxFailures === undefined ? {} : { maxFailures }),
    }
    return this.#add(id, fn, { ...others, map } as AddOptions)
  }

  /** Adds a node that asks people. Its output is the decision; a denial takes the edge with the action `denied`. */
  approval<Id extends string>(
    id: Id,
    options: ApprovalNodeOptions = {},
  ): Flow<Input, Ids | Id, Types | NodeTypes<Id, unknown, ApprovalDecision>> {
    this.#assertNodeOptions(options)
    const { config, name = id, ...others } = options
    const params = readApproval({ name, ...others }, this.#nextParams())
    return this.#add(id, approve, { uses: APPROVAL, params, ...(config === undefined ? {} : { config }) })
  }

  /**
   * Adds a node that runs another flow as a run of its own, with the node's input. Its output is that run's. A flow that
   * is given itself, and not by its id, is known wherever this one is.
   */
  child<
    Id extends string,
    ChildInput = unknown,
    Mapped extends NodeConfig['inputs'] = undefined,
    Listed extends NodeConfig['map'] = undefined,
  >(
    id: Id,
    flow: RunnableFlow<ChildInput> | string,
    options: ChildNodeOptions<Mapped, Listed> = {},
  ): Flow<Input, Ids | Id, Types | NodeTypes<Id, Taken<Mapped, Taken<Listed, ChildInput>>, unknown>> {
    this.#assertNodeOptions(options)
    const { config, ...others } = options
    const params = readChild({ flow: flowIdOf(flow), ...others }, this.#nextParams())
    const nodeOptions = { uses: CHILD, params, ...(config === undefined ? {} : { config: config as NodeConfig }) }
    return this.#add(id, child, nodeOptions, typeof flow === 'string' ? undefined : flow)
  }

  /** Adds a node that waits this long, holding no worker. It has no output. */
  sleep<Id extends string>(
    id: Id,
    delayMs: number,
    options: WaitConfig = {},
  ): Flow<Input, Ids | Id, Types | NodeTypes<Id, unknown, undefined>> {
    this.#assertNodeOptions(options)
    const params = readSleep({ delayMs }, this.#nextParams())
    return this.#add(id, sleep, { uses: SLEEP, params, ...options })
  }

  /** Adds a node that waits for a signal. Its output is the signal's payload. */
  waitForSignal<Id extends string>(id: Id, options: SignalNodeOptions): Flow<Input, Ids | Id, Types> {
    this.#assertNodeOptions(options, `Name the signal: .waitForSignal('${id}', { signal: 'name' }).`)
    const { config, ...others } = options
    const params = readWaitForSignal(others, this.#nextParams())
    return this.#add(id, waitForSignal, { uses: WAIT_FOR_SIGNAL, params, ...(config === undefined ? {} : { config }) })
  }

  /**
   * Lets the target follow the source. Where both types are known, the source's output must fit the target's input; a
   * transform may turn anything into anything.
   */
  edge(
    source: Ids,
    target: Ids,
    options: EdgeOptions & { readonly transform: NonNullable<EdgeOptions['transform']> },
  ): Flow<Input, Ids, Types>
  edge<Source extends Ids, Target extends Ids>(
    source: Source,
    target: Target & Fitting<Types, Source, Target>,
    options?: EdgeOptions,
  ): Flow<Input, Ids, Types>
  edge(source: Ids, target: Ids, options: EdgeOptions = {}): Flow<Input, Ids, Types> {
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
    this.#registry ??= registryOf(this.#list(), this.id, this.#parts.input)
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
    return this.#parts.list.length === this.#length ? this.#parts : copyOf(this.#parts, this.#list())
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
