/**
 * A worker: anything that may commit. It takes jobs, claims, executes, commits, and sends what became ready.
 *
 *   job ─► claim ─► attempt ─► commit ─┬─► (claimed the next in the same call) ─► attempt …
 *                                      └─► the others, in places of its own or with jobs for anybody
 *
 * The job is a hint and the claim is the right: a job that comes twice finds nothing to claim, and one that never
 * comes is made up for by the sweep and by workers with time to spare, which look into the store themselves.
 */
import { defaults } from '../model/blueprint.ts'
import { assertOptions } from '../model/check-options.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import { assertCoordinationStore, assertJobQueue, assertRunStore } from '../ports/assert-ports.ts'
import { type IClock, randomId, systemClock } from '../ports/clock.ts'
import type { Job } from '../ports/job-queue.ts'
import { type ILogger, silentLogger } from '../ports/logger.ts'
import type { DueFlow, DueItem } from '../ports/run-store.ts'
import { Alarms } from './alarms.ts'
import { Chain } from './chain.ts'
import { Claims } from './claims.ts'
import { Courier } from './courier.ts'
import { Deliveries } from './deliveries.ts'
import type { Environment } from './environment.ts'
import { JournalSweep } from './journal-sweep.ts'
import { Leases } from './leases.ts'
import { OwnStarts } from './own-starts.ts'
import { OWN_TIMER_MS, OwnTimers } from './own-timers.ts'
import { takesFrom } from './own-worker.ts'
import { Patience } from './patience.ts'
import { PlacedWork } from './placed-work.ts'
import { Publisher } from './publisher.ts'
import { assertRegistry } from './registry.ts'
import { Slots } from './slots.ts'
import { endWork } from './stopping.ts'
import { Sweeper } from './sweep.ts'
import { UnaskedWork } from './unasked-work.ts'
import { Unplaced } from './unplaced.ts'
import { Urgency } from './urgency.ts'
import { markVersions } from './version-marks.ts'
import { WaitingWork } from './waiting-work.ts'
import { WorkInHand } from './work-in-hand.ts'
import { workerEnvironment } from './worker-environment.ts'
import { checkWorkerSettings, type WorkerOptions } from './worker-options.ts'

export class Worker {
  readonly workerId: string
  readonly #options: WorkerOptions
  readonly #env: Environment
  readonly #clock: IClock
  readonly #logger: ILogger
  readonly #slots: Slots
  readonly #leases: Leases
  readonly #urgency: Urgency
  readonly #courier: Courier
  readonly #alarms: Alarms
  readonly #ownTimers: OwnTimers
  readonly #inHand: WorkInHand
  /** What is started in this process, for those who start it. */
  readonly starts: OwnStarts
  readonly #sweeper: Sweeper
  /** Absent without a journal sink, as is what looks for what it has to do. */
  readonly #publisher: Publisher | undefined
  readonly #journals: JournalSweep | undefined
  readonly #waitingWork: WaitingWork
  readonly #placed: PlacedWork
  readonly #unasked: UnaskedWork
  readonly #deliveries: Deliveries
  readonly #stopping = new AbortController()
  #loop: Promise<unknown> | undefined
  #stopped: Promise<void> | undefined
  #endTaking = () => {}

  constructor(options: WorkerOptions) {
    assertOptions(options)
    const { store, queue, registry, coordinationStore, ...settings } = options
    checkWorkerSettings(settings)
    assertRunStore(store)
    assertJobQueue(queue)
    assertRegistry(registry)
    if (coordinationStore !== undefined) assertCoordinationStore(coordinationStore)
    const { clock = systemClock, logger = silentLogger, newId = randomId } = settings
    this.#options = options
    this.#clock = clock
    this.#logger = logger
    this.workerId = options.workerId ?? `worker-${newId().slice(0, 8)}`
    const { leaseMs = defaults.leaseMs, sweepMs = defaults.sweepMs } = options
    this.#slots = new Slots(options.concurrency ?? defaults.concurrency, this.#stopping.signal)
    this.#leases = new Leases({ store, clock, logger, leaseMs, workerId: this.workerId })
    this.#urgency = new Urgency(clock)
    const { journalSink: sink } = options
    this.#publisher =
      sink === undefined ? undefined : new Publisher({ sink, store, clock, logger, workerId: this.workerId })
    const patience = new Patience({ clock, logger, workerId: this.workerId, leaseMs })
    this.#env = workerEnvironment(options, {
      workerId: this.workerId,
      clock,
      logger,
      newId,
      patience,
      publisher: this.#publisher,
      deliver: (runId, messages) => this.#courier.deliver(runId, messages),
    })
    this.#alarms = new Alarms(clock, OWN_TIMER_MS, (runId) => void this.#courier.review(runId))
    this.#courier = new Courier({
      store,
      queue,
      clock,
      logger,
      onStop: (runId) => this.heed(runId),
      onAgain: (runId, delayMs) => this.#alarms.set(runId, delayMs),
      onUnpublished: (runId) => this.#publisher?.soon(runId),
    })
    const onUnsent = (jobs: readonly Job[], error: unknown) => {
      logger.log('warn', 'jobs could not be sent; the sweep will', {
        workerId: this.workerId,
        jobs: jobs.length,
        error,
      })
    }
    this.#inHand = new WorkInHand({
      queue,
      slots: this.#slots,
      clock,
      urgency: this.#urgency,
      isStopping: () => this.isStopping,
      begin: (graph, { runId, instanceId }, release) => void this.#placed.workIn(release, { runId, instanceId, graph }),
      onUnsent,
    })
    const chain = new Chain({
      ...options,
      inHand: this.#inHand,
      courier: this.#courier,
      env: this.#env,
      leases: this.#leases,
      publisher: this.#publisher,
      urgency: this.#urgency,
      leaseMs,
      isStopping: () => this.isStopping,
      isBusy: () => this.#slots.free === 0,
      onDelay: (claim, delayMs) => this.#ownTimers.set(claim, delayMs),
    })
    const claims = new Claims({
      ...options,
      acknowledge: options.acknowledge ?? options.queue.acknowledge,
      env: this.#env,
      leaseMs,
      patience,
      chain,
    })
    this.#placed = new PlacedWork({
      claims,
      chain,
      logger,
      workerId: this.workerId,
      isStopping: () => this.isStopping,
    })
    this.starts = new OwnStarts({
      ...options,
      env: this.#env,
      leaseMs,
      slots: this.#slots,
      urgency: this.#urgency,
      inHand: this.#inHand,
      isStopping: () => this.isStopping,
      follow: (release, graph, claim, askedAtMs) => this.#placed.followIn(release, graph, claim, askedAtMs),
    })
    this.#sweeper = new Sweeper({
      store,
      courier: this.#courier,
      queue: options.queue,
      coordinationStore: options.coordinationStore,
      workerId: this.workerId,
      sweepMs,
      retentionMs: options.retentionMs ?? defaults.retentionMs,
      clock,
      logger,
      onStop: (runId) => this.heed(runId),
    })
    this.#journals =
      this.#publisher &&
      new JournalSweep({
        store,
        publisher: this.#publisher,
        coordinationStore: options.coordinationStore,
        workerId: this.workerId,
        sweepMs,
        clock,
        logger,
      })
    this.#unasked = new UnaskedWork({
      store,
      queue,
      slots: this.#slots,
      clock,
      logger,
      workerId: this.workerId,
      sweepMs,
      placed: this.#placed,
      flows: () => this.#flows(),
      graphFor: (flowId, version) => registry.find(flowId, version),
    })
    this.#ownTimers = new OwnTimers(clock, (claim) => this.#unasked.wake(claim))
    this.#waitingWork = new WaitingWork({
      store,
      clock,
      slots: this.#slots,
      logger,
      workerId: this.workerId,
      flows: () => this.#flows(),
      begin: ({ runId, instanceId, flowId, version }, release) =>
        this.#placed.workIn(release, { runId, instanceId, graph: registry.find(flowId, version) }),
    })
    this.#deliveries = new Deliveries({
      ...options,
      onUnsent,
      env: this.#env,
      slots: this.#slots,
      urgency: this.#urgency,
      claims,
      chain,
      unplaced: new Unplaced({ store, logger, workerId: this.workerId, patience }),
      onDelivery: () => this.#unasked.noteDelivery(),
    })
  }

  /** The run was stopped: fires the signals of those of its nodes that run here, without waiting for the next renewal. */
  heed(runId: RunId): void {
    void this.#leases.heed(runId)
  }

  /** Brings what a run has said to the runs that it is for. */
  tell(from: RunId, messages: readonly RunMessage[]): Promise<void> {
    return this.#courier.deliver(from, messages)
  }

  /** Brings messages that were found in the store to the runs that they are for, and publishes what was not. */
  deliver(items: readonly DueItem[]): Promise<void> {
    for (const item of items) if (item.type === 'journal') this.#publisher?.now(item.runId)
    return this.#courier.deliverFound(items.filter((item) => item.type === 'message'))
  }

  /** Instances that this worker executes at the moment. */
  get running(): readonly { readonly runId: RunId; readonly instanceId: InstanceId; readonly attempt: number }[] {
    return this.#leases.attempts.map(({ runId, instanceId, attempt }) => ({ runId, instanceId, attempt }))
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Begins to take jobs. Returns at once. */
  start(): void {
    if (this.#loop !== undefined) return
    const { signal } = this.#stopping
    const { queue } = this.#options
    this.#waitingWork.listen()
    this.#endTaking = takesFrom(queue, this.starts)
    void this.#markVersions()
    this.#loop = Promise.all([
      queue.consume((delivery) => this.#deliveries.handle(delivery), { concurrency: this.#slots.count, signal }),
      this.#sweeper.run(signal, () => this.#lookForWork()),
    ])
    this.#loop.catch((error: unknown) =>
      this.#logger.log('error', 'the worker loop ended', { workerId: this.workerId, error }),
    )
  }

  /**
   * Takes nothing new, lets what runs end within `stopWithinMs`, hands back the rest. A hand-back costs neither an
   * attempt nor a lost lease. Resolves when nothing runs any more; where a store or a queue gives no answer, soon after that
   * time all the same, and what could not be handed back waits for its lease to run out.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    this.#waitingWork.stop()
    this.#ownTimers.stop()
    this.#alarms.stop()
    this.#endTaking()
    const { stopWithinMs = defaults.stopWithinMs } = this.#options
    const { abandonAfterMs } = this.#env
    const worker = {
      workerId: this.workerId,
      clock: this.#clock,
      logger: this.#logger,
      slots: this.#slots,
      leases: this.#leases,
      inHand: this.#inHand,
      publisher: this.#publisher,
      journals: this.#journals,
      loop: () => this.#loop,
    }
    await endWork(worker, { stopWithinMs, abandonAfterMs })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** With every sweep: for what others could not do, and for what nobody has. */
  #lookForWork(): Promise<void> {
    this.#waitingWork.look()
    const work = this.#unasked.look()
    return this.#journals === undefined ? work : Promise.all([work, this.#journals.look()]).then(() => {})
  }

  #flows(): readonly DueFlow[] {
    return this.#options.registry.graphs().map(({ flowId, version }) => ({ flowId, version }))
  }

  async #markVersions(): Promise<void> {
    const { coordinationStore, registry } = this.#options
    if (coordinationStore === undefined) return
    const { workerId } = this
    try {
      await markVersions(registry.graphs(), { coordinationStore, logger: this.#logger, workerId })
    } catch (error) {
      this.#logger.log('debug', 'versions could not be compared with those of others', { workerId, error })
    }
  }
}
