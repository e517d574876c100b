/** A queue that delivers some messages twice: at once, and so maybe to two workers together, or when the first may be long answered. */
import type { IJobQueue, Job } from '@baton/core'
import { withMischief } from '@baton/testing'

const MOST_LATER_MS = 2_000

/** @param every so many messages there is one that comes again */
export function deliversAgain(queue: IJobQueue, every: number): IJobQueue {
  let count = 0
  let isAtOnce = false
  const later = (job: Job) => {
    // Whether it comes is nobody's concern: the first was sent.
    const send = async () => queue.enqueue([job])
    setTimeout(() => void send().catch(() => {}), Math.random() * MOST_LATER_MS).unref()
  }
  return withMischief(queue, (jobs) =>
    jobs.flatMap((job) => {
      count += 1
      if (count % every > 0) return [job]
      isAtOnce = !isAtOnce
      if (isAtOnce) return [job, { ...job }]
      later(job)
      return [job]
    }),
  )
}
