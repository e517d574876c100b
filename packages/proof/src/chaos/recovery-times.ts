/** How long the work of a worker that was killed lay idle: from its death until somebody else had claimed it. */
import type { RunEvent } from '@baton/core'
import type { Death } from './crew.ts'

export interface RecoveryTimes {
  /** Claims that were held by a worker when it was killed. */
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export class Recoveries {
  readonly #deathAtMs: ReadonlyMap<string, number>
  readonly #times: number[] = []

  constructor(deaths: readonly Death[]) {
    this.#deathAtMs = new Map(deaths.map(({ workerId, atMs }) => [workerId, atMs]))
  }

  take(events: readonly RunEvent[]): void {
    let letGoAtMs = Number.NEGATIVE_INFINITY
    for (const event of events) {
      if (event.type === 'run-pause-lifted') letGoAtMs = event.atMs
      const deathAtMs = event.type === 'node-lost' ? this.#deathAtMs.get(event.workerId) : undefined
      // A lease can also run out before, under a worker that was frozen or slow; and what is held waits for who holds it.
      if (deathAtMs !== undefined && event.atMs > deathAtMs && letGoAtMs < deathAtMs)
        this.#times.push(event.atMs - deathAtMs)
    }
  }

  times(): RecoveryTimes {
    const sorted = this.#times.toSorted((left, right) => left - right)
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
    return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 }
  }
}
