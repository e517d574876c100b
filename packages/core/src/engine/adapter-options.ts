/** For adapters that open their store themselves, and take its options beside those of the engine. */
import { defaults } from '../model/blueprint.ts'

/** Parts options by their names: neither the store nor the engine takes what it does not know. */
export function partOptions<Ours extends object, Others extends object>(
  options: Ours & Others,
  ours: readonly (keyof Ours)[],
): { readonly ours: Ours; readonly others: Others } {
  const entries = Object.entries(options)
  const isOurs = ([name]: readonly [string, unknown]) => (ours as readonly string[]).includes(name)
  return {
    ours: Object.fromEntries(entries.filter(isOurs)) as Ours,
    others: Object.fromEntries(entries.filter((entry) => !isOurs(entry))) as Others,
  }
}

export interface ReminderOptions {
  readonly leaseMs?: number
  readonly redispatchMs?: number
  readonly redispatchMaxMs?: number
}

/**
 * How long a job may go unanswered where only the lease was given: as long as that, so that what a dead worker held is
 * not late. A lease that is no usable time is for the worker to refuse, by its own name.
 */
export function remindersFor({ leaseMs, redispatchMs, redispatchMaxMs }: ReminderOptions): ReminderOptions {
  if (redispatchMs !== undefined || !Number.isSafeInteger(leaseMs) || (leaseMs as number) < 1) return {}
  const byLeaseMs = leaseMs as number
  // Whoever names the longest pause alone means it.
  if (redispatchMaxMs !== undefined) return { redispatchMs: Math.min(byLeaseMs, redispatchMaxMs) }
  return { redispatchMs: byLeaseMs, redispatchMaxMs: Math.max(byLeaseMs, defaults.redispatchMaxMs) }
}
