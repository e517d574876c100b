import { JsonSerializer } from '../context/json-serializer.ts'
import { checkRunInput } from '../engine/check-value.ts'
import { Courier } from '../engine/courier.ts'
import { firstWords, firstWork } from '../engine/first-words.ts'
import { jobFor } from '../engine/jobs.ts'
import { checkStartOptions, type StartArguments, type StartOptions, toGatedRun, withRunId } from '../engine/new-run.ts'
import { claimAgain, placeFor, sendJobs } from '../engine/own-worker.ts'
import { assertRegistry, type FlowSources, Registry, type RunnableFlow, sourcesOf } from '../engine/registry.ts'
import { checkFlag, checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import { type InstanceId, parseRunId, type RunId } from '../model/ids.ts'
import type { NewRun, RunRecord } from '../model/run.ts'
import { assertJobQueue, assertRunStore } from '../ports/assert-ports.ts'
import { checkInjected } from '../ports/check-injected.ts'
import { type IClock, type NewId, randomId, systemClock } from '../ports/clock.ts'
import type { IJobQueue } from '../ports/job-queue.ts'
import { type ILogger, silentLogger } from '../ports/logger.ts'
import type { CreateResult, IRunStore, RunPage, RunQuery } from '../ports/run-store.ts'
import type { ISerializer } from '../ports/serializer.ts'
import type { WaitingList } from '../ports/waiting-lists.ts'
import { type DeadLetterPage, type DeadLetterQuery, listDeadLetters } from './dead-letters.ts'
import { type PauseOptions, RunHandle, type UnpauseOptions } from './handle.ts'
import type { RedriveOptions } from './redrive.ts'
import type { RunPorts } from './run-ports.ts'
import { checkRunQuery } from './run-query.ts'
import { type SlotWait, slotWaitOf } from './slot-wait.ts'

export interface ClientOptions extends FlowSources {
  readonly store: IRunStore
  /** Wakes workers at once. Without one they find the work with their next sweep. */
  readonly queue?: IJobQueue
  readonly registered?: Registry
  readonly serializer?: ISerializer
  readonly logger?: ILogger
  readonly clock?: IClock
  readonly newId?: NewId
  /** The journals of runs started here, and of those that they start, are published by workers that have a `journalSink`. */
  readonly publishJournals?: boolean
  /** @internal of a runtime that is client and worker in one */
  readonly seenEnd?: RunPorts['seenEnd']
  /** @internal the same */
  readonly onCancel?: RunPorts['onCancel']
}

/** Starts runs and finds them again. Needs the store and the blueprints, no worker: a run waits until one is up. */
export class BatonClient {
  readonly #options: ClientOptions
  readonly #registry: Registry
  readonly #serializer: ISerializer
  readonly #clock: IClock
  readonly #logger: ILogger
  readonly #courier: Courier

  constructor(options: ClientOptions) {
    checkOptions(options, [...clientOptions, ...alsoSeen])
    assertRunStore(options.store)
    if (options.queue !== undefined) assertJobQueue(options.queue)
    if (options.registered !== undefined) assertRegistry(options.registered, 'registered')
    checkInjected(options)
    checkFlag(options.publishJournals, 'publishJournals')
    this.#options = options
    this.#registry = options.registered ?? new Registry(sourcesOf(options))
    this.#serializer = options.serializer ?? new JsonSerializer()
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    const { store, queue, onCancel: onStop } = options
    this.#courier = new Courier({ store, queue, clock: this.#clock, logger: this.#logger, onStop })
  }

  /**
   * Starts a run. When it returns, the run survives whatever the store's durability names (P1), worker or no worker.
   * Refuses bad input whole: `INVALID_ID`, `INVALID_VALUE`, `UNKNOWN_FLOW`, `RUN_EXISTS`; then nothing was written.
   */
  start<Output = unknown, Input = unknown>(
    flow: RunnableFlow<Input> | string,
    ...rest: StartArguments<Input, StartOptions>
  ): Promise<RunHandle<Output>>
  async start(flow: RunnableFlow | string, given?: unknown, options: StartOptions = {}): Promise<RunHandle> {
    checkStartOptions(options)
    const graph = this.#registry.toStart(flow, options.version)
    const input = graph.inputSchema === undefined ? given : await checkRunInput(graph.inputSchema, given)
    const codes = { serializer: this.#serializer, newId: this.#options.newId ?? randomId }
    const started = await toGatedRun(graph, input, await withRunId(graph.flowId, options), codes)
    const run = this.#options.publishJournals === true ? { ...started, publishJournal: true as const } : started
    const created = await this.#create(run)
    switch (created.status) {
      case 'created':
        await this.#begin(run, created.claim?.instanceId)
        return this.get(run.runId)
      case 'exists':
        if (created.same) return this.get(run.runId)
        throw new BatonError('RUN_EXISTS', {
          field: 'runId',
          message: `run ${run.runId} was started with other input`,
          runId: run.runId,
        })
      case 'purged':
        throw new BatonError('RUN_EXISTS', {
          field: 'runId',
          message: `run ${run.runId} has ended and was removed`,
          runId: run.runId,
        })
      case 'too-large':
        throw new BatonError('TOO_LARGE', {
          field: 'input',
          message: `the store takes ${created.limitBytes} bytes at most`,
        })
    }
  }

  /** Where the worker of this process has a place for the run, it begins in it. */
  async #create(run: NewRun): Promise<CreateResult> {
    const { store, queue } = this.#options
    const isPrompt = firstWork(run, this.#clock.now()).length > 0
    const place = queue === undefined || !isPrompt ? undefined : placeFor({ store, queue }, run)
    if (place === undefined) return store.create(run)
    let created: CreateResult
    try {
      created = await store.create(run, place.first)
    } catch (error) {
      // What was refused has claimed nothing.
      if (BatonError.is(error) && !error.retryable) place.giveBack()
      else void claimAgain(run, place, { store, clock: this.#clock })
      throw error
    }
    if (created.status === 'created' && created.claim !== undefined) place.begin(created.claim)
    else place.giveBack()
    return created
  }

  /** @param claimed the instance that has begun */
  async #begin(run: NewRun, claimed: InstanceId | undefined): Promise<void> {
    const nowMs = this.#clock.now()
    const work = firstWork(run, nowMs)
    await this.#sendFor(run, claimed === undefined ? work : work.filter((id) => id !== claimed))
    const words = firstWords(run, nowMs)
    if (words.length > 0) await this.#courier.deliver(run.runId, words)
  }

  /** A handle for a run that exists, whoever started it. */
  get<Output = unknown>(runId: string): RunHandle<Output> {
    return new RunHandle<Output>(parseRunId(runId), {
      store: this.#options.store,
      serializer: this.#serializer,
      clock: this.#clock,
      seenEnd: this.#options.seenEnd,
      onCancel: this.#options.onCancel,
      send: (id, ready) => this.#send(id, ready),
      bring: (from, to) => this.#courier.bringSuccessor(from, to),
      deliver: (id, messages) => this.#courier.deliver(id, messages),
    })
  }

  /** A run whole, values encoded; undefined where the store has none of this id. */
  async getRun(runId: string): Promise<RunRecord | undefined> {
    return this.#options.store.load(parseRunId(runId))
  }

  /** Runs that match, newest first, a page at a time. */
  async listRuns(query: RunQuery = {}): Promise<RunPage> {
    return this.#options.store.list(checkRunQuery(query))
  }

  /**
   * What no worker that was asked could do, because it has not this flow in this version: a list for each, with how many
   * instances are on it and since when. Empty when all that waits only waits for its turn.
   */
  async waitingForWorker(): Promise<readonly WaitingList[]> {
    return this.#options.store.waitingLists()
  }

  /** Which limit keeps the run from beginning, and how many are before it; undefined when none does. */
  waitingFor(runId: string): Promise<SlotWait | undefined> {
    return slotWaitOf(this.#options.store, parseRunId(runId))
  }

  signal(runId: string, name: string, payload?: unknown): Promise<void> {
    return this.get(runId).signal(name, payload)
  }

  cancel(runId: string, reason?: string): Promise<boolean> {
    return this.get(runId).cancel(reason)
  }

  pause(runId: string, options: PauseOptions): Promise<boolean> {
    return this.get(runId).pause(options)
  }

  unpause(runId: string, options?: UnpauseOptions): Promise<boolean> {
    return this.get(runId).unpause(options)
  }

  /** Work that has failed for good, over all runs: attempts spent, and nothing that takes the failure. */
  deadLetters(query: DeadLetterQuery = {}): Promise<DeadLetterPage> {
    return listDeadLetters(this.#options.store, query)
  }

  redrive<Output = unknown>(runId: string, options?: RedriveOptions): Promise<RunHandle<Output>> {
    return this.get<Output>(runId).redrive(options)
  }

  async #send(runId: RunId, ready: readonly InstanceId[]): Promise<void> {
    const run = await this.#options.store.summary(runId)
    if (run !== undefined) await this.#sendFor(run, ready)
  }

  async #sendFor(
    head: Pick<NewRun, 'runId' | 'flowId' | 'version' | 'priority'>,
    ready: readonly InstanceId[],
  ): Promise<void> {
    if (ready.length === 0) return
    const { runId, flowId, version, priority = 0 } = head
    try {
      const jobs = ready.map((id) =>
        jobFor({ runId, flowId, ...(version === undefined ? {} : { version }), priority }, id, 0),
      )
      const { store, queue } = this.#options
      if (queue !== undefined) await sendJobs({ store, queue }, jobs)
    } catch (error) {
      // The run is in the store with all that is ready; workers find it with their next look.
      this.#logger.log('warn', 'jobs could not be sent', { runId, error })
    }
  }
}

const clientOptions = [
  'store',
  'queue',
  'registered',
  'flows',
  'registry',
  'blueprints',
  'serializer',
  'logger',
  'clock',
  'newId',
  'publishJournals',
  'seenEnd',
  'onCancel',
] as const satisfies readonly (keyof ClientOptions)[]

/** All ports of a store are often passed on together, so this one is let pass; a client has no use for it. */
const alsoSeen = ['coordinationStore']
