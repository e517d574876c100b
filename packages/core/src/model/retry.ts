/** When a failed attempt is tried again. */

export interface RetryPolicy {
  /** Attempts in all, the first included. Default 1: no retry. */
  readonly attempts?: number
  /** Wait before the second attempt. Default 1,000. */
  readonly delayMs?: number
  /** Each further wait is this many times the one before. Default 2. */
  readonly factor?: number
  /** No wait is longer. Default 60,000. */
  readonly maxDelayMs?: number
  /** Share of the wait that chance takes away, 0 to 1, so that a crowd does not come back together. Default 0.2. */
  readonly jitter?: number
  /** Retry only errors with one of these names or codes. Default: every error that is not fatal. */
  readonly errors?: readonly string[]
}

/**
 * How long to wait after the given number of failed attempts.
 *
 * @param failures attempts that have failed, 1 or more
 * @param random a number in [0, 1)
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, random: number): number {
  const { delayMs = 1_000, factor = 2, maxDelayMs = 60_000, jitter = 0.2 } = policy
  // After a thousand failures the factor has grown beyond all numbers, and nothing times infinity is no number.
  const full = delayMs === 0 ? 0 : Math.min(maxDelayMs, delayMs * factor ** (failures - 1))
  return Math.round(full * (1 - jitter * random))
}
