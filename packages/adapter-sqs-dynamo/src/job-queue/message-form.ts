/** A job of Baton as SQS has it: its text, and its group. */
import { createHash } from 'node:crypto'
import { type Job, textOfJob } from '@baton/core/adapter'

/** All ASCII: SQS takes most of Unicode and refuses the rest, and some servers that stand in for it refuse more. */
export function bodyOf(job: Job): string {
  return textOfJob(job).replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
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

const LONGEST_REASON = 1_000

/** A reason as SQS takes it for an attribute: not empty, and without the characters it refuses. */
export function reasonText(reason: string): string {
  const text = reason.slice(0, LONGEST_REASON).replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd')
  return text === '' ? 'no reason given' : text
}
