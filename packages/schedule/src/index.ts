/** Recurring runs. A schedule is a run itself: no second runtime, no table of its own, no other port. */

// Keeping schedules
export type { ScheduleChanges } from './changes.ts'
export { type NewSchedule, Schedules, type SchedulesOptions } from './schedules.ts'
export type { ScheduleStatus, ScheduleView } from './view.ts'

// For workers: the flows that keep the schedules of your flows
export { withSchedules } from './with-schedules.ts'

// When and how
export { nextInstants } from './instants.ts'
export type { CronTiming, IntervalTiming, Timing, TimingWindow } from './timing.ts'
export type { CatchUp, Overlap, StartedRunOptions } from './spec.ts'
