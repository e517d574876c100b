/**
 * A user's flow in a world of its own: the engine as it is, on a clock that nobody waits for. Time moves on by itself
 * when nothing else can happen, or by `advance`.
 */
import { BatonError, type InputOf, type RunnableFlow, type StartArguments, type StartOptions } from '@baton/core'
import { assertOptions, checkNumber, checkOptions } from '@baton/core/adapter'
import { failure } from './failure.ts'
import { Ledger } from './ledger.ts'
import { type IdsOf, StubBook, type Stubs, type Takes } from './stubs.ts'
import { TestRun } from './test-run.ts'
import { invocationNow, type NodeCall } from './world/code-at-work.ts'
import { checkWish, Driver } from './world/driver.ts'
import { FlowWorld } from './world/flow-world.ts'
import { Mishaps } from './world/mishaps.ts'

export interface FlowTestOptions<F = RunnableFlow> {
  /** What takes the place of nodes' functions, by node id. */
  readonly nodes?: Stubs<F>
  /** Shuffles what may happen at the same instant, and the jitter of retries. Default 0: nothing is shuffled. */
  readonly seed?: number
  /** The first instant. Default: 2026-01-05, 9:00 UTC, a Monday. */
  readonly startAtMs?: number
  /** More flows: those that nodes start by their ids. */
  readonly flows?: readonly RunnableFlow[]
  /** Default 1. */
  readonly workers?: number
  readonly leaseMs?: number
  /** How long, in real time, code of a node may wait for something real before the test's clock goes on. Default 1,000. */
  readonly realWaitMs?: number
  /** What happens at most while one thing is waited for: a flow that never ends is found out. Default 100,000. */
  readonly maxSteps?: number
}

/** The names of all options of a test. */
export const testOptions = [
  'nodes',
  'seed',
  'startAtMs',
  'flows',
  'workers',
  'leaseMs',
  'realWaitMs',
  'maxSteps',
] as const satisfies readonly (keyof FlowTestOptions)[]

/** To the last instant that a `Date` can name. */
const LONGEST_MS = 8.64e15

/** Makes a test of a flow. It holds nothing that would have to be closed. */
export function testFlow<F extends RunnableFlow>(flow: F, options: FlowTestOptions<F> = {}): FlowTest<F> {
  return new FlowTest(flow, options, new Mishaps())
}

export class FlowTest<F extends RunnableFlow = RunnableFlow> {
  readonly flow: F
  readonly seed: number
  readonly #world: FlowWorld
  readonly #driver: Driver
  readonly #stubs = new StubBook()
  readonly #ledger = new Ledger()
  readonly #mishaps: Mishaps
  readonly #startMs: number

  /** @internal `testFlow` makes one. */
  constructor(flow: F, options: FlowTestOptions<F>, mishaps: Mishaps) {
    checkOptions(options, testOptions)
    assertFlow(flow)
    const { seed = 0, workers = 1, leaseMs = 30_000, realWaitMs = 1_000, maxSteps = 100_000 } = options
    checkNumber(seed, 'seed', { least: 0, whole: true })
    checkNumber(workers, 'workers', { least: 1, most: 100, whole: true })
    checkNumber(leaseMs, 'leaseMs', { least: 1, most: LONGEST_MS })
    checkNumber(realWaitMs, 'realWaitMs', { least: 0 })
    checkNumber(maxSteps, 'maxSteps', { least: 1, whole: true })
    checkNumber(options.startAtMs, 'startAtMs', { least: 0, most: LONGEST_MS })
    assertFlows(options.flows)
    this.flow = flow
    this.seed = seed
    this.#mishaps = mishaps
    if (options.nodes !== undefined) this.stub(options.nodes)
    const flows = [flow, ...(options.flows ?? [])]
    const startMs = options.startAtMs
    this.#world = new FlowWorld({ flows, stubs: this.#stubs, seed, startMs, workers, leaseMs, mishaps })
    this.#startMs = this.#world.nowMs
    const stuck = (why: string, what: string) =>
      failure(`waited for ${what}, but ${why}\n\n${this.describe()}${this.#seedLine()}`)
    this.#driver = new Driver({ world: this.#world, realWaitMs, maxSteps, stuck })
  }

  /** What time it is by the test's clock. */
  now(): number {
    return this.#world.nowMs
  }

  /** How much time has passed since the test began, by its clock. */
  get elapsedMs(): number {
    return this.#world.nowMs - this.#startMs
  }

  /** Starts a run of the flow. */
  start(...rest: StartArguments<InputOf<F>, StartOptions>): Promise<TestRun<IdsOf<F>>> {
    return this.#start(this.flow, rest)
  }

  /** Starts a run of the flow, and gives its output. */
  async run(...rest: StartArguments<InputOf<F>, StartOptions>): Promise<unknown> {
    return (await this.start(...rest)).result()
  }

  /** Starts a run of another flow in the same world. */
  startFlow<Other extends RunnableFlow>(
    flow: Other,
    ...rest: StartArguments<InputOf<Other>, StartOptions>
  ): Promise<TestRun<IdsOf<Other>>> {
    return this.#start(flow, rest)
  }

  async #start<Other extends RunnableFlow>(flow: Other, rest: readonly unknown[]): Promise<TestRun<IdsOf<Other>>> {
    const [input, options] = rest as [unknown, StartOptions?]
    const handle = await this.#driver.settle(this.#world.client.start(flow as RunnableFlow, input, options), 'a start')
    return this.#runOf(handle.runId)
  }

  /** A run of this world: a child, or one that was started before. */
  getRun(runId: string): TestRun {
    return this.#runOf(runId)
  }

  /** All runs, in the order in which they were started. */
  get runs(): readonly TestRun[] {
    return this.#world.seen.runIds.map((runId) => this.#runOf(runId))
  }

  /** Puts code in the place of nodes' functions, from now on. */
  stub(nodes: Stubs<F>): void {
    assertOptions(nodes, 'nodes')
    this.#stubs.add(this.flow, nodes)
  }

  /** The same for another flow of this test. */
  stubFlow<Other extends RunnableFlow>(flow: Other, nodes: Stubs<Other>): void {
    assertFlow(flow)
    assertOptions(nodes, 'nodes')
    this.#stubs.add(flow, nodes)
  }

  /** Each call of the node's code so far, or of what stands in for it. */
  calls<Id extends IdsOf<F>>(nodeId: Id): readonly NodeCall<Takes<F, Id>>[] {
    const { id } = this.flow.toBlueprint()
    return this.callsOfFlow(id).filter((call) => call.nodeId === nodeId) as NodeCall<Takes<F, Id>>[]
  }

  /** The same of all nodes of a flow. */
  callsOfFlow(flowId: string): readonly NodeCall[] {
    return this.#world.code.calls.filter((call) => call.flowId === flowId)
  }

  /**
   * Notes that something has happened outside: a payment, a mail. With the key that the outside was given, doing it again
   * is doing it once.
   * @returns whether it is the first time
   */
  effect(name: string, key?: string): boolean {
    const invocation = invocationNow()
    // A worker that is dead does nothing any more, even if nobody can stop its code.
    if (invocation?.worker?.isGone === true) return false
    const isFirst = this.#ledger.add(name, key)
    if (invocation?.worker !== undefined && this.#mishaps.strikesAfterEffect(name)) {
      this.#world.kill(invocation.worker)
      throw new Error(`its worker died right after the effect ${name}`)
    }
    return isFirst
  }

  /** What was noted by `effect`. */
  get effects(): Ledger {
    return this.#ledger
  }

  /** Lets so much time pass, and everything happen that falls into it. */
  async advance(ms: number): Promise<void> {
    checkNumber(ms, 'ms', { required: true, least: 0, most: LONGEST_MS })
    let isOver = false
    this.#world.after(ms, () => {
      isOver = true
    })
    const isSo = () => isOver && this.#world.isQuiet
    await this.#driver.until({ what: `${ms} ms to pass`, isSo, movesTime: true })
  }

  /** Lets time pass until then. */
  async advanceTo(instant: number | Date): Promise<void> {
    const atMs = instant instanceof Date ? instant.getTime() : instant
    checkNumber(atMs, 'instant', { required: true, least: this.now(), most: LONGEST_MS })
    await this.advance(atMs - this.now())
  }

  /** Lets things happen until it is so, or the promise is settled; gives what the promise gives. */
  until(condition: () => boolean): Promise<void>
  until<Value>(condition: Promise<Value>): Promise<Value>
  until<Value>(condition: (() => boolean) | Promise<Value>): Promise<Value | void> {
    checkWish(condition)
    if (typeof condition === 'function')
      return this.#driver.until({ what: String(condition), isSo: condition, movesTime: true })
    return this.#driver.settle(condition, 'a promise', true)
  }

  /** What all runs wait for, a line each. */
  describe(): string {
    const { runs } = this
    if (runs.length === 0) return 'no run was started'
    return runs.map((run) => `${run.runId} is ${run.describe()}`).join('\n')
  }

  /** @internal how often each node's code, and each step's, was called */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { flowId, nodeId } of this.#world.code.calls) {
      const name = flowId === this.flow.toBlueprint().id ? nodeId : `${flowId}/${nodeId}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    for (const [name, count] of this.#world.code.stepCalls) counts.set(name, count)
    return counts
  }

  #runOf<Ids extends string>(runId: string): TestRun<Ids> {
    return new TestRun<Ids>(runId, { world: this.#world, driver: this.#driver })
  }

  #seedLine(): string {
    return this.seed === 0 ? '' : `\n\nRepeat it with: testFlow(flow, { seed: ${this.seed} })`
  }
}

export function assertFlow(flow: unknown): asserts flow is RunnableFlow {
  if (typeof (flow as RunnableFlow | undefined)?.toBlueprint === 'function') return
  const hint = 'Pass what createFlow() gives.'
  throw new BatonError('INVALID_OPTION', { field: 'flow', message: 'not a flow', hint })
}

function assertFlows(flows: unknown): void {
  if (flows === undefined) return
  if (!Array.isArray(flows)) {
    const hint = 'Put it in square brackets: `flows: [flow]`.'
    throw new BatonError('INVALID_OPTION', { field: 'flows', message: 'must be a list of flows', hint })
  }
  for (const flow of flows) assertFlow(flow)
}
