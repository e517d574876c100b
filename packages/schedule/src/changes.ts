/** Changes to what a schedule is told: made where it is kept, so that two of them that cross each other both hold. */
import type { Policies, Spec } from './spec.ts'
import type { Timing, timingMembers } from './timing.ts'

/** What can be changed: everything but the id and the flow. A change from cron to an interval, or back, is one of both. */
export type ScheduleChanges = { readonly input?: unknown } & Partial<Omit<Timing, 'cron' | 'everyMs' | 'timeZone'>> & {
    readonly cron?: string
    readonly timeZone?: string
    readonly everyMs?: number
  } & Policies

/** The one kind of timing takes the place of the other. */
export function changed(spec: Spec, changes: ScheduleChanges): Spec {
  const isNew = (member: (typeof timingMembers)[number]) => changes[member] !== undefined
  const { cron, timeZone, everyMs, ...rest } = spec as Spec & { readonly [member: string]: unknown }
  const kept = isNew('everyMs') ? {} : isNew('cron') ? { timeZone } : { cron, timeZone, everyMs }
  return withoutUndefined({ ...rest, ...kept, ...withoutUndefined(changes) }) as unknown as Spec
}

export function withoutUndefined<Members extends object>(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members
}
