import { describe, expect, it } from 'vitest'
import { StoreClock } from '../../src/run-store/store-clock.ts'

/** A server whose clock is ahead of ours, and says only the second. */
function answersOf(aheadMs: number, takesMs: number) {
  return (clock: StoreClock, sentMs: number) => {
    const answeredAtMs = performance.timeOrigin + sentMs + takesMs / 2 + aheadMs
    clock.note(Math.floor(answeredAtMs / 1_000) * 1_000, sentMs, sentMs + takesMs)
  }
}

function offsetOf(clock: StoreClock): number {
  return clock.now() - Date.now()
}

describe('The clock of the store', () => {
  it('is our own as long as nothing was told', () => {
    expect(Math.abs(offsetOf(new StoreClock()))).toBeLessThan(50)
  })

  it.each([3_600_000, -3_600_000, 2_345])(
    'knows after some answers that the server is %d ms ahead, to some milliseconds',
    (ahead) => {
      const clock = new StoreClock()
      const answer = answersOf(ahead, 10)
      for (let sentMs = performance.now() - 20_000; sentMs < performance.now(); sentMs += 137) answer(clock, sentMs)
      expect(Math.abs(offsetOf(clock) - ahead)).toBeLessThan(60)
    },
  )

  it('stays with our own clock where that is within the second that was told', () => {
    const clock = new StoreClock()
    answersOf(0, 10)(clock, performance.now() - 10)
    expect(Math.abs(offsetOf(clock))).toBeLessThan(50)
  })

  it('never goes back', () => {
    const clock = new StoreClock()
    let last = 0
    for (let answer = 0; answer < 200; answer++) {
      answersOf(Math.sin(answer) * 400, 5)(clock, performance.now() - 5)
      const now = clock.now()
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
    }
  })

  it('does not believe one answer that is far from all others', () => {
    const clock = new StoreClock()
    for (let count = 0; count < 20; count++) answersOf(0, 10)(clock, performance.now() - 10)
    answersOf(86_400_000, 10)(clock, performance.now() - 10)
    expect(Math.abs(offsetOf(clock))).toBeLessThan(1_100)
    answersOf(0, 10)(clock, performance.now() - 10)
    expect(Math.abs(offsetOf(clock))).toBeLessThan(1_100)
  })

  it('follows a server whose clock was set', () => {
    const clock = new StoreClock()
    for (let count = 0; count < 20; count++) answersOf(0, 10)(clock, performance.now() - 10)
    for (let count = 0; count < 20; count++) answersOf(60_000, 10)(clock, performance.now() - 10)
    expect(offsetOf(clock)).toBeGreaterThan(58_000)
  })
})
