/**
 * When to ask SQS for messages, and for how many, where there is one queue. One request at a time waits for what comes; more of them
 * only while they come back full, and never for more messages than there are handlers free:
 *
 *   free ≥ 1 and nobody asks ────────────────────────► ask, and wait as long as SQS can
 *   the last came back full and free ≥ a whole batch ─► ask beside it, and wait a second
 *   the last came back full and free < a whole batch ─► a few milliseconds later, when more may be free
 */
import { MOST_ENTRIES } from './batcher.ts'
import type { Slots } from './slots.ts'

export interface Asking {
  /** Which queue, of those that the consumer has. */
  readonly level: number
  readonly most: number
  /** For as long as SQS can; for a second; or not at all. */
  readonly waits: 'long' | 'briefly' | 'not'
}

/** A plan of asking. Pure bookkeeping. */
export interface Polling {
  /**
   * @param hasGathered a few milliseconds have gone by for more to be free
   * @param isResting of a queue that is to be left alone for now
   */
  next(hasGathered: boolean, isResting: (level: number) => boolean): Asking | 'gather' | undefined
  asks(asking: Asking): void
  /** @param came how many; undefined where there was no answer */
  answered(asking: Asking, came: number | undefined): void
}

export function wholeBatch({ count }: Slots): number {
  return Math.min(MOST_ENTRIES, count)
}

export class OneQueuePolling implements Polling {
  readonly #slots: Slots
  /** Messages that may still come for what was asked. */
  #asked = 0
  #polls = 0
  /** The last answer was as full as it could be. */
  #isBusy = false

  constructor(slots: Slots) {
    this.#slots = slots
  }

  next(hasGathered: boolean, isResting: (level: number) => boolean): Asking | 'gather' | undefined {
    const free = this.#slots.spare - this.#asked
    const whole = wholeBatch(this.#slots)
    if (free < 1 || isResting(0)) return undefined
    if (this.#polls > 0) return this.#isBusy && free >= whole ? { level: 0, most: whole, waits: 'briefly' } : undefined
    if (this.#isBusy && free < whole && !hasGathered) return 'gather'
    return { level: 0, most: Math.min(whole, free), waits: 'long' }
  }

  asks({ most }: Asking): void {
    this.#polls += 1
    this.#asked += most
  }

  answered({ most }: Asking, came: number | undefined): void {
    this.#polls -= 1
    this.#asked -= most
    this.#isBusy = came === most
  }
}
