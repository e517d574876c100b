/** A schedule as people see it. */
import type { RunStatus, RunSummary } from '@baton/core'
import { isOver } from './advance.ts'
import { instantsAfter } from './instants.ts'
import type { Kept } from './schedule-flow.ts'
import type { Spec } from './spec.ts'
import type { ScheduleState } from './state.ts'

/**
 * `active`: it starts runs when their time comes. `paused`: it starts none but those that are asked for. `ended`: no
 * instant is left, or it has started `maxRuns`. `deleted`. `failed`: it cannot go on, and `error` says why.
 */
export type ScheduleStatus = 'active' | 'paused' | 'ended' | 'deleted' | 'failed'

export type ScheduleView = Spec & {
  readonly status: ScheduleStatus
  /** The run that keeps it, or the first of several, for those who want to look closer. */
  readonly keeperRunId: string
  readonly pauseReason?: string
  /** The next instants, before jitter. */
  readonly nextAtMs: readonly number[]
  readonly lastRun?: { readonly runId: string; readonly atMs: number }
  /** The run that the next one must not overlap. Not known with `overlap: 'allow'`. */
  readonly runningRunId?: string
  readonly queuedCount: number
} & Pick<ScheduleState, 'startedCount' | 'triggeredCount' | 'skippedCount' | 'refusedCount' | 'lastRefusal'> & {
    readonly error?: string
  }

const MOST_SHOWN = 5

export function viewOf({ spec, state }: Kept, keeper: RunSummary, nowMs: number): ScheduleView {
  const status = statusOf(state, keeper.status)
  const { pauseReason, startedCount, triggeredCount, skippedCount, refusedCount, lastRefusal, running, queue } = state
  return {
    ...spec,
    status,
    keeperRunId: keeper.lineage.succession?.firstRunId ?? keeper.runId,
    ...(pauseReason === undefined ? {} : { pauseReason }),
    nextAtMs: status === 'active' && !isOver(state, spec) ? nextOf({ spec, state }, nowMs) : [],
    ...(state.last === undefined ? {} : { lastRun: { runId: state.last.runId, atMs: state.last.atMs } }),
    ...(running === undefined ? {} : { runningRunId: running.runId }),
    queuedCount: queue.length,
    startedCount,
    triggeredCount,
    skippedCount,
    refusedCount,
    ...(lastRefusal === undefined ? {} : { lastRefusal }),
    ...(keeper.error === undefined ? {} : { error: keeper.error.message }),
  }
}

function nextOf({ spec, state }: Kept, nowMs: number): number[] {
  const left = spec.maxRuns === undefined ? MOST_SHOWN : Math.min(MOST_SHOWN, spec.maxRuns - state.startedCount)
  return instantsAfter(spec, Math.max(nowMs, state.cursorMs), left)
}

function statusOf({ isPaused }: ScheduleState, status: RunStatus): ScheduleStatus {
  switch (status) {
    case 'completed':
      return 'ended'
    case 'failed':
      return 'failed'
    case 'cancelled':
    case 'cancelling':
      return 'deleted'
    default:
      return isPaused ? 'paused' : 'active'
  }
}
