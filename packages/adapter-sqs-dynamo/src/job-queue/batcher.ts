import type { BatonError } from '@baton/core'
import { systemClock, wait } from '@baton/core/adapter'

/** SQS takes no more in one request. */
export const MOST_ENTRIES = 10
/**
 * The most that a request may bring in all. SQS takes 1 MiB since 2025; servers that stand in for it, and queues that were made
 * before, take this.
 */
const MOST_BYTES = 262_144
const MOST_TRIES = 4
const FIRST_PAUSE_MS = 100

/** What SQS says of one entry that it did not take, while the request as a whole went well. */
export interface EntryFailure {
  /** It would not take it another time either. */
  readonly isFinal: boolean
  readonly error: BatonError
}

export interface BatcherOptions<Item> {
  /** One request. Answers for each item, in order, what went wrong, or nothing. Throws when all of it went wrong. */
  request(items: readonly Item[]): Promise<readonly (EntryFailure | undefined)[]>
  /** Default: nothing that counts. */
  sizeOf?(item: Item): number
  /** How long an item may wait for others to go with it. 0: until the turn of the loop is over. */
  readonly gatherMs: number
  /** Requests at the same time. What comes while there are so many waits, and goes in fuller ones. */
  readonly parallel: number
}

interface Waiting<Item> {
  readonly item: Item
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  tries: number
}

/** Puts what is asked of a queue into requests of ten, and asks again for those of the ten that SQS could not see to. */
export class Batcher<Item> {
  readonly #options: BatcherOptions<Item>
  #waiting: Waiting<Item>[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #isDue = false
  #running = 0
  readonly #open = new Set<Promise<void>>()

  constructor(options: BatcherOptions<Item>) {
    this.#options = options
  }

  /** Resolves when SQS has it. */
  add(item: Item): Promise<void> {
    const taken = new Promise<void>((resolve, reject) => this.#put({ item, resolve, reject, tries: 0 }))
    const settled: Promise<void> = taken.then(
      () => void this.#open.delete(settled),
      () => void this.#open.delete(settled),
    )
    this.#open.add(settled)
    return taken
  }

  /** Sends what waits now. Resolves when all has been answered that was added before, well or not. */
  async flush(): Promise<void> {
    this.#becomeDue()
    await Promise.all(this.#open)
  }

  #put(waiting: Waiting<Item>): void {
    this.#waiting.push(waiting)
    if (this.#waiting.length >= MOST_ENTRIES && this.#options.gatherMs > 0) this.#pump()
    if (this.#isDue || this.#timer !== undefined || this.#waiting.length === 0) return
    if (this.#options.gatherMs > 0) {
      this.#timer = setTimeout(() => this.#becomeDue(), this.#options.gatherMs)
      return
    }
    this.#isDue = true
    queueMicrotask(() => this.#pump())
  }

  #becomeDue(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isDue = true
    this.#pump()
  }

  #pump(): void {
    while (this.#running < this.#options.parallel) {
      if (!this.#isDue && this.#waiting.length < MOST_ENTRIES) break
      const batch = this.#take()
      if (batch.length === 0) break
      void this.#send(batch)
    }
    if (this.#waiting.length === 0) this.#isDue = false
  }

  #take(): readonly Waiting<Item>[] {
    const { sizeOf = () => 0 } = this.#options
    let count = 0
    let bytes = 0
    for (const { item } of this.#waiting) {
      bytes += sizeOf(item)
      if (count === MOST_ENTRIES || (count > 0 && bytes > MOST_BYTES)) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  async #send(batch: readonly Waiting<Item>[]): Promise<void> {
    this.#running += 1
    try {
      const failures = await this.#options.request(batch.map(({ item }) => item))
      for (const [index, waiting] of batch.entries()) this.#answer(waiting, failures[index])
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      this.#running -= 1
      this.#pump()
    }
  }

  #answer(waiting: Waiting<Item>, failure: EntryFailure | undefined): void {
    if (failure === undefined) return waiting.resolve()
    waiting.tries += 1
    if (failure.isFinal || waiting.tries >= MOST_TRIES) return waiting.reject(failure.error)
    const pauseMs = FIRST_PAUSE_MS * 2 ** (waiting.tries - 1) * (0.5 + Math.random() / 2)
    void wait(systemClock, pauseMs).then(() => this.#put(waiting))
  }
}
