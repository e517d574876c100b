/**
 * A blueprint made ready for the engine: every lookup that a commit needs is done once, here. Pure and immutable, so
 * that all runs of a blueprint in a process share one.
 */
import {
  type Blueprint,
  type BlueprintEdge,
  type BlueprintNode,
  type ConcurrencyLimit,
  defaults,
  edgeIdOf,
  type NodeConfig,
  type RateLimit,
  versionOf,
} from '../model/blueprint.ts'
import { BatonError } from '../model/errors.ts'
import type { EdgeId, NodeId } from '../model/ids.ts'
import type { Arrival, JoinRule } from '../model/run.ts'
import type { StandardSchemaV1 } from '../model/standard-schema.ts'
import type { ClaimNeeds } from '../ports/claim.ts'
import { compileLoops, type GraphLoop, type LoopsOf } from './graph-loops.ts'
import { losersOf } from './losers.ts'
import type { EdgePredicate, EdgeTransform, NodeFunction } from './node-function.ts'

export interface Graph {
  readonly blueprint: Blueprint
  readonly flowId: string
  readonly version: string | undefined
  readonly nodes: ReadonlyMap<NodeId, GraphNode>
  /** The nodes that nothing precedes, in the blueprint's order. */
  readonly starts: readonly NodeId[]
  readonly failFast: boolean
  readonly deadlineMs: number | undefined
  /** What its runs have to pass before they begin, in this order. */
  readonly limits: readonly (ConcurrencyLimit | RateLimit)[]
  /** What the input of a new run must fit. Whoever starts one asks it; a run that has started is never asked again. */
  readonly inputSchema: StandardSchemaV1 | undefined
}

export interface GraphNode {
  readonly id: NodeId
  readonly uses: string
  readonly fn: NodeFunction
  readonly source: BlueprintNode
  readonly config: NodeConfig
  readonly rule: JoinRule
  /** Those that lead back to it left out: they begin its next visit, and its join does not wait for them. */
  readonly incoming: readonly GraphEdge[]
  /** Of a fallback node: the edges of the node that it stands in for. */
  readonly outgoing: readonly GraphEdge[]
  /** The loops that it is in, outermost first. */
  readonly loops: readonly GraphLoop[]
  /** The loop that begins with it. */
  readonly heads: GraphLoop | undefined
  /** Itself, or of a fallback the node that it stands in for. */
  readonly place: NodeId
  /** The name of its output in the run's output, where nothing follows it. */
  readonly resultOf: NodeId | undefined
  readonly fallback: NodeId | undefined
  /** It runs in place of a node that failed, with that node's arrivals and its failure. */
  readonly isFallback: boolean
  readonly needs: ClaimNeeds
  /** Its arrivals when it succeeds, where no condition can change them. */
  readonly plainArrivals: readonly Arrival[] | undefined
  /** Whom a commit of this node may make ready. */
  readonly candidates: readonly (ClaimNeeds & { readonly nodeId: NodeId })[]
  /** Nobody comes back to an instance of it that has settled: everything that will arrive has, and it names no taker. */
  readonly meetsOnce: boolean
  /** Nodes that lead only to this `any` join; called off when it has succeeded and asks for that. */
  readonly losers: readonly NodeId[]
}

/** Where a graph finds the functions that its blueprint names. Throws `UNKNOWN_NODE_FUNCTION`. */
export interface GraphCode {
  node(uses: string): NodeFunction
  condition(name: string): EdgePredicate
  transform(name: string): EdgeTransform
  /** The schema of the flow's input, where it has one. */
  input(flowId: string): StandardSchemaV1 | undefined
}

export interface GraphEdge {
  readonly id: EdgeId
  readonly source: NodeId
  readonly target: NodeId
  readonly action: string | undefined
  readonly condition: EdgePredicate | undefined
  readonly transform: EdgeTransform | undefined
  /** The loop that it leads back to the header of; undefined for an edge that leads on. */
  readonly loop: GraphLoop | undefined
  /** Of an edge that leads back. */
  readonly maxVisits: number
  /** How many loops its two ends are in together. */
  readonly shared: number
  /** The outermost loop that it leads out of. */
  readonly leaves: GraphLoop | undefined
}

interface Draft {
  node: BlueprintNode
  incoming: GraphEdge[]
  outgoing: GraphEdge[]
  standsInFor: NodeId | undefined
  loops: readonly GraphLoop[]
}

/** What is known of the whole graph. */
interface About {
  readonly hasLoops: boolean
  /** Somewhere losers are called off. */
  readonly callsOff: boolean
}

/**
 * @param blueprint one that `checkBlueprint` has passed
 * @param code its functions, bound here once: what one version of a flow runs is never looked up under another's names
 */
export function compileGraph(blueprint: Blueprint, code: GraphCode = noCode): Graph {
  const drafts = new Map<NodeId, Draft>()
  const loops = compileLoops(blueprint)
  for (const node of blueprint.nodes) {
    drafts.set(node.id, { node, incoming: [], outgoing: [], standsInFor: undefined, loops: loops.of(node.id) })
  }
  for (const edge of blueprint.edges) {
    const compiled = compileEdge(edge, code, loops)
    drafts.get(edge.source)?.outgoing.push(compiled)
    if (compiled.loop === undefined) drafts.get(edge.target)?.incoming.push(compiled)
    loops.note(compiled)
  }
  for (const { node, incoming, outgoing, loops } of drafts.values()) {
    const stand = node.config?.fallback === undefined ? undefined : drafts.get(node.config.fallback)
    if (stand === undefined) continue
    Object.assign(stand, { standsInFor: node.id, incoming, outgoing, loops })
  }

  const nodes = new Map<NodeId, GraphNode>()
  const callsOff = blueprint.nodes.some(({ config }) => config?.cancelLosers === true)
  const about = { hasLoops: loops.any, callsOff }
  for (const draft of drafts.values()) {
    nodes.set(draft.node.id, toNode(draft, drafts, code.node(draft.node.uses), about))
  }
  const starts = [...drafts.values()]
    .filter((draft) => draft.incoming.length === 0 && draft.standsInFor === undefined)
    .map((draft) => draft.node.id)
  return {
    blueprint,
    flowId: blueprint.id,
    version: versionOf(blueprint),
    nodes,
    starts,
    failFast: blueprint.policy?.failFast ?? true,
    deadlineMs: blueprint.policy?.deadlineMs,
    // The rate last: who was let in begins then, and not when others have ended.
    limits: [...(blueprint.policy?.concurrency ?? []), ...(blueprint.policy?.rate ?? [])],
    inputSchema: code.input(blueprint.id),
  }
}

function compileEdge(edge: BlueprintEdge, code: GraphCode, loops: LoopsOf): GraphEdge {
  const { source, target, action } = edge
  return {
    id: edgeIdOf(edge),
    source,
    target,
    action,
    condition: edge.condition === undefined ? undefined : code.condition(edge.condition),
    transform: edge.transform === undefined ? undefined : code.transform(edge.transform),
    maxVisits: edge.loop?.maxVisits ?? 0,
    ...loops.between(source, target, edge.loop !== undefined),
  }
}

export function nodeOf(graph: Graph, nodeId: NodeId): GraphNode {
  const node = graph.nodes.get(nodeId)
  if (node === undefined) {
    throw new BatonError('NODE_GONE', {
      field: 'nodes',
      message: `flow ${graph.flowId} has no node ${nodeId} any more`,
    })
  }
  return node
}

function toNode(draft: Draft, drafts: ReadonlyMap<NodeId, Draft>, fn: NodeFunction, about: About): GraphNode {
  const { node, incoming, outgoing, standsInFor, loops } = draft
  const config = node.config ?? {}
  const conditional = outgoing.some(({ action, condition }) => action !== undefined || condition !== undefined)
  const targets = new Set(outgoing.map(({ target }) => target))
  if (config.fallback !== undefined) targets.add(config.fallback)
  // A map's items, and the map itself when they have all settled, belong to the same node.
  if (config.map !== undefined) targets.add(node.id)
  for (const id of behindTurns(standsInFor ?? node.id, loops)) targets.add(id)
  return {
    id: node.id,
    uses: node.uses,
    fn,
    source: node,
    config,
    rule: ruleOf(config),
    incoming,
    outgoing,
    loops,
    heads: loops.find(({ header }) => header === (standsInFor ?? node.id)),
    place: standsInFor ?? node.id,
    resultOf: outgoing.every(({ loop }) => loop !== undefined) ? (standsInFor ?? node.id) : undefined,
    fallback: config.fallback,
    isFallback: standsInFor !== undefined,
    needs: needsOf(draft),
    plainArrivals:
      conditional || loops.length > 0 ? undefined : outgoing.map((edge) => arrivalOn(edge, node.id, drafts)),
    candidates: [...targets].map((id) => ({ nodeId: id, ...needsOf(drafts.get(id) as Draft) })),
    meetsOnce: !mayMeetAgain(draft, about),
    losers: config.cancelLosers === true ? losersOf(node.id, drafts) : [],
  }
}

/**
 * In a graph with loops: an edge that leads out arrives in several visits, losers say what their join has said for them
 * at the turn, and an `any` join may be asked whether it had started when what leads to it is long over.
 */
function mayMeetAgain({ node, incoming, loops }: Draft, { hasLoops, callsOff }: About): boolean {
  if (!hasLoops) return false
  if (ruleOf(node.config ?? {}) === 'any' || incoming.some(({ leaves }) => leaves !== undefined)) return true
  return callsOff && loops.at(-1)?.header === node.id
}

/** Any node may be the last of a visit: then the loop turns. Where it does, it may have ended. */
function behindTurns(place: NodeId, loops: readonly GraphLoop[]): NodeId[] {
  return loops.flatMap(({ header, last, exits }) => {
    return place === header || place === last ? [header, ...exits.map(({ target }) => target)] : [header]
  })
}

function ruleOf(config: NodeConfig): JoinRule {
  if (config.joinStrategy !== 'any') return 'all'
  return config.anyFailure === 'ignore' ? 'any-ignore' : 'any'
}

function needsOf({ node, incoming, standsInFor }: Draft): ClaimNeeds {
  const { config = {} } = node
  const sources = Object.values(config.inputs ?? {})
  const input = incoming.length === 0 || standsInFor !== undefined || sources.some((source) => 'run' in source)
  const keys = sources.flatMap((source) => ('context' in source ? [source.context] : []))
  const reads = [...new Set([...(config.reads ?? []), ...keys])]
  return {
    timeoutMs: config.timeoutMs ?? defaults.nodeTimeoutMs,
    ...(reads.length === 0 ? {} : { reads }),
    ...(input ? { input } : {}),
  }
}

function arrivalOn(edge: GraphEdge, from: NodeId, drafts: ReadonlyMap<NodeId, Draft>): Arrival {
  const target = drafts.get(edge.target) as Draft
  return {
    to: edge.target,
    edge: edge.id,
    from,
    fate: 'succeeded',
    rule: ruleOf(target.node.config ?? {}),
    of: target.incoming.length,
  }
}

const noCode: GraphCode = {
  node: (uses) => () => {
    throw new BatonError('UNKNOWN_NODE_FUNCTION', { field: 'uses', message: `the graph has no code for ${uses}` })
  },
  condition: () => () => true,
  transform: () => (output) => output,
  input: () => undefined,
}
