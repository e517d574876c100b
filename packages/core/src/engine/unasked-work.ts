/**
 * Work that no job brought: its time has come by a timer of this worker, or it was found in the store. It is done only
 * where a place is free, so that it never stands in the way of what the queue brings.
 */
import type { Claim } from '../ports/claim.ts'
import type { IClock } from '../ports/clock.ts'
import type { IJobQueue } from '../ports/job-queue.ts'
import type { ILogger } from '../ports/logger.ts'
import type { DueFlow, DueItem, IRunStore } from '../ports/run-store.ts'
import type { Graph } from './graph.ts'
import { jobFor } from './jobs.ts'
import type { PlacedWork, Work } from './placed-work.ts'
import type { Slots } from './slots.ts'

export interface UnaskedWorkOptions {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly slots: Slots
  readonly clock: IClock
  readonly logger: ILogger
  readonly workerId: string
  readonly sweepMs: number
  readonly placed: PlacedWork
  flows(): readonly DueFlow[]
  graphFor(flowId: string, version: string | undefined): Graph | undefined
}

export class UnaskedWork {
  readonly #options: UnaskedWorkOptions
  #deliveriesSinceLook = 0

  constructor(options: UnaskedWorkOptions) {
    this.#options = options
  }

  /** The queue has brought something. */
  noteDelivery(): void {
    this.#deliveriesSinceLook += 1
  }

  /** What was claimed before may be claimed again: its retry or sleep is over. */
  wake(claim: Claim): void {
    const { head, instanceId } = claim
    const graph = this.#options.graphFor(head.flowId, head.version)
    if (this.#options.slots.free > 0) this.#begin({ runId: head.runId, instanceId, graph })
    else this.#sendDue(claim)
  }

  /** Its time has come while all places here are taken: whoever has one first shall do it, and no sweep is waited for. */
  #sendDue({ head, instanceId }: Claim): void {
    const { queue, clock, logger, workerId } = this.#options
    // The time as dispatch number is higher than any that was used, so that no queue takes this for old news.
    const job = jobFor(head, instanceId, clock.now())
    const failed = (error: unknown) => {
      logger.log('warn', 'a job could not be sent; the sweep will', { runId: head.runId, instanceId, workerId, error })
    }
    void (async () => queue.enqueue([job]))().catch(failed)
  }

  /**
   * With slots free, the oldest due work is claimed from the store: all of it when nothing came from the queue since
   * the last look, else what has been due for so long that its job must have got lost.
   */
  async look(): Promise<void> {
    const { store, slots, clock, sweepMs, flows } = this.#options
    const quiet = this.#deliveriesSinceLook === 0
    this.#deliveriesSinceLook = 0
    const free = slots.free
    if (free === 0) return
    const dueBeforeMs = quiet ? Number.POSITIVE_INFINITY : clock.now() - sweepMs
    const items = await store.due({ limit: Math.max(free, 16), flows: flows() })
    for (const item of moreUrgentFirst(items)) {
      if (slots.free === 0) return
      if (item.dueAtMs < dueBeforeMs) this.#takeDue(item)
    }
  }

  #takeDue(item: DueItem): void {
    if (item.type !== 'instance') return
    const { runId, instanceId } = item
    this.#begin({ runId, instanceId, graph: this.#options.graphFor(item.flowId, item.version) })
  }

  #begin(work: Work): void {
    const { slots, placed } = this.#options
    const release = work.graph === undefined ? undefined : slots.tryTake()
    if (release !== undefined) void placed.workIn(release, work)
  }
}

/** Of what is due: a higher priority goes first, then what has been due for longer. */
function moreUrgentFirst(items: readonly DueItem[]): DueItem[] {
  const priorityOf = (item: DueItem) => (item.type === 'instance' ? item.priority : 0)
  return [...items].sort((left, right) => priorityOf(right) - priorityOf(left))
}
