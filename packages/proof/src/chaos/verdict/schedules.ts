/** Schedules: one run for each instant, with none left out, and one for each that was asked for. */
import { isTerminal } from '@baton/core'
import type { Kept } from '../timetable.ts'
import type { Finding } from './finding.ts'
import type { JudgedRun, Runs } from './run.ts'

/** What a schedule keeps in its context, of what is asked here. */
interface ScheduleCounts {
  readonly startedCount: number
  readonly triggeredCount: number
  readonly skippedCount: number
}

type FindIn = (what: Finding['what'], runId: string, detail: string) => void

export function judgeSchedules(runs: Runs, kept: readonly Kept[], find: FindIn): void {
  for (const schedule of kept) judgeSchedule(runs, schedule, find)
}

function judgeSchedule(runs: Runs, { id, everyMs, overlap, triggered }: Kept, find: FindIn): void {
  const keeper = runs.lastOf(`schedule:${id}`)
  if (keeper === undefined) return find('lost', `schedule:${id}`, 'was created, and is not there')
  if (keeper.status !== 'completed') {
    const why = keeper.error === undefined ? '' : `: ${keeper.error.message}`
    find('lost', keeper.runId, `was told to end, and is ${keeper.status}${why}`)
  }
  const started = [...runs.all].filter(({ record }) => record.tags.includes(`schedule:${id}`))
  const instants = started.flatMap(({ record }) => instantOf(record.runId))
  const state = keeper.context.state as Partial<ScheduleCounts> | undefined
  const { startedCount = 0, triggeredCount = 0, skippedCount = 0 } = state ?? {}
  const inVain = triggered.filter((runId) => runs.get(runId) === undefined)
  const missing = [...leftOut(instants, everyMs), ...inVain]
  // Where too many are in line, or so many instants were missed that it does not catch up on all, it says how many it skips.
  if (missing.length > skippedCount || (overlap === 'allow' && inVain.length > 0)) {
    find('lost', keeper.runId, `has not started ${missing.join(', ')}, and says that it has skipped ${skippedCount}`)
  }
  const counted = `${startedCount} and ${triggeredCount}`
  const found = `${instants.length} and ${started.length - instants.length}`
  if (counted !== found) find('lost', keeper.runId, `says that it has started ${counted}, and there are ${found}`)
  if (overlap === 'queue') judgeTurns(started, find)
}

/** The instants between the first and the last that none was started for. */
function leftOut(instants: readonly number[], everyMs: number): readonly string[] {
  const known = new Set(instants)
  const all = Math.round((Math.max(...instants) - Math.min(...instants)) / everyMs) + 1
  const expected = Array.from(
    { length: instants.length === 0 ? 0 : all },
    (_, at) => Math.min(...instants) + at * everyMs,
  )
  return expected.filter((ms) => !known.has(ms)).map((ms) => new Date(ms).toISOString())
}

/** Each has ended before the next one is there. */
function judgeTurns(started: readonly JudgedRun[], find: FindIn): void {
  const inOrder = started.map(({ record }) => record).sort((left, right) => left.createdAtMs - right.createdAtMs)
  for (const [index, run] of inOrder.entries()) {
    const next = inOrder[index + 1]
    if (next === undefined || !isTerminal(run.status)) continue
    if ((run.endedAtMs ?? 0) > next.createdAtMs) find('doubled', next.runId, `overlaps ${run.runId}`)
  }
}

/** `ticks@2030-01-31T12:00:00Z`; those that were asked for have no instant. */
function instantOf(runId: string): readonly number[] {
  const instant = runId.slice(runId.indexOf('@') + 1)
  return /^\d{4}-/.test(instant) ? [Date.parse(instant)] : []
}
