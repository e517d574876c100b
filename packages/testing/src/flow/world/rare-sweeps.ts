/**
 * Sweeps only when there is something to sweep. A worker looks into the store every few seconds; over 30 days of a test
 * nearly all of these looks would find nothing. So a sweep comes at the first instant at which it finds something, and
 * not sooner after the one before it than it would in production.
 */

import type { IClock } from '@baton/core'
import { defaults } from '@baton/core'
import type { Actor } from '../../simulator/world/actor.ts'

/** No wait that anybody else asks for is as long, so that this one is known by its length. */
export const WHEN_DUE_MS = 2 ** 52

export class RareSweeps {
  readonly #waiting = new Map<() => void, Actor>()
  #lastAtMs = Number.NEGATIVE_INFINITY

  /** The clock of an actor whose sweeps are rare. */
  clockOf(actor: Actor): IClock {
    return {
      now: () => actor.clock.now(),
      after: (delayMs, callback) => {
        if (delayMs < WHEN_DUE_MS) return actor.clock.after(delayMs, callback)
        this.#waiting.set(callback, actor)
        return () => this.#waiting.delete(callback)
      },
    }
  }

  /** When a sweep that would find something due at this instant comes. */
  nextAtMs(dueAtMs: number): number {
    return Math.max(dueAtMs, this.#lastAtMs + defaults.sweepMs)
  }

  /** Lets all workers sweep. */
  comeAt(atMs: number): void {
    this.#lastAtMs = atMs
    for (const [sweep, actor] of [...this.#waiting]) {
      this.#waiting.delete(sweep)
      if (actor.isGone) continue
      const { world } = actor
      world.add({ delayMs: Math.max(0, atMs - world.nowMs), actor, what: 'sweep', detail: undefined, run: sweep })
    }
  }
}
