/**
 * What was promised and is not so. Each finding is one of three:
 *
 * - *lost*: something acknowledged is not there, or not as it was told: a run, a commit, an event of a journal, a result;
 * - *doubled*: something happened that may happen once, or at another time, or not at all;
 * - *stuck*: a run that did not end, or a slot that is not free.
 */
import { deepEqual, type JsonValue } from '@baton/core/adapter'

export interface Finding {
  readonly what: 'lost' | 'doubled' | 'stuck'
  readonly runId: string
  readonly detail: string
}

export type Find = (what: Finding['what'], detail: string) => void

export function isSame(left: unknown, right: unknown): boolean {
  return deepEqual(plain(left), plain(right))
}

/** Without what is undefined: JSON does not know it. */
function plain(value: unknown): JsonValue {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as JsonValue)
}

export function doublesOf(keys: readonly string[]): readonly string[] {
  return keys.filter((key, index) => keys.indexOf(key) !== index)
}
