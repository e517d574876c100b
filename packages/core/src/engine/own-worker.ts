/**
 * Which workers of this process take from which queue. Whoever has that queue, and a worker's store, offers jobs to them
 * first: what a process has started itself begins there, without a way to the queue and back, as long as they have places.
 */
import type { NewRun } from '../model/run.ts'
import type { Claim } from '../ports/claim.ts'
import { type IClock, wait } from '../ports/clock.ts'
import type { IJobQueue, Job } from '../ports/job-queue.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { FirstClaim } from '../ports/transition.ts'

/** A place that is kept for a run which is about to be made. Either `begin` or `giveBack` follows. */
export interface Place {
  /** What to claim in it. */
  readonly first: FirstClaim
  begin(claim: Claim): void
  giveBack(): void
}

export interface TakesJobs {
  /** Where the runs are that it works on. */
  readonly store: IRunStore
  /** Undefined when the run is to go the way of all others. */
  placeFor(run: NewRun): Place | undefined
  /** @returns those that it leaves to the queue */
  offer(jobs: readonly Job[]): readonly Job[]
}

const workers = new WeakMap<IJobQueue, readonly TakesJobs[]>()
const NONE: readonly TakesJobs[] = []

/** @returns how to end it */
export function takesFrom(queue: IJobQueue, worker: TakesJobs): () => void {
  workers.set(queue, [...(workers.get(queue) ?? NONE), worker])
  return () => {
    const left = workers.get(queue)?.filter((other) => other !== worker) ?? NONE
    if (left.length === 0) workers.delete(queue)
    else workers.set(queue, left)
  }
}

/** What a run is made in, and its jobs are sent to. */
interface Ports {
  readonly store: IRunStore
  readonly queue: IJobQueue
}

export function placeFor({ store, queue }: Ports, run: NewRun): Place | undefined {
  for (const worker of workers.get(queue) ?? NONE) {
    const place = worker.store === store ? worker.placeFor(run) : undefined
    if (place !== undefined) return place
  }
  return undefined
}

/**
 * After the answer to a `create` was lost: what it has claimed, if it has, must not wait for the end of its lease. The same
 * claim asked again is the same claim. Never throws.
 */
export async function claimAgain(
  { runId }: NewRun,
  place: Place,
  { store, clock }: { readonly store: IRunStore; readonly clock: IClock },
): Promise<void> {
  const { candidates, ...first } = place.first
  for (const pauseMs of PAUSES_MS) {
    await wait(clock, pauseMs)
    try {
      for (const { nodeId, ...needs } of candidates) {
        const result = await store.claim({ runId, instanceId: nodeId, ...first, ...needs })
        if (result.status === 'claimed') return place.begin(result.claim)
      }
      break
    } catch {
      // It is still away.
    }
  }
  place.giveBack()
}

const PAUSES_MS = [50, 200, 1_000, 5_000]

export async function sendJobs({ store, queue }: Ports, jobs: readonly Job[]): Promise<void> {
  let left = jobs
  for (const worker of workers.get(queue) ?? NONE) {
    if (left.length === 0) return
    if (worker.store === store) left = worker.offer(left)
  }
  if (left.length > 0) await queue.enqueue(left)
}
