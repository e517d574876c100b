/** A job as the text of a message, for queues that carry texts. */
import { BatonError } from '../model/errors.ts'
import { type Job, parseJob } from './job-queue.ts'

export function textOfJob(job: Job): string {
  // The instance says it.
  const { nodeId: _, ...data } = job
  return JSON.stringify(data)
}

/** Throws `INVALID_JOB`. */
export function jobOfText(text: string): Job {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw new BatonError('INVALID_JOB', { field: 'job', message: 'not JSON', cause })
  }
  return parseJob(data)
}

/** For people who look at messages: the data, or the text where it is none. */
export function readableText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
