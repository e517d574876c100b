/** What a schedule is told: when, what, and what to do when two things come together. */
import { BatonError, checkChoice, checkNumber, checkOptions } from '@baton/core'
import { instantsAfter } from './instants.ts'
import { checkTiming, refused, type Timing, timingMembers } from './timing.ts'

/**
 * When the run before still goes on: leave this one out (`skip`), start it afterwards (`queue`), start it beside
 * (`allow`), or call the other off and start it then (`cancel-previous`).
 */
export type Overlap = (typeof overlaps)[number]
const overlaps = ['skip', 'queue', 'allow', 'cancel-previous'] as const

/** Of the instants that nobody was there for: start none, the last one, or all (the last 100). */
export type CatchUp = (typeof catchUps)[number]
const catchUps = ['none', 'one', 'all'] as const

/** How the runs are started. */
export interface StartedRunOptions {
  /** Higher goes first. Default 0. */
  readonly priority?: number
  /** A run fails with `RUN_TIMEOUT` this long after its start. */
  readonly deadlineMs?: number
  /** Beside `schedule:<id>`. */
  readonly tags?: readonly string[]
}

export interface Policies {
  /** Default `skip`. */
  readonly overlap?: Overlap
  /** Default `one`. */
  readonly catchUp?: CatchUp
  /** After this many runs the schedule has ended. What `trigger` started does not count. */
  readonly maxRuns?: number
  /** Each run starts up to this much later, so that many schedules do not start at once: the same on every worker. */
  readonly jitterMs?: number
  readonly run?: StartedRunOptions
}

/** As it is kept. Members without a value are left out. */
export type Spec = { readonly id: string; readonly flowId: string; readonly input?: unknown } & Timing & Policies

const policyMembers = ['overlap', 'catchUp', 'maxRuns', 'jitterMs', 'run'] as const satisfies (keyof Policies)[]

/** What can be changed later. */
export const changeableMembers = ['input', ...timingMembers, ...policyMembers] as const

/** Throws `INVALID_OPTION` or `INVALID_ID` that names the field. */
export function checkSpec(spec: Spec): void {
  checkTiming(spec)
  checkChoice(spec.overlap, 'overlap', overlaps)
  checkChoice(spec.catchUp, 'catchUp', catchUps)
  checkNumber(spec.maxRuns, 'maxRuns', { least: 1, whole: true })
  checkNumber(spec.jitterMs, 'jitterMs', { least: 0, whole: true })
  if (spec.jitterMs !== undefined && spec.jitterMs > 0) checkJitter(spec, spec.jitterMs)
  if (spec.run !== undefined) checkRun(spec.run)
}

/** Of a cron expression so many instants are looked at, for how close two of them come. */
const MOST_LOOKED_AT = 60

/** An instant whose share is longer than the way to the next one would hold up that one, and all behind it. */
function checkJitter(spec: Spec, jitterMs: number): void {
  const hint = 'Runs would overtake each other.'
  if (spec.everyMs !== undefined) {
    if (jitterMs >= spec.everyMs) throw refused('jitterMs', 'is not less than everyMs', hint)
    return
  }
  const { cron, timeZone } = spec
  const instants = instantsAfter({ cron, ...(timeZone === undefined ? {} : { timeZone }) }, 0, MOST_LOOKED_AT)
  if (!instants.some((ms, index) => ms - (instants[index - 1] ?? Number.NEGATIVE_INFINITY) <= jitterMs)) return
  throw refused('jitterMs', 'is not less than the time between two instants', hint)
}

const runMembers = ['priority', 'deadlineMs', 'tags'] as const satisfies (keyof StartedRunOptions)[]

/** Without these checks a slip would be found at the first start, when nobody looks. */
function checkRun(run: StartedRunOptions): void {
  checkOptions(run, runMembers, 'run')
  checkNumber(run.priority, 'run.priority', { least: -1_000, most: 1_000, whole: true })
  checkNumber(run.deadlineMs, 'run.deadlineMs', { least: 0 })
  const { tags } = run
  if (tags === undefined) return
  if (!Array.isArray(tags) || tags.length > 99) throw refused('run.tags', 'not a list of up to 99 texts', 'Shorten it.')
  for (const [index, tag] of tags.entries()) {
    if (typeof tag === 'string' && /^\P{Cc}{1,128}$/u.test(tag)) continue
    throw refused(`run.tags[${index}]`, 'not a text of 1 to 128 characters', 'Leave out control characters.')
  }
}

/** Shorter than a run's id, since the ids of runs begin with it. */
export function checkScheduleId(id: unknown): string {
  if (typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id)) return id
  const hint = 'Use 1 to 64 of the characters A-Z a-z 0-9 . _ -'
  throw new BatonError('INVALID_ID', { field: 'id', message: 'not a usable id of a schedule', hint })
}

/** Whether two specs say the same, in whatever order their members come. Values are encoded. */
export function sameContent(left: unknown, right: unknown): boolean {
  return sortedText(left) === sortedText(right)
}

function sortedText(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)))
      : member,
  )
}
