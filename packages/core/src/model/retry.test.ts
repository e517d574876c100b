import { describe, expect, it } from 'vitest'
import { retryDelayMs } from './retry.ts'

describe('retryDelayMs', () => {
  it('grows by the factor up to the bound', () => {
    const policy = { delayMs: 100, factor: 3, maxDelayMs: 1_000 }

    expect([1, 2, 3, 4, 50].map((failures) => retryDelayMs(policy, failures, 0))).toEqual([100, 300, 900, 1_000, 1_000])
  })

  it('lets chance take away its share, and no more', () => {
    expect(retryDelayMs({ delayMs: 1_000, jitter: 0.2 }, 1, 0)).toBe(1_000)
    expect(retryDelayMs({ delayMs: 1_000, jitter: 0.2 }, 1, 0.999)).toBe(800)
    expect(retryDelayMs({ delayMs: 1_000, jitter: 0 }, 1, 0.999)).toBe(1_000)
  })

  it('stays a number after more failures than the factor can bear', () => {
    expect(retryDelayMs({ delayMs: 0 }, 2_000, 0)).toBe(0)
    expect(retryDelayMs({ delayMs: 1 }, 2_000, 0)).toBe(60_000)
  })
})
