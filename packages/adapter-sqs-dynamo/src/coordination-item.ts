/**
 * One key of the coordination store as an item, `pk` = `<prefix>#C#<key>` and `sk` = `C`:
 *
 *   value      a number where the text is that of a counter, so that DynamoDB can add to it; else the text
 *   expiresAt  until when it is there, in ms; what is past it is absent, whether DynamoDB has removed it or not
 *   ttl        the same in seconds and later, for DynamoDB, who removes what it comes across in the days after
 *   call       who wrote it: an answer that was lost is found again when the client asks another time
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BatonError } from '@baton/core'

export type Item = Record<string, AttributeValue>

/** A key without an end has one all the same, so that each has both fields and one rule fits all. The last date there is. */
const NEVER_MS = 8_640_000_000_000_000
/** Some clocks are behind. */
const REMOVED_AFTER_S = 3_600
/** A hundred years. */
const MOST_MS = 36_525 * 86_400_000

export function valueAs(text: string): AttributeValue {
  return String(Number(text)) === text && Number.isSafeInteger(Number(text)) ? { N: text } : { S: text }
}

export function textOf({ value }: Item): string | undefined {
  return value?.N ?? value?.S
}

export function isLive(item: Item | undefined, nowMs: number): item is Item {
  return Number(item?.expiresAt?.N ?? 0) > nowMs
}

/** Both fields of its end. Throws `INVALID_OPTION` where the time to live is none. */
export function endOf(
  nowMs: number,
  ttlMs: number | undefined,
): { readonly expiresAt: AttributeValue; readonly ttl: AttributeValue } {
  const untilMs = ttlMs === undefined ? NEVER_MS : nowMs + checkTtl(ttlMs)
  return { expiresAt: { N: String(untilMs) }, ttl: { N: String(Math.ceil(untilMs / 1_000) + REMOVED_AFTER_S) } }
}

/** Whole milliseconds, and never fewer than asked for. */
function checkTtl(ttlMs: unknown): number {
  if (typeof ttlMs === 'number' && ttlMs > 0 && ttlMs <= MOST_MS) return Math.ceil(ttlMs)
  throw new BatonError('INVALID_OPTION', { field: 'ttlMs', message: `must be a positive number up to ${MOST_MS}` })
}
