import type { RecordedError } from '../model/errors.ts'
import type { InstanceId, NodeId, RunId } from '../model/ids.ts'
import type { JsonObject } from '../model/json.ts'
import type { ApprovalDecision } from '../model/run.ts'
import type { IAsyncContext } from '../ports/async-context.ts'
import type { LogFields, LogLevel } from '../ports/logger.ts'
import type { StartArguments, StartOptions } from './new-run.ts'
import type { RunnableFlow } from './registry.ts'

/**
 * The code of a node. It may run more than once: after a failed attempt, and after its process died. What it does to
 * the outside belongs behind `idempotencyKey` or inside a `step`.
 */
export type NodeFunction<Input = unknown, Output = unknown> = (
  args: NodeArguments<Input>,
) => NodeReturn<Output> | Promise<NodeReturn<Output>>

/** Nothing, or an output and the name of the edge to take. */
export type NodeReturn<Output> = NodeResult<Output> | undefined | void

export interface NodeResult<Output> {
  readonly output?: Output | undefined
  /** Edges with an `action` are taken only if it is this one. */
  readonly action?: string
}

export interface NodeArguments<Input = unknown> {
  /**
   * The run's input for a node that nothing precedes; the predecessor's output; for a join of all, an object of
   * outputs by predecessor; for an `any` join, the output of the first success; for an item of a map, the item. Where a
   * loop begins again, what the edge that led back brought.
   */
  readonly input: Input
  /** The run's shared state. Writes commit with the node's success. */
  readonly context: IAsyncContext
  /** The node's fixed `params` of the blueprint. */
  readonly params: JsonObject
  /** Fires when the attempt is over: timed out, cancelled, its lease lost, or the worker stops. */
  readonly signal: AbortSignal
  /** The same on every attempt: hand it to outside systems, so that doing it twice does it once. */
  readonly idempotencyKey: string
  /** The key that this instance had in the run that its own has begun from, if there is one: what was done there may be known by it. */
  readonly previousIdempotencyKey: string | undefined
  readonly runId: RunId
  readonly nodeId: NodeId
  readonly instanceId: InstanceId
  /** 1 for the first; grows with each failure. */
  readonly attempt: number
  /** Which visit of the innermost loop around the node it is; 1 outside of loops. */
  readonly visit: number
  /** Index of the item, in a map. */
  readonly itemIndex: number | undefined
  /** Why the node that this one stands in for has failed; in fallback nodes only. */
  readonly failure: RecordedError | undefined

  /**
   * What time it is, in milliseconds since 1970, by the worker's clock: in a test that is the test's. Another attempt
   * sees another time, so what decides about durable calls has to come out of a `step`.
   */
  now(): number
  /**
   * Runs the function once and journals its result: no retry and no other worker repeats it. Durable calls must come
   * in the same order on every attempt (`STEPS_DIVERGED`).
   */
  step<Result>(name: string, fn: StepFunction<Result>): Promise<Result>
  /** Waits durably, holding no worker. Afterwards the function is entered again from the top, with its steps fed back. */
  sleep(duration: number | { readonly untilMs: number }): Promise<void>
  /** Waits for `handle.signal(name, payload)`. One that came early counts. Throws `WAIT_TIMEOUT`. */
  waitForSignal<Payload = unknown>(name: string, options?: WaitOptions): Promise<Payload>
  /** Asks people, and waits for the first decision. Throws `APPROVAL_DENIED` where it is no. */
  approval(name: string, options?: ApprovalOptions): Promise<ApprovalDecision>
  /**
   * Starts a run of its own and waits for its output. Throws `RUN_FAILED` or `RUN_CANCELLED` as the child ended, and
   * `WAIT_TIMEOUT`. The child is called off with this node, and when this run is cancelled or fails.
   */
  runChild<Output = unknown, Input = unknown>(
    flow: RunnableFlow<Input> | string,
    ...rest: StartArguments<Input, RunChildOptions>
  ): Promise<Output>
  /** Starts a run of its own and goes on. It may be waited for later, or left: it goes on when this run completes. */
  startChild<Output = unknown, Input = unknown>(
    flow: RunnableFlow<Input> | string,
    ...rest: StartArguments<Input, ChildOptions>
  ): Promise<ChildHandle<Output>>
  /** Sends a signal to another run, once. A run that is gone gets none. */
  signalRun(runId: string, name: string, payload?: unknown): Promise<void>
  /**
   * Starts a run that is nobody's child, and gives its id. It ends by itself, whatever becomes of this one, and is kept
   * for itself. Where its id is taken by a run of other content, nothing starts.
   */
  startRun(flow: RunnableFlow | string, input?: unknown, options?: StartRunOptions): Promise<RunId>
  /**
   * Asks another run to stop, once. One that has ended stays as it is. One that is not there hears nothing, and may start later;
   * one that this run has started before hears it, however late it begins.
   */
  cancelRun(runId: string, reason?: string): Promise<void>
  /**
   * Ends this run and goes on as a new one of the same flow, with an empty journal: how to run for ever. The promise never
   * settles. What else is live in the run is called off; signals that nobody has used and children that still run go along.
   * Handles, signals and a parent follow.
   */
  continueAsNew(input?: unknown, options?: ContinueOptions): Promise<never>
  /** Names this place in the journal, to branch or replay from. A durable call like a step. */
  checkpoint(name: string): Promise<void>
  /** A line in the log that carries run, instance and attempt. */
  log(level: LogLevel, message: string, fields?: LogFields): void
}

/** What it writes to its `context` commits with the step. Steps that run side by side each need their own. */
export type StepFunction<Result> = (step: { readonly context: IAsyncContext }) => Result | Promise<Result>

export interface ChildOptions extends Omit<StartOptions, 'idempotencyKey'> {
  /** Goes on when this run is cancelled or fails, or the node that started it is called off. Default false. */
  readonly detached?: boolean
}

export interface StartRunOptions extends Omit<StartOptions, 'idempotencyKey'> {
  /** This run gets a signal of this name when the other one has ended: `{ runId, status }`. */
  readonly endSignal?: string
}

export interface ContinueOptions
  extends Pick<StartOptions, 'context' | 'startAtMs' | 'deadlineMs' | 'priority' | 'tags' | 'limitKey'> {
  /** Which version of the flow goes on. Default the run's own. */
  readonly version?: string
  /** The newest version that this worker has. Default false. */
  readonly upgrade?: boolean
}

export interface RunChildOptions extends ChildOptions {
  /** How long to wait. The child goes on. */
  readonly timeoutMs?: number
}

/** A child that was started and can be waited for. */
export interface ChildHandle<Output = unknown> {
  readonly runId: string
  /** Waits for its output, as `runChild` does. A durable call. */
  result(options?: WaitOptions): Promise<Output>
}

export interface WaitOptions {
  readonly timeoutMs?: number
}

export interface ApprovalOptions extends WaitOptions {
  /** What the person who decides is shown. */
  readonly request?: unknown
}

/** Decides whether an edge is taken, from what its source returned. Must not depend on time or chance. */
export type EdgePredicate = (source: { readonly output: unknown; readonly action: string | undefined }) => boolean

/** Turns the source's output into what the target gets. Must not depend on time or chance. */
export type EdgeTransform = (output: unknown) => unknown
