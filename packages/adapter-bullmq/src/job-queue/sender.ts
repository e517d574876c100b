import { LateError, within } from '@baton/core/adapter'
import type { Queue } from 'bullmq'
import type { BullJob } from './job-form.ts'

interface Waiting {
  readonly jobs: readonly BullJob[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Jobs in one go: a queue that is full of what one process has sent is of no use to the others meanwhile. */
const MOST_JOBS = 1_000

/** Sends jobs to BullMQ: what comes while some are under way goes together. So an idle sender sends at once. */
export class JobSender {
  readonly #timeoutMs: number
  #waiting: Waiting[] = []
  #isBusy = false

  /** @param timeoutMs how long BullMQ may take */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Resolves when they are in the queue. */
  send(queue: Queue, jobs: readonly BullJob[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ jobs, resolve, reject })
      if (this.#isBusy) return
      this.#isBusy = true
      // What the same turn of the loop still brings goes along.
      queueMicrotask(() => void this.#work(queue))
    })
  }

  async #work(queue: Queue): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      try {
        await within(
          this.#timeoutMs,
          add(
            queue,
            batch.flatMap(({ jobs }) => jobs),
          ),
        )
        for (const { resolve } of batch) resolve()
      } catch (error) {
        // Those behind it have waited as long, and would wait again, one batch after the other.
        const others = error instanceof LateError ? this.#waiting.splice(0) : []
        if (batch.length > 1 && !(error instanceof LateError)) await this.#sendApart(queue, batch)
        else for (const { reject } of [...batch, ...others]) reject(error)
      }
    }
    this.#isBusy = false
  }

  /** One of them may be to blame, and the others have nothing to do with it. Sent twice, a job is a second hint at most. */
  async #sendApart(queue: Queue, batch: readonly Waiting[]): Promise<void> {
    await Promise.all(
      batch.map(({ jobs, resolve, reject }) => within(this.#timeoutMs, add(queue, jobs)).then(resolve, reject)),
    )
  }

  #take(): readonly Waiting[] {
    let count = 0
    let jobs = 0
    for (const waiting of this.#waiting) {
      jobs += waiting.jobs.length
      if (count > 0 && jobs > MOST_JOBS) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}

/** BullMQ makes a pipeline for every bulk, which costs more than the job where it is one. */
async function add(queue: Queue, jobs: readonly BullJob[]): Promise<void> {
  const [job] = jobs
  if (jobs.length === 1 && job !== undefined) await queue.add(job.name, job.data, job.opts)
  else await queue.addBulk([...jobs])
}
