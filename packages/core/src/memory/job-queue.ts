/** Jobs in memory: the reference queue. Higher priority first, then first in, first out. */
import { checkNumber, checkOptions } from '../model/check-options.ts'
import { messageOf } from '../model/message-of.ts'
import { checkInjected } from '../ports/check-injected.ts'
import { type IClock, systemClock } from '../ports/clock.ts'
import { type ConsumeOptions, type Delivery, type IJobQueue, type Job, parseJob } from '../ports/job-queue.ts'
import { type ILogger, silentLogger } from '../ports/logger.ts'

export interface InMemoryJobQueueOptions {
  readonly clock?: IClock
  readonly logger?: ILogger
  /** A delivery that nobody answered comes again after this long. Default 30,000. */
  readonly visibilityMs?: number
}

interface Waiting {
  readonly job: Job
  readonly redelivered: number
}

export class InMemoryJobQueue implements IJobQueue {
  readonly #clock: IClock
  readonly #logger: ILogger
  readonly #visibilityMs: number
  readonly #lanes = new Map<number, Lane>()
  /** Each looks whether it can take what is there. */
  readonly #consumers = new Set<() => void>()
  readonly #timers = new Set<() => void>()
  readonly #dead: { readonly message: unknown; readonly reason: string }[] = []
  #closed = false

  constructor(options: InMemoryJobQueueOptions = {}) {
    checkOptions(options, ['clock', 'logger', 'visibilityMs'] satisfies (keyof InMemoryJobQueueOptions)[])
    checkInjected(options)
    const { clock = systemClock, logger = silentLogger, visibilityMs = 30_000 } = options
    checkNumber(visibilityMs, 'visibilityMs', { least: 1 })
    this.#clock = clock
    this.#logger = logger
    this.#visibilityMs = visibilityMs
  }

  /** Messages that were no jobs, and jobs that a handler gave up on. */
  get deadLetters(): readonly { readonly message: unknown; readonly reason: string }[] {
    return this.#dead
  }

  enqueue(jobs: readonly Job[]): void {
    for (const job of jobs) this.#put({ job: { ...job }, redelivered: 0 })
  }

  /** What a producer outside Baton would send: anything. */
  push(message: unknown): void {
    try {
      this.#put({ job: parseJob(message), redelivered: 0 })
    } catch (error) {
      this.#dead.push({ message, reason: messageOf(error) })
    }
  }

  consume(handler: (delivery: Delivery) => Promise<void>, { concurrency, signal }: ConsumeOptions): Promise<void> {
    return new Promise((resolve) => {
      let running = 0
      const isOver = () => signal.aborted || this.#closed
      const pump = () => {
        while (!isOver() && running < concurrency) {
          const next = this.#shift()
          if (next === undefined) break
          running += 1
          void this.#deliver(next, handler).finally(() => {
            running -= 1
            pump()
          })
        }
        if (!isOver() || running > 0) return
        this.#consumers.delete(pump)
        signal.removeEventListener('abort', pump)
        resolve()
      }
      this.#consumers.add(pump)
      signal.addEventListener('abort', pump)
      pump()
    })
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    this.#wakeAll()
  }

  async #deliver(waiting: Waiting, handler: (delivery: Delivery) => Promise<void>): Promise<void> {
    let answered = false
    const again = { ...waiting, redelivered: waiting.redelivered + 1 }
    let cancelReturn = this.#later(this.#visibilityMs, () => this.#put(again))
    const answer = (then: () => void) => () => {
      if (answered) return
      answered = true
      cancelReturn()
      then()
    }
    const delivery: Delivery = {
      job: waiting.job,
      redelivered: waiting.redelivered,
      acknowledge: answer(() => {}),
      handBack: ({ delayMs }) => answer(() => void this.#later(delayMs, () => this.#put(again)))(),
      extend: ({ byMs }) => {
        if (answered) return
        cancelReturn()
        cancelReturn = this.#later(byMs, () => this.#put(again))
      },
      deadLetter: async (reason) => answer(() => void this.#dead.push({ message: waiting.job, reason }))(),
    }
    try {
      await handler(delivery)
    } catch (error) {
      this.#logger.log('error', 'a job handler threw; the job will come again', { runId: waiting.job.runId, error })
    }
  }

  #put(waiting: Waiting): void {
    const priority = waiting.job.priority ?? 0
    const lane = this.#lanes.get(priority)
    if (lane === undefined) {
      this.#lanes.set(priority, new Lane(waiting))
      // Highest first, so that taking one looks at the lanes in order.
      const sorted = [...this.#lanes].sort(([left], [right]) => right - left)
      this.#lanes.clear()
      for (const [key, value] of sorted) this.#lanes.set(key, value)
    } else lane.push(waiting)
    this.#wakeAll()
  }

  #shift(): Waiting | undefined {
    for (const lane of this.#lanes.values()) {
      const next = lane.shift()
      if (next !== undefined) return next
    }
    return undefined
  }

  #wakeAll(): void {
    for (const pump of [...this.#consumers]) pump()
  }

  #later(delayMs: number, then: () => void): () => void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      then()
    })
    this.#timers.add(cancel)
    return () => {
      this.#timers.delete(cancel)
      cancel()
    }
  }
}

/** First in, first out, without moving what waits: `Array.shift` of a long list costs its length. */
class Lane {
  #items: (Waiting | undefined)[]
  #head = 0

  constructor(first: Waiting) {
    this.#items = [first]
  }

  push(waiting: Waiting): void {
    this.#items.push(waiting)
  }

  shift(): Waiting | undefined {
    const next = this.#items[this.#head]
    if (next === undefined) return undefined
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    }
    return next
  }
}
