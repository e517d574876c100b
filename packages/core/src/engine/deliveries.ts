/**
 * What a worker does with what its queue brings: it works on it, sets it aside for those who have its version, or hands
 * it back. Every delivery is answered, and none is acknowledged before the store knows enough to do without it.
 */
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import type { Delivery, IJobQueue, Job } from '../ports/job-queue.ts'
import type { IJournalSink } from '../ports/journal-sink.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { Chain } from './chain.ts'
import type { Claims } from './claims.ts'
import { type Environment, workFields } from './environment.ts'
import { adoptForeignJob } from './foreign-job.ts'
import type { Graph } from './graph.ts'
import { sendJobs } from './own-worker.ts'
import type { Registry } from './registry.ts'
import type { Slots } from './slots.ts'
import type { Unplaced } from './unplaced.ts'
import type { Urgency } from './urgency.ts'

export interface DeliveriesOptions {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly registry: Registry
  readonly coordinationStore?: ICoordinationStore
  readonly env: Environment
  readonly slots: Slots
  readonly urgency: Urgency
  readonly claims: Claims
  readonly chain: Chain
  readonly unplaced: Unplaced
  /** Runs of jobs from outside are published where this process can do that. */
  readonly journalSink?: IJournalSink
  /** The queue has brought something. */
  onDelivery(): void
  /** The queue did not take jobs: the sweep will send them. */
  onUnsent(jobs: readonly Job[], error: unknown): void
}

export class Deliveries {
  readonly #options: DeliveriesOptions

  constructor(options: DeliveriesOptions) {
    this.#options = options
  }

  /** Resolves when it is done with it. Never throws. */
  async handle(delivery: Delivery): Promise<void> {
    const { registry, env, slots, urgency, claims, chain, onDelivery } = this.#options
    onDelivery()
    const { job } = delivery
    urgency.note(job.priority ?? 0)
    const fields = workFields(job.runId, job.instanceId, 0, env.workerId)
    const release = await slots.take()
    if (release === undefined) return chain.answer(delivery, () => delivery.handBack({ delayMs: 0 }))
    try {
      const graph = job.foreign === true ? await this.#adopt(delivery) : registry.find(job.blueprintId, job.version)
      if (graph === 'dead-lettered') return
      if (graph !== undefined) return await claims.work(graph, job.runId, job.instanceId, { delivery })
      await this.#setAside(delivery)
    } catch (error) {
      env.logger.log('error', 'a job could not be worked on; it comes again', { ...fields, error })
      await chain.answer(delivery, () => delivery.handBack({ delayMs: pauseFor(delivery.redelivered) }))
    } finally {
      release()
    }
  }

  async #adopt(delivery: Delivery): Promise<Graph | undefined | 'dead-lettered'> {
    const { store, registry, coordinationStore, env, journalSink } = this.#options
    const { serializer, deliver } = env
    const publishJournals = journalSink !== undefined
    const send = (jobs: readonly Job[]) => this.#send(jobs)
    return adoptForeignJob(delivery, {
      store,
      registry,
      coordinationStore,
      serializer,
      deliver,
      send,
      publishJournals,
    })
  }

  /** To the workers of this process first, as what its clients start. */
  async #send(jobs: readonly Job[]): Promise<void> {
    const { store, queue, onUnsent } = this.#options
    try {
      await sendJobs({ store, queue }, jobs)
    } catch (error) {
      onUnsent(jobs, error)
    }
  }

  /** Somebody else has this version, or nobody has it now. */
  async #setAside(delivery: Delivery): Promise<void> {
    const { claims, chain, unplaced } = this.#options
    const { job } = delivery
    const fate = await unplaced.setAside(job, claims.requestFor(job.runId, job.instanceId))
    await chain.answer(delivery, () =>
      fate === 'unknown' ? delivery.handBack({ delayMs: pauseFor(delivery.redelivered) }) : delivery.acknowledge(),
    )
  }
}

/** How long a job that this worker cannot take waits in the queue: longer each time, so that nobody spins on it. */
function pauseFor(redelivered: number): number {
  return Math.min(30_000, 1_000 * 2 ** Math.min(redelivered, 5))
}
