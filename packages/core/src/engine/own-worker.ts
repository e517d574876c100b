/**
 * Which worker of this process takes from which queue. Whoever has that queue offers jobs to the worker first: what a
 * process has started itself begins there, without a way to the queue and back, as long as the worker has places.
 */
import type { IJobQueue, Job } from '../ports/job-queue.ts'

export interface TakesJobs {
  /** @returns those that it leaves to the queue */
  offer(jobs: readonly Job[]): readonly Job[]
}

const workers = new WeakMap<IJobQueue, TakesJobs>()

/** @returns how to end it */
export function takesFrom(queue: IJobQueue, worker: TakesJobs): () => void {
  workers.set(queue, worker)
  return () => {
    if (workers.get(queue) === worker) workers.delete(queue)
  }
}

export async function sendJobs(queue: IJobQueue, jobs: readonly Job[]): Promise<void> {
  const left = workers.get(queue)?.offer(jobs) ?? jobs
  if (left.length > 0) await queue.enqueue(left)
}
