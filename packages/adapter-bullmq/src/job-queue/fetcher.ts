import { type Job as BullMQJob, UnrecoverableError, Worker } from 'bullmq'

/**
 * BullMQ's worker, of which we use the way it fetches, and not its loop: a handler may answer for a job long before it
 * ends, and no count of how often a job was started or stalled may ever fail one.
 */
export class Fetcher extends Worker {
  readonly #unreadable = new WeakSet<BullMQJob>()

  /** Finishes a job and fetches the next in the same call, under the same token. */
  finishAndFetch(job: BullMQJob, token: string): Promise<BullMQJob | undefined> {
    return this.handleCompleted('', job, token, () => true)
  }

  /** A job whose data is no JSON must not stop those behind it: it comes out as one that is no job of ours. */
  protected override createJob(...[json, id]: Parameters<Worker['createJob']>): BullMQJob {
    try {
      return super.createJob(json, id)
    } catch {
      const job = super.createJob({ ...json, data: JSON.stringify({ unreadable: json.data }) }, id)
      this.#unreadable.add(job)
      return job
    }
  }

  /** Takes a job out for good, whatever number of attempts its producer has given it. */
  async bury(job: BullMQJob, reason: string): Promise<void> {
    // BullMQ's own tools fail at a list that has one which cannot be read.
    if (this.#unreadable.has(job)) await job.updateData(job.data)
    const error = new UnrecoverableError(reason)
    // It would be kept, and says only where in our code this line stands.
    error.stack = ''
    await job.moveToFailed(error, job.token ?? '', false)
  }
}
