/** Work in a place that somebody has taken for it: whatever becomes of it, the place is given back. */
import type { InstanceId, RunId } from '../model/ids.ts'
import type { Claim } from '../ports/claim.ts'
import type { ILogger } from '../ports/logger.ts'
import type { Chain } from './chain.ts'
import type { Claims } from './claims.ts'
import { workFields } from './environment.ts'
import type { Graph } from './graph.ts'

export interface PlacedWorkOptions {
  readonly claims: Claims
  readonly chain: Chain
  readonly logger: ILogger
  readonly workerId: string
  isStopping(): boolean
}

export interface Work {
  readonly runId: RunId
  readonly instanceId: InstanceId
  /** Of the run; undefined where this worker has none for it. */
  readonly graph: Graph | undefined
}

export class PlacedWork {
  readonly #options: PlacedWorkOptions

  constructor(options: PlacedWorkOptions) {
    this.#options = options
  }

  /**
   * Claims it and works on it, in the place that `release` gives back.
   * @returns whether the claim was won, as soon as that is known
   */
  workIn(release: () => void, { runId, instanceId, graph }: Work): Promise<boolean> {
    const { claims, isStopping } = this.#options
    return new Promise((resolve) => {
      const done = () => {
        release()
        resolve(false)
      }
      if (graph === undefined || isStopping()) return done()
      claims
        .work(graph, runId, instanceId, { onClaim: () => resolve(true) })
        .catch((error: unknown) => this.#failed(runId, instanceId, error))
        .finally(done)
    })
  }

  /** Goes on with a claim that has been won, in the place that `release` gives back. */
  followIn(release: () => void, graph: Graph, claim: Claim, askedAtMs: number): void {
    this.#options.chain
      .follow(graph, claim, askedAtMs, undefined)
      .catch((error: unknown) => this.#failed(claim.head.runId, claim.instanceId, error))
      .finally(release)
  }

  #failed(runId: RunId, instanceId: InstanceId, error: unknown): void {
    const { logger, workerId } = this.#options
    const fields = workFields(runId, instanceId, 0, workerId)
    logger.log('error', 'work could not be done; the sweep will find it', { ...fields, error })
  }
}
