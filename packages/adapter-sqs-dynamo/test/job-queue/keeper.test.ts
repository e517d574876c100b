/** For how long messages are kept from others, against a queue that only writes down what it is asked: AWS counts twelve hours in all, and emulators do not. */
import { silentLogger } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Keeper } from '../../src/job-queue/keeper.ts'
import type { SqsQueue } from '../../src/job-queue/sqs-queue.ts'

const HOUR = 3_600_000
const LIMIT = 12 * HOUR

/** A change of visibility: when it was asked for, and until when the message is hidden by it. */
interface Hidden {
  readonly atMs: number
  readonly untilMs: number
}

describe('the keeper of messages', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function keeperFor(visibilityMs: number) {
    const startMs = performance.now()
    const hidden: Hidden[] = []
    const hide = async (_handle: string, ms: number): Promise<void> => {
      const atMs = performance.now() - startMs
      hidden.push({ atMs, untilMs: atMs + Math.ceil(ms / 1_000) * 1_000 })
    }
    const keeper = new Keeper({ hide } as Partial<SqsQueue> as SqsQueue, visibilityMs, silentLogger)
    return { keeper, hidden }
  }

  it.each([
    ['a minute', 60_000],
    ['seven hours', 7 * HOUR],
    ['twelve hours', LIMIT],
  ])(
    'with a visibility of %s never asks for more than twelve hours in all, and for nearly all of them',
    async (_, visibilityMs) => {
      const { keeper, hidden } = keeperFor(visibilityMs)
      keeper.keep('handle')

      await vi.advanceTimersByTimeAsync(LIMIT + HOUR)

      let knownMs = keeper.firstMs
      for (const { atMs, untilMs } of hidden) {
        expect(atMs).toBeLessThan(knownMs)
        expect(untilMs).toBeGreaterThan(atMs)
        knownMs = untilMs
      }
      expect(knownMs).toBeLessThan(LIMIT - 30_000)
      expect(knownMs).toBeGreaterThan(LIMIT - 120_000)
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  it('extends to the end of the twelve hours, and asks for nothing after that', async () => {
    const { keeper, hidden } = keeperFor(60_000)
    const kept = keeper.keep('handle')
    await vi.advanceTimersByTimeAsync(HOUR)

    await keeper.extend(kept, LIMIT)
    const { length } = hidden
    expect(hidden.at(-1)?.untilMs).toBeLessThan(LIMIT - 30_000)
    expect(hidden.at(-1)?.untilMs).toBeGreaterThan(LIMIT - 120_000)

    await keeper.extend(kept, LIMIT)
    await vi.advanceTimersByTimeAsync(LIMIT)
    await keeper.extend(kept, HOUR)
    expect(hidden.length).toBe(length)
  })

  it.each([-HOUR, 13 * HOUR])('keeps a message whatever becomes of the clock: set by %i ms', async (jumpMs) => {
    const { keeper, hidden } = keeperFor(30_000)
    const kept = keeper.keep('handle')
    vi.setSystemTime(Date.now() + jumpMs)

    await vi.advanceTimersByTimeAsync(120_000)

    let knownMs = keeper.firstMs
    for (const { atMs, untilMs } of hidden) {
      expect(atMs).toBeLessThan(knownMs)
      knownMs = untilMs
    }
    expect(knownMs).toBeGreaterThan(120_000)
    await keeper.release(kept)
    expect(vi.getTimerCount()).toBe(0)
  })
})
