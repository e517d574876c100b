import { type ILogger, messageOf, systemClock } from '@baton/core/adapter'
import { TWELVE_HOURS_MS } from '../job-queue-options.ts'
import type { SqsQueue } from './sqs-queue.ts'

/** A message that is worked on, as its keeper sees it. Instants are by `performance.now()`: somebody may set the clock of the machine. */
export interface Kept {
  readonly handle: string
  /** Longer than until then SQS hides it from nobody. */
  readonly hidableUntilMs: number
  /** From then on others may get it. */
  hiddenUntilMs: number
  /** The change that is under way. */
  changing: Promise<void>
  isKept: boolean
}

/**
 * SQS refuses to hide a message for more than twelve hours in all, and counts from when it gave the message out, which is a little before
 * we had it. After that its run's lease is what keeps others away.
 */
const MOST_HIDDEN_MS = TWELVE_HOURS_MS - 60_000

/**
 * How long a message is hidden by the request that brings it, at most. One that was broken off, by a stop or a lost connection, may
 * still have taken messages, which nobody has then. Most nodes end sooner, and cost no other request.
 */
const FIRST_MS = 20_000

/**
 * Keeps messages from others for as long as they are worked on: before a third of the visibility is over it makes that of all of
 * them longer, ten with one request. It does nothing, and has no timer, while there are none.
 */
export class Keeper {
  readonly #queue: SqsQueue
  readonly #visibilityMs: number
  /** For how long to receive messages that it is to keep. */
  readonly firstMs: number
  readonly #logger: ILogger
  readonly #kept = new Set<Kept>()
  #cancel: (() => void) | undefined

  constructor(queue: SqsQueue, visibilityMs: number, logger: ILogger) {
    this.#queue = queue
    this.#visibilityMs = visibilityMs
    this.firstMs = Math.min(FIRST_MS, visibilityMs)
    this.#logger = logger
  }

  /** @param handle of a message that was received a moment ago */
  keep(handle: string): Kept {
    const nowMs = performance.now()
    const kept: Kept = {
      handle,
      hidableUntilMs: nowMs + MOST_HIDDEN_MS,
      hiddenUntilMs: nowMs + this.firstMs,
      changing: Promise.resolve(),
      isKept: true,
    }
    this.#kept.add(kept)
    this.#cancel ??= systemClock.after(this.firstMs / 3, () => this.#turn())
    return kept
  }

  /**
   * Keeps it no longer. Resolves when no change is under way any more: one that arrives after another, given by who answers for the
   * message, would undo that.
   */
  async release(kept: Kept): Promise<void> {
    this.#forget(kept)
    await kept.changing
  }

  /** Keeps it at least this much longer, if SQS does. Nothing is asked of it where it is kept for as long anyway. */
  async extend(kept: Kept, byMs: number): Promise<void> {
    const nowMs = performance.now()
    const untilMs = Math.min(nowMs + byMs, kept.hidableUntilMs)
    if (!kept.isKept || untilMs <= Math.max(nowMs, kept.hiddenUntilMs)) return
    await this.#hide(kept, Math.max(byMs, this.#visibilityMs))
  }

  #turn(): void {
    this.#cancel = undefined
    const nowMs = performance.now()
    for (const kept of this.#kept) {
      // There is no more to be had.
      if (Math.max(nowMs, kept.hiddenUntilMs) >= kept.hidableUntilMs) this.#forget(kept)
      // What was extended further than the next turn does not need this one.
      else if (kept.hiddenUntilMs - nowMs < this.#visibilityMs * 0.7)
        this.#hide(kept, this.#visibilityMs).catch(() => {})
    }
    if (this.#kept.size > 0) this.#cancel = systemClock.after(this.firstMs / 3, () => this.#turn())
  }

  #hide(kept: Kept, byMs: number): Promise<void> {
    const nowMs = performance.now()
    const untilMs = Math.min(nowMs + byMs, kept.hidableUntilMs)
    const change = this.#queue.hide(kept.handle, untilMs - nowMs).then(
      () => {
        kept.hiddenUntilMs = Math.max(kept.hiddenUntilMs, untilMs)
      },
      (error: unknown) => {
        this.#logger.log('debug', 'a job could not be kept from others', { error: messageOf(error) })
        throw error
      },
    )
    const settled = change.catch(() => {})
    kept.changing = Promise.all([kept.changing, settled]).then(() => {})
    return change
  }

  #forget(kept: Kept): void {
    kept.isKept = false
    this.#kept.delete(kept)
    if (this.#kept.size > 0) return
    this.#cancel?.()
    this.#cancel = undefined
  }
}
