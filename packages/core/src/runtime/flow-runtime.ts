import { BatonClient } from '../client/client.ts'
import type { RunHandle } from '../client/handle.ts'
import { JsonSerializer } from '../context/json-serializer.ts'
import { checkRunInput } from '../engine/check-value.ts'
import { Deadlines } from '../engine/deadlines.ts'
import type { Graph } from '../engine/graph.ts'
import { checkMiddleware, type NodeMiddleware } from '../engine/middleware.ts'
import { type StartArguments, type StartOptions, toGatedRun, withRunId } from '../engine/new-run.ts'
import { type FlowSources, Registry, type RunnableFlow, sourcesOf } from '../engine/registry.ts'
import { type PausedResult, type RunResult, resultOf } from '../engine/result.ts'
import { newRunOf } from '../engine/start-run.ts'
import { Worker } from '../engine/worker.ts'
import { checkWorkerSettings, type WorkerSettings } from '../engine/worker-options.ts'
import { InMemoryJobQueue } from '../memory/job-queue.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { assertOptions, checkFunction, checkNumber, checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import { outputOf, type RunState, summaryOf } from '../model/run-state.ts'
import { assertCoordinationStore, assertJobQueue, assertRunStore } from '../ports/assert-ports.ts'
import { checkInjected } from '../ports/check-injected.ts'
import { type IClock, type NewId, type Random, randomId, systemClock } from '../ports/clock.ts'
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import type { IJobQueue } from '../ports/job-queue.ts'
import { type ILogger, silentLogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { ISerializer } from '../ports/serializer.ts'
import { cancelOnAbort } from './cancel-on-abort.ts'
import type { LocalSurroundings } from './local-environment.ts'
import { LocalLimiters } from './local-limiters.ts'
import { LocalRun } from './local-run.ts'
import { passThroughSerializer } from './pass-through-serializer.ts'
import { PlainRun } from './plain-run.ts'
import { planOf } from './plan.ts'
import { RunEnds } from './run-ends.ts'
import { Watch } from './watch.ts'

export interface FlowRuntimeOptions extends FlowSources {
  /** Where runs are kept. Without one they live and die with this process. */
  readonly store?: IRunStore
  readonly queue?: IJobQueue
  readonly coordinationStore?: ICoordinationStore
  /** Instances that run at the same time. Default 256 without a store, 16 with one. */
  readonly concurrency?: number
  /** More about the worker that this runtime is, when it has a store or is asked for handles. */
  readonly worker?: WorkerSettings
  readonly serializer?: ISerializer
  /**
   * Copy values from node to node also where no store makes copies anyway. Without it, a node that changes its input
   * changes what its siblings and its caller see: treat inputs as read-only. Default false.
   */
  readonly copyValues?: boolean
  /** What runs around the code of every node here, the first outermost. */
  readonly middleware?: readonly NodeMiddleware[]
  readonly logger?: ILogger
  readonly clock?: IClock
  readonly random?: Random
  readonly newId?: NewId
}

export interface RunOptions extends StartOptions {
  /** Cancels the run. */
  readonly signal?: AbortSignal
  /** Sees the run's events as they happen. */
  readonly onEvent?: (event: RunEvent) => void
}

const LOCAL_CONCURRENCY = 256

/**
 * Runs flows in this process. `run` carries one to its end and gives the result; `start` gives a handle to follow,
 * signal and cancel it. The same node functions run on any adapter; here the ports are in memory.
 */
export class FlowRuntime {
  readonly #options: FlowRuntimeOptions
  readonly #registry: Registry
  readonly #watch: Watch
  #env: LocalSurroundings | undefined
  readonly #deadlines: Deadlines
  readonly #middleware: readonly NodeMiddleware[] | undefined
  #isStopped = false
  #engine: { readonly worker: Worker; readonly client: BatonClient; readonly queue: IJobQueue } | undefined

  constructor(options: FlowRuntimeOptions = {}) {
    checkOptions(options, runtimeOptions)
    checkNumber(options.concurrency, 'concurrency', { least: 1, whole: true })
    if (options.worker !== undefined) checkWorkerSettings(options.worker, 'worker')
    checkInjected(options)
    if (options.store !== undefined) assertRunStore(options.store)
    if (options.queue !== undefined) assertJobQueue(options.queue)
    if (options.coordinationStore !== undefined) assertCoordinationStore(options.coordinationStore)
    this.#options = options
    this.#middleware = checkMiddleware(options.middleware) ?? checkMiddleware(options.worker?.middleware)
    this.#registry = new Registry(sourcesOf(options))
    this.#deadlines = new Deadlines(options.clock ?? systemClock)
    this.#watch = new Watch(options.clock ?? systemClock)
  }

  /**
   * Runs a flow to its end. A failed run is a value, not a throw. A run that waits for the outside gives `paused`:
   * nothing can bring it news here; use `start` for flows that ask for signals or approvals.
   */
  run<Output = unknown, Input = unknown>(
    flow: RunnableFlow<Input> | string,
    ...rest: StartArguments<Input, RunOptions>
  ): Promise<RunResult<Output> | PausedResult>
  async run(flow: RunnableFlow | string, given?: unknown, options: RunOptions = {}): Promise<RunResult | PausedResult> {
    this.#assertOpen()
    checkRunOptions(options)
    if (this.#options.store !== undefined) return this.#runStored(flow, given, options)
    const graph = this.#registry.toStart(flow, options.version)
    const input = graph.inputSchema === undefined ? given : await checkRunInput(graph.inputSchema, given)
    const { signal, onEvent } = options
    const { concurrency = LOCAL_CONCURRENCY, copyValues = false } = this.#options
    const env = this.#here
    const { serializer } = env
    if (copyValues || env.middleware !== undefined || !isPlainStart(graph, options)) {
      const { signal: _signal, onEvent: _onEvent, ...given } = options
      const start = await withRunId(graph.flowId, given)
      const run = await toGatedRun(graph, input, start, { serializer, newId: this.#newRunId })
      return localResult(await new LocalRun({ graph, run, env, concurrency, signal, onEvent }).finish(), serializer)
    }
    const runId = this.#newRunId()
    if (input !== undefined) serializer.encode(input, 'input')
    const plan = planOf(graph)
    const newRun = () => newRunOf(graph, runId, input as JsonValue | undefined)
    const run = new PlainRun({ plan, runId, input, newRun, env, concurrency, signal, watch: this.#watch })
    const end = await run.finish()
    return end.plain ? { status: 'completed', runId, output: end.output } : localResult(end.state, serializer)
  }

  /** What attempts in this process share, whatever their run. */
  get #here(): LocalSurroundings {
    const { clock = systemClock, random = Math.random, newId = randomId, logger = silentLogger } = this.#options
    this.#env ??= {
      serializer: this.#options.copyValues === true ? new JsonSerializer() : passThroughSerializer,
      clock,
      random,
      newId,
      logger,
      deadlines: this.#deadlines,
      limiters: new LocalLimiters(clock),
      middleware: this.#middleware,
      toStart: (flow, version) => this.#registry.toStart(flow, version),
    }
    return this.#env
  }

  readonly #newRunId = (): RunId => {
    const { newId } = this.#options
    return newId === undefined ? localId() : parseRunId(newId())
  }

  /** Starts a run and gives a handle: result, status, stream, signal, approve, cancel. */
  start<Output = unknown, Input = unknown>(
    flow: RunnableFlow<Input> | string,
    ...rest: StartArguments<Input, StartOptions>
  ): Promise<RunHandle<Output>>
  async start(flow: RunnableFlow | string, input?: unknown, options: StartOptions = {}): Promise<RunHandle> {
    this.#assertOpen()
    return this.#running().client.start(flow, input, options)
  }

  /** The handle of a run that was started before. */
  get<Output = unknown>(runId: string): RunHandle<Output> {
    return this.#running().client.get<Output>(runId)
  }

  /** Takes no more runs, and stops the worker behind handles. Runs that a store keeps can go on elsewhere. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#engine?.worker.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #assertOpen(): void {
    if (this.#isStopped)
      throw new BatonError('CLOSED', { message: 'this runtime was stopped', hint: 'Make a new one.' })
  }

  async #runStored(
    flow: RunnableFlow | string,
    input: unknown,
    { signal, onEvent, ...start }: RunOptions,
  ): Promise<RunResult> {
    const handle = await this.start(flow, input, start)
    const stopListening = cancelOnAbort(signal, (reason) => void handle.cancel(reason))
    try {
      if (onEvent !== undefined) for await (const event of handle.stream()) onEvent(event)
      return await handle.outcome()
    } finally {
      stopListening()
    }
  }

  #running() {
    if (this.#engine !== undefined) return this.#engine
    const { worker: workerOptions, concurrency, coordinationStore, serializer = new JsonSerializer() } = this.#options
    const { clock = systemClock, logger = silentLogger, random, newId } = this.#options
    const store = this.#options.store ?? new InMemoryRunStore({ clock })
    const queue = this.#options.queue ?? new InMemoryJobQueue({ clock, logger })
    const ends = new RunEnds()
    const worker = new Worker({
      clock,
      logger,
      serializer,
      ...(random === undefined ? {} : { random }),
      ...(newId === undefined ? {} : { newId }),
      ...workerOptions,
      ...(this.#middleware === undefined ? {} : { middleware: this.#middleware }),
      onRunEnd: (runId) => {
        ends.announce(runId)
        return workerOptions?.onRunEnd?.(runId)
      },
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(coordinationStore === undefined ? {} : { coordinationStore }),
      store,
      queue,
      registry: this.#registry,
    })
    const client = new BatonClient({
      store,
      queue,
      registered: this.#registry,
      seenEnd: (runId, signal) => ends.of(runId, signal),
      onCancel: (runId) => worker.heed(runId),
      serializer,
      clock,
      logger,
      ...(newId === undefined ? {} : { newId }),
      publishJournals: workerOptions?.journalSink !== undefined,
    })
    worker.start()
    this.#engine = { worker, client, queue }
    return this.#engine
  }
}

function localResult(state: RunState, serializer: ISerializer): RunResult | PausedResult {
  const { runId } = state.head
  const { status, outcome } = state
  const error = outcome?.status === 'failed' ? outcome.error : undefined
  const reason = outcome?.status === 'cancelled' ? outcome.reason : undefined
  const result = resultOf({ runId, status, output: outputOf(state), error, reason }, serializer)
  if (result !== undefined) return result
  const { pendingApproval, pendingPause } = summaryOf(state)
  return { status: 'paused', runId, pendingApproval, pendingPause }
}

function checkRunOptions(options: RunOptions): void {
  assertOptions(options)
  const { signal, onEvent } = options
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.addEventListener !== 'function') {
    throw new BatonError('INVALID_OPTION', { field: 'signal', message: 'not an AbortSignal' })
  }
  checkFunction(onEvent, 'onEvent')
}

/** Nothing that was asked for needs more than the end of the run. */
function isPlainStart(graph: Graph, options: RunOptions): boolean {
  if (graph.deadlineMs !== undefined || graph.limits.length > 0) return false
  // A key without a value says nothing; anything else that a start can say is for the machine.
  for (const key in options) if (key !== 'signal' && options[key as keyof RunOptions] !== undefined) return false
  return true
}

/**
 * One random prefix per process, then counting: random ids are what a small run would cost most. Ids still differ
 * between processes, because idempotency keys are made of them. The last digits come from a table, because V8 caches
 * every number that is turned into text, and would keep the ids of thousands of runs that are long gone.
 */
function localId(): RunId {
  const low = localRuns % 1_000
  if (low === 0) {
    processPrefix ??= `local-${randomId().slice(0, 13)}`
    blockPrefix = `${processPrefix}-${localRuns / 1_000}`
  }
  localRuns += 1
  return `${blockPrefix}${lastDigits[low]}` as RunId
}

let localRuns = 0
let processPrefix: string | undefined
let blockPrefix = ''
const lastDigits = Array.from({ length: 1_000 }, (_, low) => String(low).padStart(3, '0'))

const runtimeOptions = [
  'flows',
  'registry',
  'blueprints',
  'store',
  'queue',
  'coordinationStore',
  'concurrency',
  'worker',
  'serializer',
  'copyValues',
  'middleware',
  'logger',
  'clock',
  'random',
  'newId',
] as const satisfies readonly (keyof FlowRuntimeOptions)[]
