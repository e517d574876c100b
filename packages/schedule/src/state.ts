/** What a schedule remembers from one turn to the next. */

/** A run to start: for an instant, or because somebody asked. */
export interface Firing {
  readonly runId: string
  readonly atMs: number
  readonly triggered?: true
}

export interface ScheduleState {
  /** Of schedules with this id: a deleted one may come again. */
  readonly generation: number
  /** Instants up to here have been dealt with. */
  readonly cursorMs: number
  readonly isPaused: boolean
  readonly pauseReason?: string
  /** Runs started for an instant. */
  readonly startedCount: number
  readonly triggeredCount: number
  /** Instants for which no run was started, by overlap or because nobody was there. */
  readonly skippedCount: number
  /** Runs that the flow refused, for their input. */
  readonly refusedCount: number
  /** The last run that was started. */
  readonly last?: Firing
  /** Of a run, or of a change. */
  readonly lastRefusal?: { readonly code: string; readonly message: string; readonly atMs: number }
  /** The run that the next ones must not overlap. */
  readonly running?: Firing
  /** That one was asked to stop. */
  readonly isCancelling: boolean
  /** Runs to start when it has ended. */
  readonly queue: readonly Firing[]
}

export function firstState(generation: number, createdAtMs: number): ScheduleState {
  return {
    generation,
    cursorMs: createdAtMs,
    isPaused: false,
    startedCount: 0,
    triggeredCount: 0,
    skippedCount: 0,
    refusedCount: 0,
    isCancelling: false,
    queue: [],
  }
}
