import { BatonError } from '../model/errors.ts'
import type { WaitOptions } from './node-function.ts'

/** A time that node code gives: a wait that cannot be counted is told where it is asked for. */
export function checkMs(ms: unknown): number {
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return ms
  const hint = 'Times are numbers: 60_000 is a minute, { untilMs } an instant.'
  throw new BatonError('INVALID_OPTION', {
    field: 'duration',
    message: `not a time in milliseconds: ${String(ms)}`,
    hint,
  })
}

/** How long a wait may last, as its outcome says it. */
export function timeoutOf({ timeoutMs }: WaitOptions): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs: checkMs(timeoutMs) }
}
