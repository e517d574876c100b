import type { ClaimRequest } from '../ports/claim.ts'
import type { Job } from '../ports/job-queue.ts'
import type { IRunStore } from '../ports/run-store.ts'

/**
 * What a worker does with a job for which it lacks the flow or the version. It never executes it and never just
 * acknowledges it: the instance goes to the waiting list for its version, and only then has the job served.
 *
 * @returns `unknown`: a job from outside for a run that only a worker with its flow can create; it has to stay in the queue
 */
export async function setAside(
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
