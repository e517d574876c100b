import { JsonSerializer } from '../context/json-serializer.ts'
import { ReadOnlyContext } from '../context/read-only-context.ts'
import { assertOptions, checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import type { RunRecord, RunSummary } from '../model/run.ts'
import { assertCoordinationStore, assertJobQueue, assertRunStore } from '../ports/assert-ports.ts'
import type { IAsyncContext } from '../ports/async-context.ts'
import { type IClock, systemClock } from '../ports/clock.ts'
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import type { ConsumeOptions, Delivery, IJobQueue, Job } from '../ports/job-queue.ts'
import type { IJournalSink } from '../ports/journal-sink.ts'
import type { IRunStore, RunPage, RunQuery } from '../ports/run-store.ts'
import type { ISerializer } from '../ports/serializer.ts'
import type { Environment } from './environment.ts'
import { createFromFallback } from './foreign-job.ts'
import { jobFor } from './jobs.ts'
import { takesFrom } from './own-worker.ts'
import { type FlowSources, flowSources, Registry } from './registry.ts'
import { Worker } from './worker.ts'
import { checkWorkerSettings, type WorkerSettings } from './worker-options.ts'

/** What every adapter takes, whatever its technology. */
export interface EngineOptions extends WorkerSettings {
  /** The flows that this process can execute. */
  readonly runtimeOptions: FlowSources
}

export interface DistributedAdapterOptions extends EngineOptions {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
}

/** Ports that the person brings, where the adapter lets them. */
type GivenPorts = Partial<Pick<DistributedAdapterOptions, 'store' | 'queue' | 'coordinationStore'>>

/**
 * For an adapter that opens its ports itself, so that a slip is told before it has connected to anything.
 * @param others the names of the adapter's own options
 */
export function checkEngineOptions(options: EngineOptions & GivenPorts, others: readonly string[] = []): void {
  assertOptions(options)
  const { runtimeOptions, ...settings } = options
  checkWorkerSettings(settings, 'options', others)
  const { store, queue, coordinationStore } = settings
  if (store !== undefined) assertRunStore(store)
  if (queue !== undefined) assertJobQueue(queue)
  if (coordinationStore !== undefined) assertCoordinationStore(coordinationStore)
  checkOptions(runtimeOptions, flowSources, 'runtimeOptions')
}

const RECONCILE_LIMIT = 1_000

/**
 * Ties one queue to the engine: take a job, claim, execute, commit, send what became ready. An adapter extends it and
 * supplies its ports; what it needs to do differently it does in the four protected methods, which delegate to the
 * ports. Nothing else about running nodes is an adapter's business.
 */
export abstract class BaseDistributedAdapter {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
  readonly registry: Registry
  readonly #worker: Worker
  readonly #clock: IClock
  readonly #serializer: ISerializer
  readonly #journalSink: IJournalSink | undefined
  #closed: Promise<void> | undefined
  #endTaking = () => {}

  constructor(options: DistributedAdapterOptions) {
    assertOptions(options)
    const { store, queue, coordinationStore, ...engineOptions } = options
    checkEngineOptions(engineOptions)
    assertRunStore(store)
    assertJobQueue(queue)
    assertCoordinationStore(coordinationStore)
    const { runtimeOptions, ...settings } = engineOptions
    this.store = store
    this.queue = queue
    this.coordinationStore = coordinationStore
    this.registry = new Registry(runtimeOptions)
    this.#clock = settings.clock ?? systemClock
    this.#serializer = settings.serializer ?? new JsonSerializer()
    this.#journalSink = settings.journalSink
    this.#worker = new Worker({
      ...settings,
      store,
      coordinationStore,
      registry: this.registry,
      queue: {
        ...(queue.acknowledge === undefined ? {} : { acknowledge: queue.acknowledge }),
        enqueue: (jobs) => this.#enqueue(jobs),
        consume: (handler, consumeOptions) => this.processJobs(handler, consumeOptions),
        close: () => {},
      },
      onRunEnd: async (runId) => {
        await this.publishFinalResult(runId)
        await settings.onRunEnd?.(runId)
      },
    })
  }

  get workerId(): string {
    return this.#worker.workerId
  }

  /** What this process executes at the moment. */
  get running(): Worker['running'] {
    return this.#worker.running
  }

  /** Begins to take jobs. Returns at once. */
  start(): void {
    if (this.#closed !== undefined) throw new BatonError('CLOSED', { field: 'adapter' })
    this.#worker.start()
    this.#endTaking = takesFrom(this.queue, this.#worker.starts)
  }

  /** Takes nothing new, lets what runs end or hands it back, and resolves when nothing runs any more. */
  stop(): Promise<void> {
    this.#endTaking()
    return this.#worker.stop()
  }

  /** Stops, and closes the ports and their connections. */
  close(): Promise<void> {
    this.#closed ??= this.stop().then(async () => {
      await this.queue.close()
      await this.coordinationStore.close()
      await this.store.close()
      await this.#journalSink?.close()
    })
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  getRun(runId: string): Promise<RunRecord | undefined> {
    return Promise.resolve(this.store.load(parseRunId(runId)))
  }

  listRuns(query?: RunQuery): Promise<RunPage> {
    return Promise.resolve(this.store.list(query))
  }

  /**
   * Looks at one run and sends jobs for everything in it that may run now: what the sweep does for all runs, at once
   * and without waiting for reminders to be due. Messages to other runs are delivered. Harmless at any time: a job is a
   * hint, and a message is applied once.
   * @returns the instances for which jobs were sent
   */
  async reconcile(runId: string): Promise<readonly string[]> {
    const id = parseRunId(runId)
    const run = (await this.store.summary(id)) ?? (await this.#fallback(id))
    if (run === undefined) throw new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
    const due = await this.store.due({ limit: RECONCILE_LIMIT, runId: id })
    const instances = due.flatMap((item) => (item.type === 'instance' ? [item.instanceId] : []))
    // The time as dispatch number is higher than any the sweep has used, so that no queue takes these for old news.
    const dispatch = this.#clock.now()
    await this.#worker.deliver(due)
    if (instances.length > 0) await this.#enqueue(instances.map((instanceId) => jobFor(run, instanceId, dispatch)))
    return instances
  }

  /** The run's shared state as outsiders see it. */
  protected createContext(runId: RunId): IAsyncContext {
    return new ReadOnlyContext({ source: this.store.context(runId), serializer: this.#serializer })
  }

  /** Takes jobs until the signal fires. */
  protected processJobs(handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<void> {
    return this.queue.consume(handler, options)
  }

  /** Sends one job. */
  protected async enqueueJob(job: Job): Promise<void> {
    await this.queue.enqueue([job])
  }

  /** Called once a run of this worker has ended. Clients follow the journal and need no more than that. */
  protected async publishFinalResult(_runId: RunId): Promise<void> {}

  /** In one piece, unless an adapter has taken the sending of single jobs into its own hands. */
  async #enqueue(jobs: readonly Job[]): Promise<void> {
    if (this.enqueueJob === BaseDistributedAdapter.prototype.enqueueJob) await this.queue.enqueue(jobs)
    else await Promise.all(jobs.map((job) => this.enqueueJob(job)))
  }

  async #fallback(runId: RunId): Promise<RunSummary | undefined> {
    const { store, registry, coordinationStore } = this
    const deliver: Environment['deliver'] = (from, messages) => this.#worker.tell(from, messages)
    const publishJournals = this.#journalSink !== undefined
    const ports = { store, registry, coordinationStore, serializer: this.#serializer, deliver, publishJournals }
    if (!(await createFromFallback(runId, ports))) return undefined
    return store.summary(runId)
  }
}
