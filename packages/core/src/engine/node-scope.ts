import { TrackedAsyncContext } from '../context/tracked-context.ts'
import type { Delta } from '../model/delta.ts'
import type { BatonError, RecordedError } from '../model/errors.ts'
import { type InstanceId, type NodeId, parentOfItem, type RunId, visitsOf } from '../model/ids.ts'
import type { JsonObject } from '../model/json.ts'
import type { Claim } from '../ports/claim.ts'
import type { LogFields, LogLevel } from '../ports/logger.ts'
import { ContextOrigin } from './context-origin.ts'
import { DurableCalls } from './durable-calls.ts'
import { type Environment, workFields } from './environment.ts'
import type { GraphNode } from './graph.ts'
import type {
  ApprovalOptions,
  ChildOptions,
  ContinueOptions,
  NodeArguments,
  RunChildOptions,
  StartRunOptions,
  WaitOptions,
} from './node-function.ts'
import type { DurableHooks } from './positions.ts'
import type { RunnableFlow } from './registry.ts'

const NO_PARAMS: JsonObject = {}
const NO_DELTAS: readonly Delta[] = []

/**
 * What the code of one attempt is given. Getters, because most nodes use few of them and each may cost something to
 * make; functions that can be taken off the object, because code takes them off.
 */
export class NodeScope implements NodeArguments {
  readonly claim: Claim
  readonly #node: GraphNode
  readonly #env: Environment
  readonly #hooks: DurableHooks
  input: unknown = undefined
  #controller: AbortController | undefined
  #context: TrackedAsyncContext | undefined
  #calls: DurableCalls | undefined
  #firedFor: BatonError | undefined
  #isOver = false
  #onOver: (() => void) | undefined

  constructor(claim: Claim, node: GraphNode, env: Environment, hooks: DurableHooks) {
    this.claim = claim
    this.#node = node
    this.#env = env
    this.#hooks = hooks
  }

  get context(): TrackedAsyncContext {
    if (this.#context === undefined) {
      const origin = new ContextOrigin(this.claim, this.#node, this.#env, this.#hooks)
      this.#context = new TrackedAsyncContext(origin)
      if (this.#isOver) this.#context.close()
    }
    return this.#context
  }

  get params(): JsonObject {
    return this.#node.source.params ?? NO_PARAMS
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#firedFor !== undefined || this.#isOver) this.#controller.abort(this.#firedFor)
    }
    return this.#controller.signal
  }

  get idempotencyKey(): string {
    return `${this.runId}/${this.instanceId}`
  }

  get previousIdempotencyKey(): string | undefined {
    const { branchOriginRunId } = this.claim.head.lineage
    return branchOriginRunId === undefined ? undefined : `${branchOriginRunId}/${this.instanceId}`
  }

  get runId(): RunId {
    return this.claim.head.runId
  }

  get nodeId(): NodeId {
    return this.#node.id
  }

  get instanceId(): InstanceId {
    return this.claim.instanceId
  }

  get attempt(): number {
    return this.claim.attempt
  }

  get visit(): number {
    return visitsOf(this.instanceId, this.#node.loops.length).at(-1) ?? 1
  }

  get itemIndex(): number | undefined {
    return this.claim.item === undefined ? undefined : parentOfItem(this.instanceId)?.index
  }

  get failure(): RecordedError | undefined {
    return this.#node.isFallback ? this.claim.arrivals.findLast(({ fate }) => fate === 'failed')?.error : undefined
  }

  get now(): NodeArguments['now'] {
    return () => this.#env.clock.now()
  }

  get step(): NodeArguments['step'] {
    return (name, fn) => this.#durable.step(name, fn)
  }

  get sleep(): NodeArguments['sleep'] {
    return (duration) => this.#durable.sleep(duration)
  }

  get waitForSignal(): NodeArguments['waitForSignal'] {
    return <Payload>(name: string, options?: WaitOptions) => this.#durable.waitForSignal<Payload>(name, options)
  }

  get approval(): NodeArguments['approval'] {
    return (name: string, options?: ApprovalOptions) => this.#durable.approval(name, options)
  }

  get runChild(): NodeArguments['runChild'] {
    return <Output>(flow: RunnableFlow | string, input?: unknown, options?: RunChildOptions) =>
      this.#durable.runs.runChild<Output>(flow, input, options)
  }

  get startChild(): NodeArguments['startChild'] {
    return <Output>(flow: RunnableFlow | string, input?: unknown, options?: ChildOptions) =>
      this.#durable.runs.startChild<Output>(flow, input, options)
  }

  get signalRun(): NodeArguments['signalRun'] {
    return (runId, name, payload) => this.#durable.runs.signalRun(runId, name, payload)
  }

  get startRun(): NodeArguments['startRun'] {
    return (flow: RunnableFlow | string, input?: unknown, options?: StartRunOptions) =>
      this.#durable.runs.startRun(flow, input, options)
  }

  get cancelRun(): NodeArguments['cancelRun'] {
    return (runId, reason) => this.#durable.runs.cancelRun(runId, reason)
  }

  get continueAsNew(): NodeArguments['continueAsNew'] {
    return (input?: unknown, options?: ContinueOptions) => this.#durable.runs.continueAsNew(input, options)
  }

  get checkpoint(): NodeArguments['checkpoint'] {
    return (name) => this.#durable.checkpoint(name)
  }

  get log(): NodeArguments['log'] {
    return (level: LogLevel, message: string, fields?: LogFields) =>
      this.#env.logger.log(level, message, { ...fields, ...this.logFields })
  }

  /** The fields of every log line about this attempt. */
  get logFields() {
    return workFields(this.runId, this.instanceId, this.attempt, this.#env.workerId)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** What the code wrote to the context outside of steps, for the commit of its success. */
  takeDeltas(): readonly Delta[] {
    return this.#context === undefined ? NO_DELTAS : this.#context.takeDeltas()
  }

  /** Tells the code to stop. */
  fire(reason: BatonError): void {
    this.#firedFor = reason
    this.#controller?.abort(reason)
  }

  /** Calls back when the invocation has its end; at once if it has. */
  onOver(callback: () => void): void {
    this.#onOver = callback
    if (this.#isOver) callback()
  }

  /** The attempt has its end: what the code writes from here on is refused. */
  close(): void {
    this.#isOver = true
    this.#context?.close()
    this.#onOver?.()
  }

  get #durable(): DurableCalls {
    this.#calls ??= new DurableCalls(this, this.#env, this.#hooks)
    return this.#calls
  }
}
