import type { Attempt } from '../engine/attempt.ts'
import type { NodeArguments } from '../engine/node-function.ts'
import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import type { JsonObject } from '../model/json.ts'
import type { PlanNode } from './plan.ts'

/** The run, as far as an attempt needs it. */
interface Host {
  readonly runId: RunId
  joinedInputOf(node: PlanNode): unknown
  handOver(): void
}

/** Marks an attempt that is over, instead of the place where it was kept. */
export const ENDED = -1

const NO_PARAMS: JsonObject = {}

/** What a node's function is given in a plain run. Whatever goes beyond the plain makes the run be handed over. */
export class PlainAttempt implements NodeArguments {
  readonly #run: Host
  readonly node: PlanNode
  #input: unknown
  #joined = false
  /** The attempt that goes on in its place, once the run was handed over. */
  heir: Attempt | undefined = undefined
  /** When it must be over; 0 as long as nobody has looked. */
  untilMs = 0
  /** Where the run keeps it. */
  place: number

  constructor(run: Host, node: PlanNode, input: unknown, place: number) {
    this.#run = run
    this.node = node
    this.#input = input
    this.place = place
  }

  get input(): unknown {
    if (this.node.isJoin && !this.#joined) {
      this.#joined = true
      this.#input = this.#run.joinedInputOf(this.node)
    }
    return this.#input
  }

  /** What a schema made of it. */
  set input(value: unknown) {
    this.#joined = true
    this.#input = value
  }

  get params(): JsonObject {
    return this.node.node.source.params ?? NO_PARAMS
  }

  get runId(): RunId {
    return this.#run.runId
  }

  get nodeId(): string {
    return this.node.node.id
  }

  get instanceId(): string {
    return this.node.node.id
  }

  get idempotencyKey(): string {
    return `${this.runId}/${this.instanceId}`
  }

  get previousIdempotencyKey(): undefined {
    return undefined
  }

  get attempt(): number {
    return 1
  }

  get visit(): number {
    return 1
  }

  get itemIndex(): undefined {
    return undefined
  }

  get failure(): undefined {
    return undefined
  }

  get context(): NodeArguments['context'] {
    return this.#full.context
  }

  get signal(): AbortSignal {
    if (this.place === ENDED) return AbortSignal.abort()
    return this.#full.signal
  }

  get now(): NodeArguments['now'] {
    return this.#full.now
  }

  get step(): NodeArguments['step'] {
    return this.#full.step
  }

  get sleep(): NodeArguments['sleep'] {
    return this.#full.sleep
  }

  get waitForSignal(): NodeArguments['waitForSignal'] {
    return this.#full.waitForSignal
  }

  get approval(): NodeArguments['approval'] {
    return this.#full.approval
  }

  get runChild(): NodeArguments['runChild'] {
    return this.#full.runChild
  }

  get startChild(): NodeArguments['startChild'] {
    return this.#full.startChild
  }

  get signalRun(): NodeArguments['signalRun'] {
    return this.#full.signalRun
  }

  get startRun(): NodeArguments['startRun'] {
    return this.#full.startRun
  }

  get cancelRun(): NodeArguments['cancelRun'] {
    return this.#full.cancelRun
  }

  get continueAsNew(): NodeArguments['continueAsNew'] {
    return this.#full.continueAsNew
  }

  get checkpoint(): NodeArguments['checkpoint'] {
    return this.#full.checkpoint
  }

  get log(): NodeArguments['log'] {
    return this.#full.log
  }

  get #full(): NodeArguments {
    if (this.heir === undefined) {
      if (this.place !== ENDED) this.#run.handOver()
      // Code that goes on after what it returned was settled has nobody left to ask.
      if (this.heir === undefined) throw new BatonError('ATTEMPT_ENDED', { runId: this.runId })
    }
    return this.heir.scope
  }
}
