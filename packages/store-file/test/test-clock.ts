import type { IClock } from '@baton/core/adapter'

export interface TestClock extends IClock {
  advance(ms: number): void
}

/** A clock that stands still until it is told to go on. */
export function testClock(startMs = 1_800_000_000_000): TestClock {
  let nowMs = startMs
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()
  return {
    now: () => nowMs,
    after(delayMs, callback) {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      nowMs += ms
      for (const timer of [...timers].sort((left, right) => left.atMs - right.atMs)) {
        if (timer.atMs > nowMs || !timers.delete(timer)) continue
        timer.callback()
      }
    },
  }
}
