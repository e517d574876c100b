/**
 * A worker: anything that may commit. It takes jobs, claims, executes, commits, and sends what became ready.
 *
 *   job ─► claim ─► attempt ─► commit ─┬─► (claimed the next in the same call) ─► attempt …
 *                                      └─► jobs for the others
 *
 * The job is a hint and the claim is the right: a job that comes twice finds nothing to claim, and one that never
 * comes is made up for by the sweep and by workers with time to spare, which look into the store themselves.
 */
import { JsonSerializer } from '../context/json-serializer.ts'
import { defaults } from '../model/blueprint.ts'
import { assertOptions } from '../model/check-options.ts'
import { flowName, type InstanceId, nodeOfInstance, type RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import { assertCoordinationStore, assertJobQueue, assertRunStore } from '../ports/assert-ports.ts'
import type { Claim } from '../ports/claim.ts'
import { type IClock, randomId, systemClock } from '../ports/clock.ts'
import type { Delivery, Job } from '../ports/job-queue.ts'
import { type ILogger, silentLogger } from '../ports/logger.ts'
import type { DueFlow, DueItem } from '../ports/run-store.ts'
import { Alarms } from './alarms.ts'
import { Chain } from './chain.ts'
import { Courier } from './courier.ts'
import { Deadlines } from './deadlines.ts'
import { type Environment, workFields } from './environment.ts'
import type { DueMessage } from './find-start.ts'
import { adoptForeignJob } from './foreign-job.ts'
import type { Graph } from './graph.ts'
import { jobFor } from './jobs.ts'
import { JournalLimit } from './journal-limit.ts'
import { Leases } from './leases.ts'
import { checkMiddleware } from './middleware.ts'
import { patiently } from './patience.ts'
import { assertRegistry } from './registry.ts'
import { Slots } from './slots.ts'
import { Sweeper } from './sweep.ts'
import { setAside } from './unplaced.ts'
import { Urgency } from './urgency.ts'
import { markVersions } from './version-marks.ts'
import { WaitingWork } from './waiting-work.ts'
import { checkWorkerSettings, type WorkerOptions } from './worker-options.ts'

/** How long a job that this worker cannot take waits in the queue: longer each time, so that nobody spins on it. */
function pauseFor(redelivered: number): number {
  return Math.min(30_000, 1_000 * 2 ** Math.min(redelivered, 5))
}

/** Waits that end sooner are timed by the worker that recorded them; longer ones are the sweep's. */
const OWN_TIMER_MS = 60_000

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
  readonly #chain: Chain
  readonly #sweeper: Sweeper
  readonly #waitingWork: WaitingWork
  /** Versions that it was asked for and lacks. */
  readonly #missed = new Set<string>()
  readonly #stopping = new AbortController()
  readonly #ownTimers = new Set<() => void>()
  #loop: Promise<unknown> | undefined
  #deliveriesSinceLook = 0

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
    const { journalMaxEvents: maxEvents = defaults.journalMaxEvents } = options
    const journalLimit = new JournalLimit({ store, logger, workerId: this.workerId, maxEvents })
    this.#urgency = new Urgency(clock)
    this.#env = {
      serializer: options.serializer ?? new JsonSerializer(),
      clock,
      random: options.random ?? Math.random,
      newId,
      logger,
      workerId: this.workerId,
      deadlines: new Deadlines(clock),
      abandonAfterMs: options.abandonAfterMs ?? defaults.abandonAfterMs,
      middleware: checkMiddleware(settings.middleware),
      contextOf: (runId) => {
        const source = store.context(runId)
        const patience = () => this.#patience(runId, '', 0)
        return {
          read: (keys) => patiently(() => source.read(keys), patience()),
          readAll: () => patiently(() => source.readAll(), patience()),
        }
      },
      toStart: (flow, version) => registry.toStart(flow, version),
      deliver: (runId, messages) => this.#courier.deliver(runId, messages),
      commit: async (transition, attempt) => {
        const { runId, instanceId } = transition
        const result = await patiently(() => store.commit(transition), this.#patience(runId, instanceId, attempt))
        if ('run' in result) await journalLimit.heed(runId, result.run)
        return result
      },
      isJournalFull: (run) => journalLimit.isReached(run),
    }
    this.#alarms = new Alarms(clock, OWN_TIMER_MS, (runId) => void this.#courier.review(runId))
    this.#courier = new Courier({
      store,
      queue,
      clock,
      logger,
      onStop: (runId) => this.heed(runId),
      onAgain: (runId, delayMs) => this.#alarms.set(runId, delayMs),
    })
    this.#chain = new Chain({
      ...options,
      courier: this.#courier,
      env: this.#env,
      leases: this.#leases,
      urgency: this.#urgency,
      leaseMs: this.#leaseMs,
      isStopping: () => this.isStopping,
      isBusy: () => this.#slots.free === 0,
      onDelay: (claim, delayMs) => this.#timeIt(claim, delayMs),
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
    this.#waitingWork = new WaitingWork({
      store,
      slots: this.#slots,
      logger,
      workerId: this.workerId,
      flows: () => this.#flows(),
      begin: (item, release) => {
        const { runId, instanceId, flowId, version } = item
        return this.#workIn(release, { runId, instanceId, graph: this.#graphFor(flowId, version) })
      },
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
      for (const cancel of this.#ownTimers) cancel()
      this.#ownTimers.clear()
      this.#alarms.stop()
    }
    const { stopWithinMs = defaults.stopWithinMs } = this.#options
    const graceMs = Math.max(0, stopWithinMs - this.#env.abandonAfterMs)
    const cancel = this.#clock.after(graceMs, () => {
      for (const attempt of this.#leases.attempts) attempt.interrupt('released')
    })
    await this.#slots.whenIdle()
    await this.#loop?.catch(() => {})
    cancel()
    this.#leases.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #handle(delivery: Delivery): Promise<void> {
    this.#deliveriesSinceLook += 1
    const { job } = delivery
    this.#urgency.note(job.priority ?? 0)
    const fields = workFields(job.runId, job.instanceId, 0, this.workerId)
    const release = await this.#slots.take()
    if (release === undefined) return this.#chain.answer(delivery, () => delivery.handBack({ delayMs: 0 }))
    try {
      const graph = job.foreign === true ? await this.#adopt(delivery) : this.#graphFor(job.blueprintId, job.version)
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
    const { store } = this.#options
    const request = this.#requestFor(job.runId, job.instanceId)
    const fate = await patiently(() => setAside(job, store, request), this.#patience(job.runId, job.instanceId, 0))
    if (fate !== 'served') await this.#tellOnce(job)
    await this.#chain.answer(delivery, () =>
      fate === 'unknown' ? delivery.handBack({ delayMs: pauseFor(delivery.redelivered) }) : delivery.acknowledge(),
    )
  }

  /** There may be thousands of such jobs. */
  async #tellOnce({ runId, blueprintId, version, foreign }: Job): Promise<void> {
    const run = foreign === true ? await this.#options.store.summary(runId) : { flowId: blueprintId, version }
    const name = flowName(run?.flowId ?? blueprintId, run?.version)
    if (this.#missed.has(name)) return
    this.#missed.add(name)
    this.#logger.log('warn', `waiting for a worker with ${name}`, { runId, workerId: this.workerId })
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
    const result = await patiently(() => store.claim(request), this.#patience(runId, instanceId, 0))
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

  /** A retry or sleep that ends soon is timed here, so that it does not wait for the next sweep. */
  #timeIt(claim: Claim, delayMs: number): void {
    if (delayMs > OWN_TIMER_MS || this.isStopping) return
    const dueAtMs = this.#clock.now() + delayMs
    const cancel = this.#clock.after(delayMs, () => {
      this.#ownTimers.delete(cancel)
      // Timers may fire a moment before the clock says so, and a claim that comes too early is refused.
      const leftMs = dueAtMs - this.#clock.now()
      if (leftMs > 0) this.#timeIt(claim, leftMs)
      else this.#wake(claim)
    })
    this.#ownTimers.add(cancel)
  }

  #wake(claim: Claim): void {
    const { head, instanceId } = claim
    const graph = this.#graphFor(head.flowId, head.version)
    if (this.#slots.free > 0) this.#workUnasked({ runId: head.runId, instanceId, graph })
    else this.#sendDue(claim)
  }

  /** Its time has come while all places here are taken: whoever has one first shall do it, and no sweep is waited for. */
  #sendDue({ head, instanceId }: Claim): void {
    // The time as dispatch number is higher than any that was used, so that no queue takes this for old news.
    const job = jobFor(head, instanceId, this.#clock.now())
    const failed = (error: unknown) => {
      const fields = { runId: head.runId, instanceId, workerId: this.workerId, error }
      this.#logger.log('warn', 'a job could not be sent; the sweep will', fields)
    }
    void (async () => this.#options.queue.enqueue([job]))().catch(failed)
  }

  /** Work that no job brought: from a timer of our own, or found in the store. Only where a slot is free. */
  #workUnasked({ runId, instanceId, graph }: Unasked): void {
    const release = graph === undefined ? undefined : this.#slots.tryTake()
    if (release !== undefined) void this.#workIn(release, { runId, instanceId, graph })
  }

  /** @returns whether the claim was won, as soon as that is known */
  #workIn(release: () => void, { runId, instanceId, graph }: Unasked): Promise<boolean> {
    return new Promise((resolve) => {
      const done = () => {
        release()
        resolve(false)
      }
      if (graph === undefined || this.isStopping) return done()
      this.#work(graph, runId, instanceId, { onClaim: () => resolve(true) })
        .catch((error: unknown) => {
          const fields = workFields(runId, instanceId, 0, this.workerId)
          this.#logger.log('error', 'work could not be done; the sweep will find it', { ...fields, error })
        })
        .finally(done)
    })
  }

  /**
   * With slots free, the oldest due work is claimed from the store: all of it when nothing came from the queue since
   * the last look, else what has been due for so long that its job must have got lost.
   */
  async #lookForWork(): Promise<void> {
    this.#waitingWork.look()
    const quiet = this.#deliveriesSinceLook === 0
    this.#deliveriesSinceLook = 0
    const free = this.#slots.free
    if (free === 0) return
    const dueBeforeMs = quiet ? Number.POSITIVE_INFINITY : this.#clock.now() - this.#sweepMs
    const items = await this.#options.store.due({ limit: Math.max(free, 16), flows: this.#flows() })
    for (const item of moreUrgentFirst(items)) {
      if (this.#slots.free === 0) return
      if (item.dueAtMs < dueBeforeMs) this.#takeDue(item)
    }
  }

  #takeDue(item: DueItem): void {
    if (item.type !== 'instance') return
    const { runId, instanceId } = item
    this.#workUnasked({ runId, instanceId, graph: this.#graphFor(item.flowId, item.version) })
  }

  #flows(): readonly DueFlow[] {
    return this.#options.registry.graphs().map(({ flowId, version }) => ({ flowId, version }))
  }

  #graphFor(flowId: string, version: string | undefined): Graph | undefined {
    return this.#options.registry.find(flowId, version)
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

  #patience(runId: RunId, instanceId: InstanceId, attempt: number) {
    const fields = workFields(runId, instanceId, attempt, this.workerId)
    const untilMs = this.#clock.now() + this.#leaseMs
    return { clock: this.#clock, logger: this.#logger, fields, untilMs }
  }
}

interface Unasked {
  readonly runId: RunId
  readonly instanceId: InstanceId
  readonly graph: Graph | undefined
}

/** Of what is due: a higher priority goes first, then what has been due for longer. */
function moreUrgentFirst(items: readonly DueItem[]): DueItem[] {
  const priorityOf = (item: DueItem) => (item.type === 'instance' ? item.priority : 0)
  return [...items].sort((left, right) => priorityOf(right) - priorityOf(left))
}

/** Whether the run may be executed with this graph. A job may name another version than its run has: a run decides. */
function isFor(graph: Graph, { head }: Claim): boolean {
  return graph.flowId === head.flowId && (head.version === undefined || head.version === graph.version)
}
