import {
  BatonError,
  type DecisionOptions,
  isTerminal,
  type PauseOptions,
  type RedriveOptions,
  type RunHandle,
  type RunResult,
  type RunStatus,
  type UnpauseOptions,
} from '@baton/core'
import type { RunState } from '@baton/core/adapter'
import { checkOptions } from '@baton/core/adapter'
import { failure } from './failure.ts'
import { RunJournal } from './journal/run-journal.ts'
import { type RunWait, tellWaits, waitsOf } from './waits.ts'
import type { Driver } from './world/driver.ts'
import type { FlowWorld } from './world/flow-world.ts'

export interface TestRunPorts {
  readonly world: FlowWorld
  readonly driver: Driver
}

/** A run in a test. What is asked of it lets the test's world go on until there is an answer. */
export class TestRun<Ids extends string = string> {
  readonly runId: string
  readonly #ports: TestRunPorts
  readonly #handle: RunHandle

  constructor(runId: string, ports: TestRunPorts) {
    this.runId = runId
    this.#ports = ports
    this.#handle = ports.world.client.get(runId)
  }

  /** Of the newest, where runs go on for each other (`continueAsNew`). */
  get status(): RunStatus {
    return this.latest.#state.status
  }

  /** The run that goes on for this one; this one itself, as long as it has not ended with `continueAsNew`. */
  get latest(): TestRun<Ids> {
    const { seen } = this.#ports.world
    const next = this.#state.continuedBy
    return next === undefined || seen.stateOf(next) === undefined ? this : new TestRun<Ids>(next, this.#ports).latest
  }

  /** The journal of this run as it is now, with assertions. */
  get journal(): RunJournal<Ids> {
    const { seen, serializer, registry } = this.#ports.world
    const events = [...seen.eventsOf(this.runId)]
    const { flowId, version } = this.#state.head
    const graph = registry.find(flowId, version)
    const nodes = graph === undefined ? undefined : { flowId, nodeIds: [...graph.nodes.keys()] }
    return new RunJournal({ runId: this.runId, events, decode: (value) => serializer.decode(value), nodes })
  }

  /** What it waits for now. */
  get waits(): readonly RunWait[] {
    const { world } = this.#ports
    const { latest } = this
    return waitsOf(latest.#state, world.seen.eventsOf(latest.runId), world.nowMs)
  }

  /** In a line: `paused: waits for approval ask:refund since …`. */
  describe(): string {
    const { held } = this.latest.#state
    const operator = held === undefined ? '' : `, held by ${held.by ?? 'an operator'}: ${held.reason}`
    return `${tellWaits(this.status, this.waits, this.#ports.world.nowMs)}${operator}`
  }

  /** Its output. Time moves on by itself; fails at once when the run waits for somebody who is not there. */
  async result<Output = unknown>(): Promise<Output> {
    await this.#untilEnd()
    return this.#ports.driver.settle(this.#handle.result(), 'its result') as Promise<Output>
  }

  /** How it ended, as a value. */
  async outcome<Output = unknown>(): Promise<RunResult<Output>> {
    await this.#untilEnd()
    return this.#ports.driver.settle(this.#handle.outcome(), 'its outcome') as Promise<RunResult<Output>>
  }

  /** Lets things happen until the run has this status, or this is so. */
  async until(wish: RunStatus | ((run: this) => boolean)): Promise<void> {
    if (typeof wish === 'function') return this.#go(String(wish), () => wish(this))
    await this.#go(`run ${this.runId} to be ${wish}`, () => this.status === wish || this.#hasEnded)
    if (this.status === wish) return
    const error = this.latest.#state.outcome
    const why = error?.status === 'failed' ? `: ${error.error.message}` : ''
    throw failure(`run ${this.runId} was to be ${wish}, and is ${this.status}${why}\n\n${this.journal.toText()}`, {
      ...{ expected: wish, actual: this.status },
    })
  }

  /** Sends a signal now. One that comes early is kept. */
  async signal(name: string, payload?: unknown, options?: { readonly signalId?: string }): Promise<void> {
    await this.#ports.driver.settle(this.#handle.signal(name, payload, options), `signal ${name}`)
  }

  /** Lets things happen until the approval is asked for, and says yes. */
  approve(approval?: string, options?: Omit<DecisionOptions, 'approval'>): Promise<void> {
    return this.#decide(approval, options, (decision) => this.#handle.approve(decision))
  }

  /** Lets things happen until the approval is asked for, and says no. */
  deny(approval?: string, options?: Omit<DecisionOptions, 'approval'>): Promise<void> {
    return this.#decide(approval, options, (decision) => this.#handle.deny(decision))
  }

  /** Asks it to stop, now. @returns whether that won */
  cancel(reason?: string): Promise<boolean> {
    return this.#ports.driver.settle(this.#handle.cancel(reason), 'a cancel')
  }

  /** Holds it as an operator would, until `unpause`. @returns false when there is nothing to hold any more */
  pause(options: PauseOptions): Promise<boolean> {
    return this.#ports.driver.settle(this.#handle.pause(options), 'a pause')
  }

  /** Lets it go on. */
  unpause(options?: UnpauseOptions): Promise<boolean> {
    return this.#ports.driver.settle(this.#handle.unpause(options), 'the end of a pause')
  }

  /** Does failed work over, as an operator would. @returns the run in which it is done: this one, or one made for it */
  async redrive(options?: RedriveOptions): Promise<TestRun<Ids>> {
    const { runId } = await this.#ports.driver.settle(this.#handle.redrive(options), 'a redrive')
    return runId === this.runId ? this : new TestRun<Ids>(runId, this.#ports)
  }

  /** A value of the run's context. */
  context<Value = unknown>(key: string): Promise<Value | undefined> {
    return this.#ports.driver.settle(this.#handle.context.get<Value>(key), `context ${key}`)
  }

  /** The runs that it has started so far, if asked for of this flow. */
  children(flowId?: string): readonly TestRun[] {
    const children = [...(this.#state.children?.values() ?? [])]
    return children
      .filter(({ run }) => flowId === undefined || run.flowId === flowId)
      .filter(({ run }) => this.#ports.world.seen.stateOf(run.runId) !== undefined)
      .map(({ run }) => new TestRun(run.runId, this.#ports))
  }

  async #decide(
    approval: string | undefined,
    options: Omit<DecisionOptions, 'approval'> = {},
    decide: (decision: DecisionOptions) => Promise<void>,
  ): Promise<void> {
    checkOptions(options, ['by', 'reason', 'payload'] satisfies (keyof typeof options)[])
    const isAsked = () =>
      this.waits.some(({ kind, name }) => {
        return kind === 'approval' && (approval === undefined || isMeant(approval, name))
      })
    const isDecided = () =>
      this.latest.journal.events.some((event) => {
        return event.type === 'approval-decided' && (approval === undefined || isMeant(approval, event.approvalId))
      })
    const what = `approval ${approval ?? ''} of run ${this.runId}`.replace('  ', ' ')
    await this.#go(what, () => isAsked() || isDecided() || this.#hasEnded)
    const named = approval === undefined ? {} : { approval }
    await this.#ports.driver.settle(decide({ ...options, ...named }), 'a decision')
  }

  #untilEnd(): Promise<void> {
    return this.#go(`the end of run ${this.runId}`, () => this.#hasEnded)
  }

  #go(what: string, isSo: () => boolean): Promise<void> {
    return this.#ports.driver.until({ what, isSo, movesTime: true })
  }

  /** And nobody goes on for it. */
  get #hasEnded(): boolean {
    const { status, continuedBy } = this.latest.#state
    return isTerminal(status) && continuedBy === undefined
  }

  get #state(): RunState {
    const state = this.#ports.world.seen.stateOf(this.runId)
    if (state !== undefined) return state
    throw new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${this.runId}`, runId: this.runId })
  }
}

/** By its id, or by its name alone. */
function isMeant(approval: string, approvalId: string): boolean {
  return approvalId === approval || approvalId.endsWith(`:${approval}`)
}
