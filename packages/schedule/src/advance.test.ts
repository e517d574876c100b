import { describe, expect, it } from 'vitest'
import { advance, dueAtMs, isOver, MOST_CAUGHT_UP, MOST_QUEUED, type News, wakeAtMs } from './advance.ts'
import type { Spec } from './spec.ts'
import { firstState, type ScheduleState } from './state.ts'

const HOUR = 3_600_000
const T0 = Date.UTC(2026, 0, 1)

const hourly = (rest: Partial<Spec> = {}): Spec => ({ id: 's', flowId: 'f', everyMs: HOUR, ...rest }) as Spec
const newest = firstState(1, T0)
const DUE: News = { type: 'due' }

/** Hours after the first one, for readable tables. */
const hours = (firings: readonly { readonly atMs: number }[]) => firings.map(({ atMs }) => (atMs - T0) / HOUR)

function after(state: ScheduleState, spec: Spec, ...steps: readonly (readonly [News, number])[]) {
  const started: number[] = []
  const cancelled: string[] = []
  let current = state
  for (const [news, hour] of steps) {
    const plan = advance(current, spec, news, T0 + hour * HOUR)
    current = plan.state
    started.push(...hours(plan.starts))
    cancelled.push(...plan.cancels)
  }
  return { state: current, started, cancelled }
}

const ended = (hour: number): News => ({
  type: 'ended',
  runId: `s@${new Date(T0 + hour * HOUR).toISOString().replace('.000Z', 'Z')}`,
})

describe('a schedule that comes too late', () => {
  const late = 10.5

  it.each([
    ['none', [], 10],
    ['one', [10], 9],
    ['all', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0],
  ] as const)('catches up on what it missed: %s', (catchUp, started, skippedCount) => {
    const result = after(newest, hourly({ catchUp, overlap: 'allow' }), [DUE, late])

    expect(result.started).toEqual(started)
    expect(result.state).toMatchObject({ skippedCount, startedCount: started.length, cursorMs: T0 + 10 * HOUR })
  })

  it('counts as in time within the first minute, whatever it does with what it missed', () => {
    expect(after(newest, hourly({ catchUp: 'none' }), [DUE, 1 + 59 / 3_600]).started).toEqual([1])
    expect(after(newest, hourly({ catchUp: 'none' }), [DUE, 1 + 61 / 3_600]).started).toEqual([])
  })

  it('starts the one that is in time, and no second one for those it missed', () => {
    expect(after(newest, hourly({ catchUp: 'one', overlap: 'allow' }), [DUE, 5]).started).toEqual([5])
  })

  it('catches up on a bounded number, the latest', () => {
    const { started, state } = after(newest, hourly({ catchUp: 'all', overlap: 'allow' }), [DUE, 300.5])

    expect(started).toHaveLength(MOST_CAUGHT_UP)
    expect(started.at(-1)).toBe(300)
    expect(state.skippedCount).toBe(300 - MOST_CAUGHT_UP)
  })
})

it('starts each hour of a year once', () => {
  const spec = hourly({ overlap: 'allow' })
  let state = newest
  const started = new Set<string>()
  for (
    let wake = wakeAtMs(state, spec);
    wake !== undefined && wake <= T0 + 8_760 * HOUR;
    wake = wakeAtMs(state, spec)
  ) {
    const plan = advance(state, spec, DUE, wake + 300)
    for (const { runId } of plan.starts) started.add(runId)
    state = plan.state
  }

  expect(started.size).toBe(8_760)
  expect(state).toMatchObject({ startedCount: 8_760, skippedCount: 0 })
})

describe('a clock that jumps', () => {
  it('back does not make an instant come again', () => {
    const spec = hourly({ overlap: 'allow' })
    const result = after(newest, spec, [DUE, 3], [DUE, 1], [DUE, 2], [DUE, 3], [DUE, 4])

    expect(result.started).toEqual([3, 4])
  })

  it('forward is an absence', () => {
    expect(after(newest, hourly({ overlap: 'allow' }), [DUE, 1], [DUE, 7.5]).started).toEqual([1, 7])
  })
})

describe('a run that takes longer than the interval', () => {
  it('lets the next ones be left out, without waking for each', () => {
    const spec = hourly({ overlap: 'skip' })
    const first = after(newest, spec, [DUE, 1])
    expect(wakeAtMs(first.state, spec)).toBeUndefined()

    const later = after(first.state, spec, [ended(1), 4.5], [DUE, 5])

    expect(later.started).toEqual([5])
    expect(later.state.skippedCount).toBe(3)
  })

  it('lets the next ones wait in line', () => {
    const spec = hourly({ overlap: 'queue' })
    const result = after(newest, spec, [DUE, 1], [DUE, 2], [DUE, 3], [ended(1), 3.1], [ended(2), 3.2], [ended(3), 3.3])

    expect(result.started).toEqual([1, 2, 3])
    expect(result.state).toMatchObject({ queue: [], skippedCount: 0 })
    expect(result.state.running).toBeUndefined()
  })

  it('lets a bounded number wait', () => {
    const spec = hourly({ overlap: 'queue' })
    const steps = Array.from({ length: MOST_QUEUED + 5 }, (_, index): readonly [News, number] => [DUE, index + 1])
    const { state } = after(newest, spec, ...steps)

    expect(state.queue).toHaveLength(MOST_QUEUED)
    expect(state.skippedCount).toBe(4)
    expect(wakeAtMs(state, spec)).toBeUndefined()
  })

  it('has company, if that is allowed', () => {
    const result = after(newest, hourly({ overlap: 'allow' }), [DUE, 1], [DUE, 2])

    expect(result.started).toEqual([1, 2])
    expect(result.state.running).toBeUndefined()
  })

  it('is called off once, and the newest instant follows when it has ended', () => {
    const spec = hourly({ overlap: 'cancel-previous' })
    const result = after(newest, spec, [DUE, 1], [DUE, 2], [DUE, 3], [ended(1), 3.5])

    expect(result.cancelled).toEqual(['s@2026-01-01T01:00:00Z'])
    expect(result.started).toEqual([1, 3])
    expect(result.state.skippedCount).toBe(1)
  })
})

describe('a schedule that is paused', () => {
  const spec = hourly({ overlap: 'allow', catchUp: 'all' })

  it('starts what was due before, then nothing, and does not catch up afterwards', () => {
    const paused = after(newest, spec, [{ type: 'paused' }, 1])
    expect(paused.started).toEqual([1])
    expect(wakeAtMs(paused.state, spec)).toBeUndefined()

    const later = after(paused.state, spec, [DUE, 5], [{ type: 'unpaused' }, 7.5], [DUE, 8])

    expect(later.started).toEqual([8])
    expect(later.state.skippedCount).toBe(0)
  })

  it('starts what is asked for', () => {
    const result = after(newest, spec, [{ type: 'paused' }, 0.5], [{ type: 'triggered', runId: 's@x' }, 0.7])

    expect(result.started).toEqual([0.7])
    expect(result.state).toMatchObject({ startedCount: 0, triggeredCount: 1 })
  })

  it('keeps its line until it is unpaused', () => {
    const queueing = hourly({ overlap: 'queue' })
    const result = after(newest, queueing, [DUE, 1], [DUE, 2], [{ type: 'paused' }, 2.1], [ended(1), 2.2])
    expect(result.started).toEqual([1])

    expect(after(result.state, queueing, [{ type: 'unpaused' }, 2.3]).started).toEqual([2])
  })
})

it('starts what was asked for during a pause when it has waited for the one before, and nothing else', () => {
  const queueing = hourly({ overlap: 'queue' })
  const asked: News = { type: 'triggered', runId: 's@x' }

  const result = after(newest, queueing, [DUE, 1], [DUE, 2], [{ type: 'paused' }, 2.1], [asked, 2.2], [ended(1), 2.3])

  expect(result.started).toEqual([1, 2.2])
  expect(result.state.queue).toHaveLength(1)
})

describe('a schedule that is changed', () => {
  it('goes by the new instants from then on', () => {
    const spec = hourly({ overlap: 'allow' })
    const updated = hourly({ overlap: 'allow', everyMs: 2 * HOUR })
    const { state, started } = after(newest, spec, [{ type: 'updated', spec: updated }, 3.5])
    expect(started).toEqual([3])

    expect(after(state, updated, [DUE, 4], [DUE, 5], [DUE, 6]).started).toEqual([4, 6])
  })

  it('lets go of its line where overlap is allowed from now on', () => {
    const spec = hourly({ overlap: 'queue' })
    const updated = hourly({ overlap: 'allow' })

    const result = after(newest, spec, [DUE, 1], [DUE, 2], [DUE, 3], [{ type: 'updated', spec: updated }, 3.5])

    expect(result.started).toEqual([1, 2, 3])
  })
})

describe('a start that the flow refuses', () => {
  it('is counted, makes place for the next, and the schedule goes on', () => {
    const spec = hourly({ overlap: 'queue' })
    const firing = { runId: 's@2026-01-01T01:00:00Z', atMs: T0 + HOUR }
    const refused: News = { type: 'refused', firing, code: 'INVALID_VALUE', message: 'no' }

    const result = after(newest, spec, [DUE, 1], [DUE, 2], [refused, 2.1])

    expect(result.started).toEqual([1, 2])
    expect(result.state).toMatchObject({ startedCount: 1, refusedCount: 1, lastRefusal: { code: 'INVALID_VALUE' } })
  })
})

describe('a schedule is over', () => {
  it('when it has started as many runs as it may; those that were asked for do not count', () => {
    const spec = hourly({ overlap: 'allow', maxRuns: 2 })
    const result = after(newest, spec, [{ type: 'triggered', runId: 's@x' }, 0.5], [DUE, 1], [DUE, 2], [DUE, 3])

    expect(result.started).toEqual([0.5, 1, 2])
    expect(isOver(result.state, spec)).toBe(true)
  })

  it('when no instant is left, and nothing waits in line', () => {
    const spec = hourly({ overlap: 'queue', endAtMs: T0 + 2.5 * HOUR })
    const waiting = after(newest, spec, [DUE, 1], [DUE, 2])
    expect(isOver(waiting.state, spec)).toBe(false)

    const { state, started } = after(waiting.state, spec, [ended(1), 2.2])
    expect(started).toEqual([2])
    expect(isOver(state, spec)).toBe(true)
  })
})

describe('jitter', () => {
  const spec = hourly({ overlap: 'allow', jitterMs: 600_000 })

  it('moves each instant by its own share, the same every time, and within bounds', () => {
    const shifts = Array.from({ length: 200 }, (_, index) => dueAtMs(T0 + index * HOUR, spec) - (T0 + index * HOUR))

    expect(shifts.every((ms) => ms >= 0 && ms <= 600_000)).toBe(true)
    expect(new Set(shifts).size).toBeGreaterThan(150)
    expect(dueAtMs(T0, spec)).toBe(dueAtMs(T0, { ...spec }))
  })

  it('lets an instant wait for its share', () => {
    const dueAt = dueAtMs(T0 + HOUR, spec)
    expect(dueAt).toBeGreaterThan(T0 + HOUR)
    expect(wakeAtMs(newest, spec)).toBe(dueAt)

    expect(advance(newest, spec, DUE, dueAt - 1).starts).toEqual([])
    expect(hours(advance(newest, spec, DUE, dueAt).starts)).toEqual([1])
  })
})
