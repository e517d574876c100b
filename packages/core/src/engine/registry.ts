/**
 * What one process can run: functions by name, blueprints by id and version. Names are looked up in maps and nowhere
 * else; text from a blueprint is never code.
 */

import type { Blueprint } from '../model/blueprint.ts'
import { checkBlueprint } from '../model/check-blueprint.ts'
import { assertOptions, checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import { parseFlowId } from '../model/ids.ts'
import { canonicalText, type JsonValue } from '../model/json.ts'
import type { StandardSchemaV1 } from '../model/standard-schema.ts'
import { builtInNodes } from './built-in-nodes.ts'
import { compileGraph, type Graph, type GraphCode } from './graph.ts'
import type { EdgePredicate, EdgeTransform, NodeFunction } from './node-function.ts'

/** Functions by the names that blueprints use. */
export interface FunctionRegistry {
  // Node functions take inputs of every type; what fits together is the builder's business, not the registry's.
  readonly nodes: ReadonlyMap<string, NodeFunction<never, unknown>>
  readonly conditions: ReadonlyMap<string, EdgePredicate>
  readonly transforms: ReadonlyMap<string, EdgeTransform>
  /** What the input of a flow's runs must fit, by flow id. Schemas of nodes are part of their functions. */
  readonly inputs?: ReadonlyMap<string, StandardSchemaV1>
}

export declare const inputType: unique symbol

/** A blueprint with its functions: what `createFlow` builds. */
export interface RunnableFlow<Input = unknown> {
  /** For types only: the input of its runs. */
  readonly [inputType]?: Input
  toBlueprint(): Blueprint
  readonly registry: FunctionRegistry
  /** Flows that it runs as runs of their own, and brings along. */
  readonly children?: readonly RunnableFlow[]
}

/** What a runtime, worker or client is given: flows, or the functions and blueprints apart. */
export interface FlowSources {
  readonly flows?: readonly RunnableFlow[]
  readonly registry?: Readonly<Record<string, NodeFunction<never, unknown>>> | FunctionRegistry
  readonly blueprints?: readonly Blueprint[] | Readonly<Record<string, Blueprint>>
}

export const flowSources = ['flows', 'registry', 'blueprints'] as const satisfies readonly (keyof FlowSources)[]

/** Of the options of somebody who takes flows among others. */
export function sourcesOf({ flows, registry, blueprints }: FlowSources): FlowSources {
  return {
    ...(flows === undefined ? {} : { flows }),
    ...(registry === undefined ? {} : { registry }),
    ...(blueprints === undefined ? {} : { blueprints }),
  }
}

export class Registry {
  /** Functions under names that every blueprint may use: those given apart, and what comes with Baton. */
  readonly #shared = new CodeBook(builtInNodes)
  /** By flow id, then by version; unversioned under the empty text. */
  readonly #graphs = new Map<string, Map<string, Graph>>()
  readonly #latest = new Map<string, Graph>()
  readonly #ofFlow = new WeakMap<RunnableFlow, Graph>()

  constructor(sources: FlowSources) {
    checkOptions(sources, flowSources)
    const { registry, blueprints = [], flows = [] } = sources
    if (!Array.isArray(flows)) {
      const hint = 'Put it in square brackets: `flows: [flow]`.'
      throw new BatonError('INVALID_OPTION', { field: 'flows', message: 'must be a list of flows', hint })
    }
    assertOptions(blueprints, 'blueprints')
    if (registry !== undefined) this.#shared.add(toFunctionRegistry(registry))
    for (const flow of flows) this.#share(flow)
    for (const blueprint of Array.isArray(blueprints) ? blueprints : Object.values(blueprints)) this.add(blueprint)
    for (const flow of flows) this.addFlow(flow)
  }

  /**
   * Adds a flow, and gives the graph that runs this flow's own functions: another flow, or another version of it, may
   * use the same names for other code.
   */
  addFlow(flow: RunnableFlow): Graph {
    assertFlow(flow)
    const known = this.#ofFlow.get(flow)
    if (known !== undefined) return known
    for (const child of flow.children ?? []) this.addFlow(child)
    const own = new CodeBook(flow.registry.nodes, this.#shared)
    own.add(flow.registry)
    const blueprint = checkBlueprint(flow.toBlueprint())
    const graph = compileGraph(blueprint, checkNames(blueprint, own))
    this.#register(graph)
    this.#ofFlow.set(flow, graph)
    return graph
  }

  #share(flow: RunnableFlow): void {
    assertFlow(flow)
    for (const child of flow.children ?? []) this.#share(child)
    this.#shared.add(flow.registry)
  }

  /** Adds a blueprint whose functions were given apart. Adding the same one again changes nothing. */
  add(blueprint: Blueprint): Graph {
    const checked = checkBlueprint(blueprint)
    return this.#register(compileGraph(checked, checkNames(checked, this.#shared)))
  }

  /**
   * The graph for a run that was started with this version, or undefined where this process lacks it. A run without a
   * version takes the blueprint that is here.
   */
  find(flowId: string, version: string | undefined): Graph | undefined {
    const versions = this.#graphs.get(flowId)
    return version === undefined ? (versions?.get('') ?? this.latest(flowId)) : versions?.get(version)
  }

  /** The graph of this flow that was added last. */
  latest(flowId: string): Graph | undefined {
    return this.#latest.get(flowId)
  }

  /** The graph to start a new run with: the flow's own, or of this id the given version or the one added last. */
  toStart(flow: RunnableFlow | string, version?: string): Graph {
    if (version !== undefined) parseFlowId(version, 'version')
    return typeof flow === 'string' ? this.#named(flow, version) : this.#own(flow, version)
  }

  #own(flow: RunnableFlow, version: string | undefined): Graph {
    const graph = this.addFlow(flow)
    if (version === undefined || version === graph.version) return graph
    throw new BatonError('INVALID_OPTION', {
      field: 'version',
      message: `asked for ${version}, but this flow is ${graph.flowId}@${graph.version ?? '(no version)'}`,
      hint: 'Leave it out, or name the flow by its id.',
    })
  }

  #named(flowId: string, version: string | undefined): Graph {
    const graph = version === undefined ? this.latest(flowId) : this.find(flowId, version)
    if (graph !== undefined) return graph
    const known = this.#knownInstead(flowId).sort().join(', ')
    throw new BatonError('UNKNOWN_FLOW', {
      field: 'flowId',
      message: `${version === undefined ? flowId : `${flowId}@${version}`} is not registered here; known: ${known || 'none'}`,
    })
  }

  /** The other versions of the flow; without any, all flows. */
  #knownInstead(flowId: string): string[] {
    const versions = this.#graphs.get(flowId)
    if (versions === undefined) return [...this.#latest.keys()]
    return [...versions.keys()].map((version) =>
      version === '' ? `${flowId} without a version` : `${flowId}@${version}`,
    )
  }

  graphs(): readonly Graph[] {
    return [...this.#graphs.values()].flatMap((versions) => [...versions.values()])
  }

  #register(graph: Graph): Graph {
    const { flowId, version = '' } = graph
    const versions = this.#graphs.get(flowId) ?? new Map<string, Graph>()
    const known = versions.get(version)
    if (known !== undefined && !sameText(known.blueprint, graph.blueprint)) {
      throw new BatonError('VERSION_CONFLICT', { field: `${flowId}@${version === '' ? '(none)' : version}` })
    }
    if (known !== undefined && !sameCode(known, graph)) {
      throw new BatonError('VERSION_CONFLICT', {
        field: `${flowId}@${version === '' ? '(none)' : version}`,
        message: 'another flow of this id and version has other functions',
        hint: 'Build a flow once and start it often. What differs from run to run belongs into the input.',
      })
    }
    if (known !== undefined) return known
    versions.set(version, graph)
    this.#graphs.set(flowId, versions)
    this.#latest.set(flowId, graph)
    return graph
  }
}

/** Functions by name, with another book to look into for what is not in this one. */
class CodeBook implements GraphCode {
  readonly #nodes: Map<string, NodeFunction<never, unknown>>
  readonly #conditions = new Map<string, EdgePredicate>()
  readonly #transforms = new Map<string, EdgeTransform>()
  readonly #inputs = new Map<string, StandardSchemaV1>()
  readonly #next: GraphCode | undefined

  constructor(nodes: ReadonlyMap<string, NodeFunction<never, unknown>>, next?: GraphCode) {
    this.#nodes = new Map(nodes)
    this.#next = next
  }

  add({ nodes, conditions, transforms, inputs = NO_INPUTS }: FunctionRegistry): void {
    for (const [name, fn] of nodes) this.#nodes.set(name, fn)
    for (const [name, fn] of conditions) this.#conditions.set(name, fn)
    for (const [name, fn] of transforms) this.#transforms.set(name, fn)
    for (const [flowId, schema] of inputs) this.#inputs.set(flowId, schema)
  }

  node(uses: string): NodeFunction {
    const fn = (this.#nodes.get(uses) as NodeFunction | undefined) ?? this.#next?.node(uses)
    if (fn === undefined) throw unknownName('uses', uses)
    return fn
  }

  condition(name: string): EdgePredicate {
    const fn = this.#conditions.get(name) ?? this.#next?.condition(name)
    if (fn === undefined) throw unknownName('condition', name)
    return fn
  }

  transform(name: string): EdgeTransform {
    const fn = this.#transforms.get(name) ?? this.#next?.transform(name)
    if (fn === undefined) throw unknownName('transform', name)
    return fn
  }

  /** Of the flow itself: another one of the same id does not lend its schema. */
  input(flowId: string): StandardSchemaV1 | undefined {
    return this.#inputs.get(flowId)
  }
}

const NO_INPUTS: ReadonlyMap<string, StandardSchemaV1> = new Map()

/** Sees to it that every name is known before anything is compiled, so that the error can say where it stands. */
function checkNames(blueprint: Blueprint, code: GraphCode): GraphCode {
  const at = (field: string, look: () => unknown) => {
    try {
      look()
    } catch (error) {
      throw BatonError.is(error)
        ? new BatonError(error.code, { field, message: error.message.slice(error.message.indexOf(': ') + 2) })
        : error
    }
  }
  blueprint.nodes.forEach(({ uses }, index) => {
    at(`nodes[${index}].uses`, () => code.node(uses))
  })
  blueprint.edges.forEach(({ condition, transform }, index) => {
    if (condition !== undefined) at(`edges[${index}].condition`, () => code.condition(condition))
    if (transform !== undefined) at(`edges[${index}].transform`, () => code.transform(transform))
  })
  return code
}

function unknownName(kind: string, name: string): BatonError {
  const message = `no function is registered as ${JSON.stringify(name)}`
  return new BatonError('UNKNOWN_NODE_FUNCTION', { field: kind, message })
}

function sameText(left: Blueprint, right: Blueprint): boolean {
  return left === right || canonicalText(left as unknown as JsonValue) === canonicalText(right as unknown as JsonValue)
}

/** Whether runs of one may as well be carried out by the other. Both have the same blueprint. */
function sameCode(left: Graph, right: Graph): boolean {
  if (left.inputSchema !== right.inputSchema) return false
  for (const [nodeId, node] of left.nodes) {
    const other = right.nodes.get(nodeId)
    if (other?.fn !== node.fn) return false
    for (const [index, { condition, transform }] of node.outgoing.entries()) {
      const edge = other.outgoing[index]
      if (edge?.condition !== condition || edge?.transform !== transform) return false
    }
  }
  return true
}

function toFunctionRegistry(given: NonNullable<FlowSources['registry']>): FunctionRegistry {
  assertOptions(given, 'registry')
  if (given.nodes instanceof Map) return given as FunctionRegistry
  const nodes = new Map(Object.entries(given as Record<string, NodeFunction<never, unknown>>))
  for (const [name, fn] of nodes) {
    if (typeof fn === 'function') continue
    throw new BatonError('INVALID_OPTION', { field: `registry.${name}`, message: `not a function: ${typeof fn}` })
  }
  return { nodes, conditions: new Map(), transforms: new Map() }
}

export function assertRegistry(registry: unknown, field = 'registry'): asserts registry is Registry {
  if (typeof (registry as Registry | undefined)?.toStart === 'function') return
  const hint = 'Write `new Registry({ flows: [flow] })`.'
  throw new BatonError('INVALID_OPTION', { field, message: 'not a Registry', hint })
}

function assertFlow(flow: unknown): asserts flow is RunnableFlow {
  if (typeof (flow as RunnableFlow | undefined)?.toBlueprint === 'function') return
  const hint = 'Pass what createFlow() gives, or the id of a flow that is registered.'
  throw new BatonError('INVALID_OPTION', {
    field: 'flow',
    message: `not a flow: ${flow === null ? 'null' : typeof flow}`,
    hint,
  })
}
