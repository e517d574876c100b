/** What is started in the process of a worker, and begins there as long as it has places. */
import type { NewRun } from '../model/run.ts'
import type { Claim } from '../ports/claim.ts'
import type { Job } from '../ports/job-queue.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { NextClaim } from '../ports/transition.ts'
import type { Environment } from './environment.ts'
import type { Graph } from './graph.ts'
import type { Place, TakesJobs } from './own-worker.ts'
import type { Registry } from './registry.ts'
import type { Slots } from './slots.ts'
import type { Urgency } from './urgency.ts'
import type { WorkInHand } from './work-in-hand.ts'

export interface OwnStartsOptions {
  readonly store: IRunStore
  readonly registry: Registry
  readonly env: Pick<Environment, 'clock' | 'newId' | 'workerId'>
  readonly leaseMs: number
  readonly slots: Slots
  readonly urgency: Urgency
  readonly inHand: WorkInHand
  readonly fanOut?: 'own-places' | 'queue'
  isStopping(): boolean
  /** Goes on with a claim, in the place that `release` gives back. */
  follow(release: () => void, graph: Graph, claim: Claim, askedAtMs: number): void
}

export class OwnStarts implements TakesJobs {
  readonly #options: OwnStartsOptions

  constructor(options: OwnStartsOptions) {
    this.#options = options
  }

  get store(): IRunStore {
    return this.#options.store
  }

  placeFor(run: NewRun): Place | undefined {
    const { registry, env, leaseMs, slots, urgency, follow } = this.#options
    const graph = registry.find(run.flowId, run.version)
    if (graph === undefined || !this.#takesAny || urgency.outranks(run.priority ?? 0)) return undefined
    const candidates: NextClaim['candidates'][number][] = []
    for (const nodeId of run.starts) {
      const node = graph.nodes.get(nodeId)
      // A node that is gone is failed by the way that all others take.
      if (node === undefined) return undefined
      candidates.push({ nodeId, ...node.needs })
    }
    const claimId = env.newId()
    const askedAtMs = env.clock.now()
    const release = slots.tryTake()
    if (release === undefined) return undefined
    return {
      first: { claimId, workerId: env.workerId, leaseMs, candidates },
      begin: (claim) => follow(release, graph, claim, askedAtMs),
      giveBack: release,
    }
  }

  offer(jobs: readonly Job[]): readonly Job[] {
    if (!this.#takesAny) return jobs
    const { registry, inHand } = this.#options
    return jobs.filter((job) => {
      const graph = registry.find(job.blueprintId, job.version)
      return graph === undefined || !inHand.offer(graph, job)
    })
  }

  get #takesAny(): boolean {
    return this.#options.fanOut !== 'queue' && !this.#options.isStopping()
  }
}
