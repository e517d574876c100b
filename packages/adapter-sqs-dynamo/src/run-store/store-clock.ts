/**
 * The time by DynamoDB: every answer has a `Date`, in whole seconds. Each says that the time is somewhere between two instants, and
 * what all of them say together is soon known to a few milliseconds. So workers whose clocks disagree agree on leases, and on when a
 * sleep is over.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** Clocks drift: what was known gets a little less certain with time. */
const DRIFT_PER_MS = 0.0002

/** Farther apart than this two answers are by no mistake: a clock was set, and the time may go back. */
const SET_MS = 5_000

export class StoreClock {
  /** Between which offsets from `performance.now()` the time is. */
  #leastMs = Number.NEGATIVE_INFINITY
  #mostMs = Number.POSITIVE_INFINITY
  #notedAtMs = 0
  /** The last answer was not believed. */
  #isDoubted = false
  /** An instant that was told never comes again earlier. */
  #lastMs = 0

  /**
   * @param dateMs the second of an answer
   * @param sentMs when it was asked, by `performance.now()`
   * @param receivedMs and when it was answered
   */
  note(dateMs: number, sentMs: number, receivedMs: number): void {
    const slack = (receivedMs - this.#notedAtMs) * DRIFT_PER_MS
    this.#notedAtMs = receivedMs
    // The second had begun when it was answered, and was not over when it was asked.
    const leastMs = dateMs - receivedMs
    const mostMs = dateMs + 1_000 - sentMs
    const least = Math.max(this.#leastMs - slack, leastMs)
    const most = Math.min(this.#mostMs + slack, mostMs)
    const isSound = least <= most
    // Far from all before, and nobody has said the same yet.
    const isDoubtful = least > most + SET_MS && !this.#isDoubted
    this.#isDoubted = isDoubtful
    if (isDoubtful) return
    // Else not all who answer have the same clock, or one was set: what was known before counts no more.
    this.#leastMs = isSound ? least : leastMs
    this.#mostMs = isSound ? most : mostMs
    if (least > most + SET_MS) this.#lastMs = 0
  }

  now(): number {
    const nowMs = Math.floor(this.#offsetMs() + performance.now())
    this.#lastMs = Math.max(this.#lastMs, nowMs)
    return this.#lastMs
  }

  #offsetMs(): number {
    const ownMs = Date.now() - performance.now()
    // Our own clock, where it is as good as what we were told.
    return Math.min(Math.max(ownMs, this.#leastMs), this.#mostMs)
  }
}

/** Has the clock told of every answer that the client gets. @returns how to end it */
export function watchDates(client: DynamoDBClient, clock: StoreClock): () => void {
  const name = `batonStoreClock${Math.random()}`
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentMs = performance.now()
      const result = await next(args)
      const response = result.response as { readonly headers?: Record<string, string> } | undefined
      const dateMs = Date.parse(response?.headers?.date ?? '')
      if (!Number.isNaN(dateMs)) clock.note(dateMs, sentMs, performance.now())
      return result
    },
    // Closest to the wire: each try by itself.
    { step: 'deserialize', priority: 'low', name },
  )
  return () => void client.middlewareStack.remove(name)
}
