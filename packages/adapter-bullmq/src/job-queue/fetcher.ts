import { type Job as BullMQJob, Worker } from 'bullmq'

/**
 * BullMQ's worker, of which we use the way it fetches, and not its loop: a handler may answer for a job long before it
 * ends, and no count of how often a job was started or stalled may ever fail one.
 */
export class Fetcher extends Worker {
  /** Finishes a job and fetches the next in the same call, under the same token. */
  finishAndFetch(job: BullMQJob, token: string): Promise<BullMQJob | undefined> {
    return this.handleCompleted('', job, token, () => true)
  }

  /** A job whose data cannot be read must not stop those behind it: it comes out as one that says nothing. */
  protected override createJob(...[json, id]: Parameters<Worker['createJob']>): BullMQJob {
    try {
      return super.createJob(json, id)
    } catch {
      return super.createJob({ ...json, data: 'null' }, id)
    }
  }
}
