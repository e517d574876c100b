/** What the calls of `create-flow.ts` accept beside ids and functions. */
import type { EdgePredicate, EdgeTransform } from '../engine/node-function.ts'
import type { ConcurrencyLimit, LoopPolicy, NodeConfig, RateLimit } from '../model/blueprint.ts'
import type { JsonObject, JsonValue } from '../model/json.ts'
import type { StandardSchemaV1 } from '../model/standard-schema.ts'

export interface FlowOptions<Schema extends StandardSchemaV1 = StandardSchemaV1> {
  /** What the input of a run must fit, by zod, valibot, arktype or any other Standard Schema. Checked by whoever starts it. */
  readonly input?: Schema
  /** Runs stay on the version that they were started with. Compared as text. */
  readonly version?: string
  readonly description?: string
  /** After a failure that nothing takes, start nothing new. Default true. */
  readonly failFast?: boolean
  /** A run fails with `RUN_TIMEOUT` this long after its start. */
  readonly deadlineMs?: number
  /** How many runs may be under way at the same time; with a `key`, how many for each key. Of several, all hold. */
  readonly concurrency?: LimitOption<ConcurrencyLimit>
  /** How many runs may begin within `periodMs`; with a `key`, how many for each key. Of several, all hold. */
  readonly rateLimit?: LimitOption<RateLimit>
}

/** A key is a member of the input, or the members that lead to one. */
export type KeyedLimit<Limit> = Omit<Limit, 'key'> & { readonly key?: string | readonly string[] }

export type LimitOption<Limit> = KeyedLimit<Limit> | readonly KeyedLimit<Limit>[]

/** What a node takes and gives, by zod, valibot, arktype or any other Standard Schema. Checked wherever the node runs. */
export interface SchemaOptions<
  Accepted = unknown,
  Input = unknown,
  Output extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> {
  /** The node gets what this makes of its input. An input that does not fit fails the node, with no retry. */
  readonly input?: StandardSchemaV1<Accepted, Input>
  /** What follows gets what this makes of the output. An output that does not fit fails the node, with no retry. */
  readonly output?: Output
}

type Inputs = NodeConfig['inputs']

/** How a node behaves; its config may stand here directly or, as blueprints have it, in `config`. */
export interface NodeOptions<Mapped extends Inputs = Inputs> extends Omit<NodeConfig, 'inputs'> {
  /** The name of the function in the registry. Default `flowId/nodeId`. */
  readonly uses?: string
  /** Fixed arguments of the function. */
  readonly params?: JsonObject
  /** The members of the node's input. Without it the input follows from the edges. */
  readonly inputs?: Mapped
  readonly config?: Omit<NodeConfig, 'inputs'> & { readonly inputs?: Mapped }
}

export interface MapOptions<Mapped extends Inputs = Inputs> extends Omit<NodeOptions<Mapped>, 'map'> {
  /** How many items run at the same time. Default 16. */
  readonly concurrency?: number
  /** How many items may fail before the node does. Default 0. */
  readonly maxFailures?: number
}

/** Of nodes that only wait: what happens around them, such as joins and fallbacks. */
export interface WaitConfig {
  readonly config?: NodeConfig
}

export interface ApprovalNodeOptions extends WaitConfig {
  /** What the person who decides is shown. */
  readonly request?: JsonValue
  /** Default: the node's id. */
  readonly name?: string
  /** Fails with `WAIT_TIMEOUT` when nobody has decided by then. */
  readonly timeoutMs?: number
}

export interface ChildNodeOptions<
  Mapped extends Inputs = Inputs,
  Listed extends NodeConfig['map'] = NodeConfig['map'],
> {
  readonly config?: Omit<NodeConfig, 'inputs' | 'map'> & { readonly inputs?: Mapped; readonly map?: Listed }
  readonly version?: string
  /** False: the node ends at once, and its output is the id of the run. Default true. */
  readonly wait?: boolean
  /** Goes on when this run is cancelled or fails. Default false. */
  readonly detached?: boolean
  /** Fails with `WAIT_TIMEOUT` when the child has not ended by then. The child goes on. */
  readonly timeoutMs?: number
}

export interface SignalNodeOptions extends WaitConfig {
  readonly signal: string
  readonly timeoutMs?: number
}

export interface EdgeOptions {
  /** Needed only to tell two edges between the same nodes apart. */
  readonly id?: string
  /** Taken only when the source returned this `action`. */
  readonly action?: string
  /** Taken only when this says so: a function, or the name of one in the registry. */
  readonly condition?: EdgePredicate | string
  /** Turns the source's output into what the target gets: a function, or the name of one in the registry. */
  readonly transform?: EdgeTransform | string
  /** It leads back to the node that a loop begins with, and begins the next visit when it is taken. */
  readonly loop?: LoopPolicy
}
