/**
 * What a worker does with a job for which it lacks the flow or the version. It never executes it and never just
 * acknowledges it: the instance goes to the waiting list for its version, and only then has the job served.
 */
import { flowAtVersion } from '../model/ids.ts'
import type { ClaimRequest } from '../ports/claim.ts'
import type { Job } from '../ports/job-queue.ts'
import type { ILogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { Patience } from './patience.ts'

export interface UnplacedOptions {
  readonly store: IRunStore
  readonly logger: ILogger
  readonly workerId: string
  readonly patience: Patience
}

export class Unplaced {
  readonly #options: UnplacedOptions
  /** Versions that were asked for and are missing: there may be thousands of such jobs, and each is told of once. */
  readonly #missed = new Set<string>()

  constructor(options: UnplacedOptions) {
    this.#options = options
  }

  /** @returns `unknown`: from outside, for a run that only a worker with its flow can create; it has to stay in the queue */
  async setAside(job: Job, request: ClaimRequest): Promise<'enlisted' | 'served' | 'unknown'> {
    const { store, patience } = this.#options
    const fate = await patience.ask(job, () => enlist(job, store, request))
    if (fate !== 'served') await this.#tellOnce(job)
    return fate
  }

  async #tellOnce({ runId, blueprintId, version, foreign }: Job): Promise<void> {
    const { store, logger, workerId } = this.#options
    const run = foreign === true ? await store.summary(runId) : { flowId: blueprintId, version }
    const name = flowAtVersion(run?.flowId ?? blueprintId, run?.version)
    if (this.#missed.has(name)) return
    this.#missed.add(name)
    logger.log('warn', `waiting for a worker with ${name}`, { runId, workerId })
  }
}

async function enlist(
  { runId, instanceId, foreign }: Job,
  store: IRunStore,
  request: ClaimRequest,
): Promise<'enlisted' | 'served' | 'unknown'> {
  const { status } = await store.enlist({ runId, instanceId })
  switch (status) {
    case 'enlisted':
      return 'enlisted'
    case 'cancelled':
      // What a dead worker left behind keeps the run from ending. Nothing is ever granted here, so anybody may ask.
      await store.claim(request)
      return 'served'
    case 'unknown-run':
      return foreign === true ? 'unknown' : 'served'
    case 'not-claimable':
    case 'ended':
      return 'served'
  }
}
