/**
 * What one process can run: functions by name, blueprints by id and version. Names are looked up in maps and nowhere
 * else; text from a blueprint is never code.
 */
import { checkBlueprint } from '../model/check-blueprint.ts'
import { type Blueprint, versionOf } from '../model/blueprint.ts'
import { BatonError } from '../model/errors.ts'
import { canonicalText, type JsonValue } from '../model/json.ts'
import { compileGraph, type Graph } from './graph.ts'
import type { EdgePredicate, EdgeTransform, NodeFunction } from './node-function.ts'

/** Functions by the names that blueprints use. */
export interface FunctionRegistry {
  // Node functions take inputs of every type; what fits together is the builder's business, not the registry's.
  readonly nodes: ReadonlyMap<string, NodeFunction<never, unknown>>
  readonly conditions: ReadonlyMap<string, EdgePredicate>
  readonly transforms: ReadonlyMap<string, EdgeTransform>
}

/** A blueprint with its functions: what `createFlow` builds. */
export interface RunnableFlow {
  toBlueprint(): Blueprint
  readonly registry: FunctionRegistry
}

/** What a runtime, worker or client is given: flows, or the functions and blueprints apart. */
export interface FlowSources {
  readonly flows?: readonly RunnableFlow[]
  readonly registry?: Readonly<Record<string, NodeFunction<never, unknown>>> | FunctionRegistry
  readonly blueprints?: readonly Blueprint[] | Readonly<Record<string, Blueprint>>
}

export class Registry {
  readonly #nodes = new Map<string, NodeFunction<never, unknown>>()
  readonly #conditions = new Map<string, EdgePredicate>()
  readonly #transforms = new Map<string, EdgeTransform>()
  /** By flow id, then by version; unversioned under the empty text. */
  readonly #graphs = new Map<string, Map<string, Graph>>()
  readonly #latest = new Map<string, Graph>()

  constructor(sources: FlowSources) {
    if (sources.registry !== undefined) this.#addFunctions(toFunctionRegistry(sources.registry))
    const { blueprints = [] } = sources
    for (const flow of sources.flows ?? []) this.#addFunctions(flow.registry)
    for (const blueprint of Array.isArray(blueprints) ? blueprints : Object.values(blueprints)) this.add(blueprint)
    for (const flow of sources.flows ?? []) this.add(flow.toBlueprint())
  }

  /** Adds a flow with its functions, and gives its graph. */
  addFlow(flow: RunnableFlow): Graph {
    const blueprint = flow.toBlueprint()
    const known = this.find(blueprint.id, versionOf(blueprint))
    if (known?.blueprint === blueprint) return known
    this.#addFunctions(flow.registry)
    return this.add(blueprint)
  }

  /** Checks the blueprint and that every function it names is here. Adding the same one again changes nothing. */
  add(blueprint: Blueprint): Graph {
    const checked = checkBlueprint(blueprint)
    const version = versionOf(checked) ?? ''
    const versions = this.#graphs.get(checked.id) ?? new Map<string, Graph>()
    const known = versions.get(version)
    if (known !== undefined) {
      if (known.blueprint === blueprint || sameText(known.blueprint, checked)) return known
      throw new BatonError('VERSION_CONFLICT', { field: `${checked.id}@${version === '' ? '(none)' : version}` })
    }
    this.#checkNames(checked)
    const graph = compileGraph(checked)
    versions.set(version, graph)
    this.#graphs.set(checked.id, versions)
    this.#latest.set(checked.id, graph)
    return graph
  }

  /** The graph for a run that was started with this version, or undefined where this process lacks it. */
  find(flowId: string, version: string | undefined): Graph | undefined {
    return this.#graphs.get(flowId)?.get(version ?? '')
  }

  /** The graph of this flow that was added last. */
  latest(flowId: string): Graph | undefined {
    return this.#latest.get(flowId)
  }

  /** The graph to start a new run with: the given version, or the one added last. */
  toStart(flowId: string, version?: string): Graph {
    const graph = version === undefined ? this.latest(flowId) : this.find(flowId, version)
    if (graph !== undefined) return graph
    const known = [...this.#latest.keys()].sort().join(', ')
    throw new BatonError('UNKNOWN_FLOW', {
      field: 'flowId',
      message: `${version === undefined ? flowId : `${flowId}@${version}`} is not registered here; known: ${known || 'none'}`,
    })
  }

  graphs(): readonly Graph[] {
    return [...this.#graphs.values()].flatMap((versions) => [...versions.values()])
  }

  nodeFunction(uses: string): NodeFunction<never, unknown> {
    const found = this.#nodes.get(uses)
    if (found === undefined) throw new BatonError('UNKNOWN_NODE_FUNCTION', { field: 'uses', message: `no function ${uses}` })
    return found
  }

  condition(name: string): EdgePredicate {
    const found = this.#conditions.get(name)
    if (found === undefined) throw new BatonError('UNKNOWN_NODE_FUNCTION', { field: 'condition', message: `no condition ${name}` })
    return found
  }

  transform(name: string): EdgeTransform {
    const found = this.#transforms.get(name)
    if (found === undefined) throw new BatonError('UNKNOWN_NODE_FUNCTION', { field: 'transform', message: `no transform ${name}` })
    return found
  }

  #addFunctions(registry: FunctionRegistry): void {
    for (const [name, fn] of registry.nodes) this.#nodes.set(name, fn)
    for (const [name, fn] of registry.conditions) this.#conditions.set(name, fn)
    for (const [name, fn] of registry.transforms) this.#transforms.set(name, fn)
  }

  #checkNames(blueprint: Blueprint): void {
    blueprint.nodes.forEach((node, index) => {
      if (!this.#nodes.has(node.uses)) throw unknownName(`nodes[${index}].uses`, node.uses)
    })
    blueprint.edges.forEach(({ condition, transform }, index) => {
      if (condition !== undefined && !this.#conditions.has(condition)) {
        throw unknownName(`edges[${index}].condition`, condition)
      }
      if (transform !== undefined && !this.#transforms.has(transform)) {
        throw unknownName(`edges[${index}].transform`, transform)
      }
    })
  }
}

function unknownName(field: string, name: string): BatonError {
  return new BatonError('UNKNOWN_NODE_FUNCTION', { field, message: `no function is registered as ${JSON.stringify(name)}` })
}

function sameText(left: Blueprint, right: Blueprint): boolean {
  return canonicalText(left as unknown as JsonValue) === canonicalText(right as unknown as JsonValue)
}

function toFunctionRegistry(given: NonNullable<FlowSources['registry']>): FunctionRegistry {
  if (given.nodes instanceof Map) return given as FunctionRegistry
  const nodes = new Map(Object.entries(given as Record<string, NodeFunction<never, unknown>>))
  return { nodes, conditions: new Map(), transforms: new Map() }
}
