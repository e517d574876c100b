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
import { type InstanceId, nodeOfInstance, type RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import { assertCoordinationStore, assertJobQueue, assertRunStore } from '../ports/assert-ports.ts'
import type { Claim } from '../ports/claim.ts'
import { type IClock, randomId, systemClock } from '../ports/clock.ts'
import type { Delivery } from '../ports/job-queue.ts'
import { type ILogger, silentLogger } from '../ports/logger.ts'
import type { DueFlow } from '../ports/run-store.ts'
import { Alarms } from './alarms.ts'
import { Chain } from './chain.ts'
import { Courier } from './courier.ts'
import { type Environment, workFields } from './environment.ts'
import type { DueMessage } from './find-start.ts'
import { adoptForeignJob } from './foreign-job.ts'
import type { Graph } from './graph.ts'
import { Leases } from './leases.ts'
import { OwnStarts } from './own-starts.ts'
import { OWN_TIMER_MS, OwnTimers } from './own-timers.ts'
import { takesFrom } from './own-worker.ts'
import { Patience } from './patience.ts'
import { assertRegistry } from './registry.ts'
import { Slots } from './slots.ts'
import { Sweeper } from './sweep.ts'
import { UnaskedWork } from './unasked-work.ts'
import { Unplaced } from './unplaced.ts'
import { Urgency } from './urgency.ts'
import { markVersions } from './version-marks.ts'
import { WaitingWork } from './waiting-work.ts'
import { WorkInHand } from './work-in-hand.ts'
import { workerEnvironment } from './worker-environment.ts'
import { checkWorkerSettings, type WorkerOptions } from './worker-options.ts'

/** How long a job that this worker cannot take waits in the queue: longer each time, so that nobody spins on it. */
function pauseFor(redelivered: number): number {
  return Math.min(30_000, 1_000 * 2 ** Math.min(redelivered, 5))
}

export class Worker {
  readonly workerId: string
  readonly #options: WorkerOptions
  readonly #env: Environment
  readonly #clock: IClock
  readonly #logger: ILogger
  readonly #leaseMs: number
  readonly #sweepMs: number
  readonly #slots: Slots
  readonly #leases: Leases
  readonly #urgency: Urgency
  readonly #courier: Courier
  readonly #alarms: Alarms
  readonly #ownTimers: OwnTimers
  readonly #patience: Patience
  readonly #inHand: WorkInHand
  /** What is started in this process, for those who start it. */
  readonly starts: OwnStarts
  readonly #chain: Chain
  readonly #sweeper: Sweeper
  readonly #waitingWork: WaitingWork
  readonly #unplaced: Unplaced
  readonly #unasked: UnaskedWork
  readonly #stopping = new AbortController()
  #loop: Promise<unknown> | undefined
  #given: Promise<void> | undefined
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
    this.#leaseMs = options.leaseMs ?? defaults.leaseMs
    this.#sweepMs = options.sweepMs ?? defaults.sweepMs
    this.#slots = new Slots(options.concurrency ?? defaults.concurrency, this.#stopping.signal)
    this.#leases = new Leases({ store, clock, logger, leaseMs: this.#leaseMs, workerId: this.workerId })
    this.#urgency = new Urgency(clock)
    this.#patience = new Patience({ clock, logger, workerId: this.workerId, leaseMs: this.#leaseMs })
    this.#env = workerEnvironment(options, {
      workerId: this.workerId,
      clock,
      logger,
      newId,
      patience: this.#patience,
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
    })
    this.#inHand = new WorkInHand({
      queue,
      slots: this.#slots,
      clock,
      urgency: this.#urgency,
      isStopping: () => this.isStopping,
      begin: (graph, { runId, instanceId }, release) =>
        void this.#unasked.workIn(release, { runId, instanceId, graph }),
      onUnsent: (jobs, error) =>
        logger.log('warn', 'jobs could not be sent; the sweep will', {
          workerId: this.workerId,
          jobs: jobs.length,
          error,
        }),
    })
    this.#chain = new Chain({
      ...options,
      inHand: this.#inHand,
      courier: this.#courier,
      env: this.#env,
      leases: this.#leases,
      urgency: this.#urgency,
      leaseMs: this.#leaseMs,
      isStopping: () => this.isStopping,
      isBusy: () => this.#slots.free === 0,
      onDelay: (claim, delayMs) => this.#ownTimers.set(claim, delayMs),
    })
    this.starts = new OwnStarts({
      ...options,
      env: this.#env,
      leaseMs: this.#leaseMs,
      slots: this.#slots,
      urgency: this.#urgency,
      inHand: this.#inHand,
      isStopping: () => this.isStopping,
      follow: (release, graph, claim, askedAtMs) =>
        this.#unasked.followIn(release, claim, () => this.#chain.follow(graph, claim, askedAtMs, undefined)),
    })
    this.#sweeper = new Sweeper({
      store,
      courier: this.#courier,
      queue: options.queue,
      coordinationStore: options.coordinationStore,
      workerId: this.workerId,
      sweepMs: this.#sweepMs,
      retentionMs: options.retentionMs ?? defaults.retentionMs,
      clock,
      logger,
      onStop: (runId) => this.heed(runId),
    })
    this.#unplaced = new Unplaced({ store, logger, workerId: this.workerId, patience: this.#patience })
    this.#unasked = new UnaskedWork({
      store,
      queue,
      slots: this.#slots,
      clock,
      logger,
      workerId: this.workerId,
      sweepMs: this.#sweepMs,
      isStopping: () => this.isStopping,
      flows: () => this.#flows(),
      graphFor: (flowId, version) => registry.find(flowId, version),
      work: (graph, runId, instanceId, onClaim) => this.#work(graph, runId, instanceId, { onClaim }),
    })
    this.#ownTimers = new OwnTimers(clock, (claim) => this.#unasked.wake(claim))
    this.#waitingWork = new WaitingWork({
      store,
      slots: this.#slots,
      logger,
      workerId: this.workerId,
      flows: () => this.#flows(),
      begin: ({ runId, instanceId, flowId, version }, release) =>
        this.#unasked.workIn(release, { runId, instanceId, graph: registry.find(flowId, version) }),
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

  /** Brings messages that were found in the store to the runs that they are for. */
  deliver(items: readonly DueMessage[]): Promise<void> {
    return this.#courier.deliverFound(items)
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
      queue.consume((delivery) => this.#handle(delivery), { concurrency: this.#slots.count, signal }),
      this.#sweeper.run(signal, () => this.#lookForWork()),
    ])
    this.#loop.catch((error: unknown) =>
      this.#logger.log('error', 'the worker loop ended', { workerId: this.workerId, error }),
    )
  }

  /**
   * Takes nothing new, lets what runs end within `stopWithinMs`, hands back the rest. A hand-back costs neither an
   * attempt nor a lost lease. Resolves when nothing runs any more.
   */
  async stop(): Promise<void> {
    if (!this.isStopping) {
      this.#stopping.abort()
      this.#waitingWork.stop()
      this.#ownTimers.stop()
      this.#alarms.stop()
      this.#endTaking()
      this.#given = this.#inHand.giveAway()
    }
    const { stopWithinMs = defaults.stopWithinMs } = this.#options
    const graceMs = Math.max(0, stopWithinMs - this.#env.abandonAfterMs)
    const cancel = this.#clock.after(graceMs, () => {
      for (const attempt of this.#leases.attempts) attempt.interrupt('released')
    })
    await this.#slots.whenIdle()
    await this.#given
    await this.#loop?.catch(() => {})
    cancel()
    this.#leases.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #handle(delivery: Delivery): Promise<void> {
    this.#unasked.noteDelivery()
    const { job } = delivery
    this.#urgency.note(job.priority ?? 0)
    const fields = workFields(job.runId, job.instanceId, 0, this.workerId)
    const release = await this.#slots.take()
    if (release === undefined) return this.#chain.answer(delivery, () => delivery.handBack({ delayMs: 0 }))
    try {
      const graph =
        job.foreign === true ? await this.#adopt(delivery) : this.#options.registry.find(job.blueprintId, job.version)
      if (graph === 'dead-lettered') return
      if (graph !== undefined) return await this.#work(graph, job.runId, job.instanceId, { delivery })
      await this.#setAside(delivery)
    } catch (error) {
      this.#logger.log('error', 'a job could not be worked on; it comes again', { ...fields, error })
      await this.#chain.answer(delivery, () => delivery.handBack({ delayMs: pauseFor(delivery.redelivered) }))
    } finally {
      release()
    }
  }

  /** Somebody else has this version, or nobody has it now. */
  async #setAside(delivery: Delivery): Promise<void> {
    const { job } = delivery
    const fate = await this.#unplaced.setAside(job, this.#requestFor(job.runId, job.instanceId))
    await this.#chain.answer(delivery, () =>
      fate === 'unknown' ? delivery.handBack({ delayMs: pauseFor(delivery.redelivered) }) : delivery.acknowledge(),
    )
  }

  #requestFor(runId: RunId, instanceId: InstanceId) {
    return { runId, instanceId, claimId: this.#env.newId(), workerId: this.workerId, leaseMs: this.#leaseMs }
  }

  /**
   * Claims the instance and goes on from there. Without a claim there is nothing to do, and the job has served.
   * @param onClaim told of a claim that was won, before anything is done with it
   */
  async #work(
    graph: Graph,
    runId: RunId,
    instanceId: InstanceId,
    { delivery, onClaim }: { readonly delivery?: Delivery; readonly onClaim?: () => void } = {},
  ): Promise<void> {
    const { store, acknowledge = 'commit' } = this.#options
    const askedAtMs = this.#clock.now()
    const needs = graph.nodes.get(nodeOfInstance(instanceId))?.needs ?? {}
    const request = { ...this.#requestFor(runId, instanceId), ...needs }
    const result = await this.#patience.ask({ runId, instanceId }, () => store.claim(request))
    if (result.status === 'claimed') onClaim?.()
    if (result.status !== 'claimed' || acknowledge === 'claim') {
      await this.#chain.answer(delivery, () => delivery?.acknowledge())
    }
    if (result.status !== 'claimed') return
    const { claim } = result
    const answer = acknowledge === 'claim' ? undefined : delivery
    if (!isFor(graph, claim)) return this.#chain.giveBack(claim, answer)
    if (!graph.nodes.has(nodeOfInstance(instanceId))) return this.#chain.failUnknown(claim, answer)
    await this.#chain.follow(graph, claim, askedAtMs, answer)
  }

  /** With every sweep: for what others could not do, and for what nobody has. */
  #lookForWork(): Promise<void> {
    this.#waitingWork.look()
    return this.#unasked.look()
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

  async #adopt(delivery: Delivery): Promise<Graph | undefined | 'dead-lettered'> {
    const { store, registry, coordinationStore } = this.#options
    const { serializer, deliver } = this.#env
    return adoptForeignJob(delivery, { store, registry, coordinationStore, serializer, deliver })
  }
}

/** Whether the run may be executed with this graph. A job may name another version than its run has: a run decides. */
function isFor(graph: Graph, { head }: Claim): boolean {
  return graph.flowId === head.flowId && (head.version === undefined || head.version === graph.version)
}
