/**
 * Wakes those who wait for news of a run. DynamoDB tells nobody of what was written, so they look: soon at first, and less and
 * less often as long as nothing comes. What this process writes itself they know anyway.
 */
import type { Wake } from '@baton/core/adapter'

const FIRST_MS = 50
const SLOWER = 1.5

export class Polls {
  readonly #mostMs: number
  readonly #stops = new Set<() => void>()

  /** @param mostMs the longest time between two looks */
  constructor(mostMs: number) {
    this.#mostMs = mostMs
  }

  /** @returns how to end it */
  watch(wake: Wake): () => void {
    let pauseMs = Math.min(FIRST_MS, this.#mostMs)
    let timer: ReturnType<typeof setTimeout> | undefined
    const plan = () => {
      // Not all of those who began together look together.
      timer = setTimeout(look, pauseMs * (0.75 + Math.random() / 2))
      pauseMs = Math.min(this.#mostMs, pauseMs * SLOWER)
    }
    const look = () => {
      plan()
      wake()
    }
    const stop = () => {
      clearTimeout(timer)
      this.#stops.delete(stop)
    }
    this.#stops.add(stop)
    plan()
    return stop
  }

  close(): void {
    for (const stop of [...this.#stops]) stop()
  }
}
