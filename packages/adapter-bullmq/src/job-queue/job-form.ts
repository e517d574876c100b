/** A job of Baton as BullMQ has it: its id, its priority, its data. */
import { createHash } from 'node:crypto'
import type { Job } from '@baton/core/adapter'

export interface BullJob {
  readonly name: string
  readonly data: Omit<Job, 'nodeId'>
  readonly opts: { readonly jobId: string; readonly priority: number }
}

export function bullJobOf(job: Job): BullJob {
  // The instance says it, and each job is sent to Redis once and read twice.
  const { nodeId: _, ...data } = job
  return {
    // What a person sees first who looks at the queue.
    name: job.instanceId,
    data,
    opts: { jobId: jobIdOf(job), priority: priorityOf(job.priority) },
  }
}

/**
 * The same for the same job, so that one which is sent twice in a moment is one, and another for each re-send: BullMQ
 * ignores a job whose id it still has. An id must have no `:`, which run ids have, nor look like a whole number.
 */
export function jobIdOf({ runId, instanceId, dispatch }: Job): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([runId, instanceId, dispatch]))
    .digest('base64url')
  return `b${digest.slice(0, 24)}`
}

/** BullMQ knows 1 to 2^21 - 1, of which 1 goes first. Ours go either way from 0, and the higher goes first. */
const MIDDLE = 2 ** 20
const LAST = 2 ** 21 - 1

function priorityOf(priority = 0): number {
  const turned = MIDDLE - Math.round(Number.isNaN(priority) ? 0 : priority)
  return Math.min(LAST, Math.max(1, turned))
}
