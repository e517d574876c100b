/**
 * When to ask SQS for messages, and for how many. One request at a time waits for what comes; more of them only while they come
 * back full, and never for more messages than there are handlers free:
 *
 *   free ≥ 1 and nobody asks ────────────────────────► ask, and wait as long as SQS can
 *   the last came back full and free ≥ a whole batch ─► ask beside it, and wait a second
 *   the last came back full and free < a whole batch ─► a few milliseconds later, when more may be free
 */
import { MOST_ENTRIES } from './batcher.ts'

export interface Asking {
  readonly most: number
  readonly isFirst: boolean
}

/** How many handlers and requests there are, and what that means. Pure bookkeeping. */
export class Polling {
  readonly #concurrency: number
  /** Handlers that run. */
  #running = 0
  /** Messages that may still come for what was asked. */
  #asked = 0
  #polls = 0
  /** The last answer was as full as it could be. */
  #isBusy = false

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  get free(): number {
    return this.#concurrency - this.#running - this.#asked
  }

  get isQuiet(): boolean {
    return this.#running === 0 && this.#polls === 0
  }

  /** @param hasGathered a few milliseconds have gone by for more to be free */
  next(hasGathered: boolean): Asking | 'gather' | undefined {
    const { free } = this
    const whole = Math.min(MOST_ENTRIES, this.#concurrency)
    if (free < 1) return undefined
    if (this.#polls > 0) return this.#isBusy && free >= whole ? { most: whole, isFirst: false } : undefined
    if (this.#isBusy && free < whole && !hasGathered) return 'gather'
    return { most: Math.min(whole, free), isFirst: true }
  }

  asks(most: number): void {
    this.#polls += 1
    this.#asked += most
  }

  /** @param came how many, each of which counts as one that runs from now on; undefined where there was no answer */
  answered(most: number, came: number | undefined): void {
    this.#polls -= 1
    this.#asked -= most
    this.#running += came ?? 0
    this.#isBusy = came === most
  }

  ended(): void {
    this.#running -= 1
  }
}
