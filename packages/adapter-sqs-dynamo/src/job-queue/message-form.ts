/** A job of Baton as SQS has it: its text, and its group. */
import { createHash } from 'node:crypto'
import { BatonError } from '@baton/core'
import { type Job, parseJob } from '@baton/core/adapter'

/** All ASCII: SQS takes most of Unicode and refuses the rest, and some servers that stand in for it refuse more. */
export function bodyOf(job: Job): string {
  // The instance says it.
  const { nodeId: _, ...data } = job
  return JSON.stringify(data).replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * One per instance of a run. SQS gives out the next message of a group only when the one before has been answered, so that with a group
 * per run one node that takes long would hold up all the others.
 */
export function groupOf({ runId, instanceId }: Job): string {
  return createHash('sha256')
    .update(JSON.stringify([runId, instanceId]))
    .digest('base64url')
}

/** Throws `INVALID_JOB`. */
export function jobOf(body: string): Job {
  let data: unknown
  try {
    data = JSON.parse(body)
  } catch (cause) {
    throw new BatonError('INVALID_JOB', { field: 'job', message: 'not JSON', cause })
  }
  return parseJob(data)
}

/** For people: the data, or the text where it is none. */
export function readable(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

const LONGEST_REASON = 1_000

/** A reason as SQS takes it for an attribute: not empty, and without the characters it refuses. */
export function reasonText(reason: string): string {
  const text = reason.slice(0, LONGEST_REASON).replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd')
  return text === '' ? 'no reason given' : text
}
