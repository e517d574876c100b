/** The instants of a timing. Pure: the same answer on every worker, given the same time zone data. */
import { checkNumber, checkOptions } from '@baton/core'
import { checkTiming, cronOf, type Timing, timingMembers } from './timing.ts'

/** The next instants after the given one, at most `count` of them; fewer where the timing ends. */
export function nextInstants(timing: Timing, fromMs: number, count: number): number[] {
  checkOptions(timing, timingMembers, 'timing')
  checkTiming(timing)
  checkNumber(fromMs, 'fromMs', { required: true, least: 0 })
  checkNumber(count, 'count', { required: true, least: 0, most: 10_000, whole: true })
  return instantsAfter(timing, fromMs, count)
}

export function instantsAfter(timing: Timing, fromMs: number, count: number): number[] {
  const after = successor(timing)
  const found: number[] = []
  for (let next = after(fromMs); next !== undefined && found.length < count; next = after(next)) found.push(next)
  return found
}

/** The first instant after the given one; undefined where there is none. */
export function instantAfter(timing: Timing, afterMs: number): number | undefined {
  return successor(timing)(afterMs)
}

export interface Passed {
  /** The latest ones, oldest first. */
  readonly latest: readonly number[]
  /** How many came before those: counted up to `MOST_COUNTED`. */
  readonly earlierCount: number
}

const NONE: Passed = { latest: [], earlierCount: 0 }

/** Who was away for a year need not know exactly how many minutes that was. */
export const MOST_COUNTED = 1_000

/** The instants after the first time up to the second, that one included. Costs the same for an hour and for a year. */
export function passedInstants(timing: Timing, afterMs: number, upToMs: number, most: number): Passed {
  const after = successor(timing)
  const first = after(afterMs)
  if (first === undefined || first > upToMs) return NONE
  // The usual case, one instant after the other, needs no look backwards.
  const second = after(first)
  if (second === undefined || second > upToMs) return { latest: [first], earlierCount: 0 }

  const latest = instantsUpTo(timing, upToMs, most).filter((ms) => ms >= first)
  const [oldest = first] = latest
  let earlierCount = 0
  for (
    let ms: number | undefined = first;
    ms !== undefined && ms < oldest && earlierCount < MOST_COUNTED;
    ms = after(ms)
  )
    earlierCount += 1
  return { latest, earlierCount }
}

function successor(timing: Timing): (afterMs: number) => number | undefined {
  const { startAtMs = 0, endAtMs = Number.POSITIVE_INFINITY } = timing
  const within = (ms: number) => (ms < endAtMs ? ms : undefined)
  if (timing.everyMs !== undefined) {
    const { everyMs } = timing
    return (afterMs) =>
      within(afterMs < startAtMs ? startAtMs : startAtMs + (Math.floor((afterMs - startAtMs) / everyMs) + 1) * everyMs)
  }
  const cron = cronOf(timing)
  return (afterMs) => {
    const next = cron.nextRun(new Date(Math.max(afterMs, startAtMs - 1)))
    return next === null ? undefined : within(next.getTime())
  }
}

/** The last instants up to the given one, oldest first; they may reach back before the start. */
function instantsUpTo(timing: Timing, upToMs: number, most: number): number[] {
  const { startAtMs = 0, endAtMs = Number.POSITIVE_INFINITY } = timing
  const lastMs = Math.min(upToMs, endAtMs - 1)
  if (timing.everyMs === undefined) {
    const found = cronOf(timing).previousRuns(most, new Date(lastMs + 1))
    return found.map((date) => date.getTime()).reverse()
  }
  const { everyMs } = timing
  const newest = startAtMs + Math.floor((lastMs - startAtMs) / everyMs) * everyMs
  return Array.from({ length: most }, (_, index) => newest - (most - 1 - index) * everyMs)
}
