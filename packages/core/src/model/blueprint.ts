/**
 * A blueprint is an immutable, JSON-serialisable graph: nodes, edges, policies. It holds no code; nodes, conditions and
 * transforms name functions of a registry. `check-blueprint.ts` turns unknown data into one.
 */
import type { EdgeId, NodeId } from './ids.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { RetryPolicy } from './retry.ts'

export interface Blueprint {
  readonly id: string
  readonly metadata?: BlueprintMetadata
  readonly nodes: readonly BlueprintNode[]
  readonly edges: readonly BlueprintEdge[]
  readonly policy?: RunPolicy
}

/** The name that the documents around workflows use; the same thing. */
export type WorkflowBlueprint = Blueprint

export interface BlueprintMetadata {
  /** A run stays on the version it was started with. Compared as text. */
  readonly version?: string
  readonly description?: string
}

export interface RunPolicy {
  /** After a failure that nothing takes, start nothing new. Default true. */
  readonly failFast?: boolean
  /** The run fails with `RUN_TIMEOUT` this long after its start. */
  readonly deadlineMs?: number
  /** How many runs may be under way at the same time. Of several limits, all hold. */
  readonly concurrency?: readonly ConcurrencyLimit[]
  /** How many runs may begin within a time. Of several limits, all hold. */
  readonly rate?: readonly RateLimit[]
}

export interface ConcurrencyLimit {
  readonly limit: number
  /** The place in a run's input where the key stands: each key then has this limit for itself. Default: one for the flow. */
  readonly key?: readonly string[]
}

export interface RateLimit extends ConcurrencyLimit {
  /** No more than `limit` runs begin in any stretch of time that is this long. */
  readonly periodMs: number
}

export interface BlueprintNode {
  readonly id: NodeId
  /** The name of the node's function in the registry. */
  readonly uses: string
  /** Fixed arguments for the function, e.g. the prompt of a generic node. */
  readonly params?: JsonObject
  readonly config?: NodeConfig
}

export interface NodeConfig {
  /** When a node with several predecessors starts: after `all` of them (default), or after the first success. */
  readonly joinStrategy?: 'all' | 'any'
  /** What a failed predecessor does to a waiting `any` join. Default `cancel`. */
  readonly anyFailure?: 'cancel' | 'ignore'
  /** Cancel what only leads to this `any` join once it has succeeded. Default false. */
  readonly cancelLosers?: boolean
  readonly retry?: RetryPolicy
  /** For one attempt. Default 5 minutes. */
  readonly timeoutMs?: number
  /** How often a worker may die or freeze while it runs this node. Default 5. */
  readonly maxLostLeases?: number
  /** A node that does the work instead when this one has failed for good. It has no edges of its own. */
  readonly fallback?: NodeId
  readonly map?: MapPolicy
  /** Context keys to bring along with the claim; other keys are read when the node asks. */
  readonly reads?: readonly string[]
  /** The members of the node's input. Without it the input follows from the edges. */
  readonly inputs?: { readonly [member: string]: InputSource }
}

/** The node runs once per item of the list that is its input, and its output is the list of their outputs. */
export interface MapPolicy {
  /** How many items run at the same time. Default 16. */
  readonly concurrency?: number
  /** How many items may fail before the node does. A failed item's place in the output is null. Default 0. */
  readonly maxFailures?: number
}

/** Where a member of an input comes from; `path` walks into it. */
export type InputSource =
  | { readonly node: NodeId; readonly path?: readonly string[] }
  | { readonly run: true; readonly path?: readonly string[] }
  | { readonly context: string; readonly path?: readonly string[] }
  | { readonly value: JsonValue }

export interface BlueprintEdge {
  readonly source: NodeId
  readonly target: NodeId
  /** Needed only to tell two edges between the same nodes apart. */
  readonly id?: EdgeId
  /** Taken only when the source returned this `action`. */
  readonly action?: string
  /** Taken only when this registered predicate says so. */
  readonly condition?: string
  /** A registered function that turns the source's output into what the target gets. */
  readonly transform?: string
  /** It leads back to where a loop begins: when it is taken, the loop's nodes are visited again. */
  readonly loop?: LoopPolicy
}

export interface LoopPolicy {
  /** How often the loop may be visited, the first time included; one visit more fails with `MAX_VISITS`. */
  readonly maxVisits: number
}

/** The name of an edge in arrivals and events. */
export function edgeIdOf(edge: BlueprintEdge): EdgeId {
  if (edge.id !== undefined) return edge.id
  return edge.action === undefined ? `${edge.source}->${edge.target}` : `${edge.source}-${edge.action}->${edge.target}`
}

export function versionOf(blueprint: Blueprint): string | undefined {
  return blueprint.metadata?.version
}

/** The one table of defaults, printed by the apps and used by tests. Times in milliseconds. */
export const defaults = {
  leaseMs: 30_000,
  sweepMs: 5_000,
  redispatchMs: 30_000,
  redispatchMaxMs: 600_000,
  attempts: 1,
  maxLostLeases: 5,
  nodeTimeoutMs: 300_000,
  abandonAfterMs: 5_000,
  stopWithinMs: 25_000,
  retentionMs: 7 * 24 * 3_600_000,
  tombstoneMs: 14 * 24 * 3_600_000,
  mapConcurrency: 16,
  inlineMaxNodes: 100,
  inlineMaxMs: 1_000,
  journalMaxEvents: 1_000_000,
  concurrency: 16,
} as const
