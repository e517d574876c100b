/**
 * How a run goes on as a new one: `continueAsNew`. The old run ends as completed and says which run goes on; that one
 * has a journal of its own, so that work that never ends needs no journal that never ends.
 *
 * What has come and was not used yet goes along: signals, the ids of signals, the children that still run, an
 * operator's pause. What the new run is lies in the old one's outbox, like the start of a child.
 */
import { type ChildState, post } from './family.ts'
import { hold } from './hold.ts'
import type { InstanceId, RunId } from './ids.ts'
import type { JsonValue } from './json.ts'
import type { Related } from './message.ts'
import type { NewRun } from './run.ts'
import { newsOf, type RunState } from './run-state.ts'

/** The place of a run among those that go on for each other. Absent from the first. */
export interface Succession {
  /** The run that was started: the id by which all of them are known, for as long as one of them lives. */
  readonly firstRunId: RunId
  readonly previousRunId: RunId
  /** 2 for the run that goes on for the first. */
  readonly link: number
}

/** By which the run, and all that go on for it, can be found as long as one of them lives. */
export function lastingIdOf({ runId, lineage }: Related): RunId {
  return lineage?.succession?.firstRunId ?? runId
}

/** What a run takes over from the one before. */
export interface Carried {
  /** In the order in which they came, by name. */
  readonly signals?: readonly { readonly name: string; readonly payload?: JsonValue }[]
  /** Of the last signals that came, so that one which is sent again does not count twice. */
  readonly signalIds?: readonly string[]
  readonly children?: readonly CarriedChild[]
  readonly pause?: { readonly reason: string; readonly by?: string }
}

export interface CarriedChild {
  /** What it was started with: another child of that id is refused here, too. */
  readonly run: NewRun
  /** Which instance, of an earlier run, started it. */
  readonly instanceId: InstanceId
}

/** So that what is carried along stays small, however many signals come. */
const CARRIED_SIGNAL_IDS = 1_000

/** Nothing new starts in it, but it is not called off: another run goes on for it. */
export function isContinuing(state: RunState): boolean {
  return state.outcome?.status === 'continued'
}

/** The new run with all that it takes over, at the instant at which the old one ends. */
export function withCarried(state: RunState, run: NewRun): NewRun {
  const { news, held } = state
  const signals = [...(news?.signals ?? [])].flatMap(([name, payloads]) =>
    payloads.map((payload) => ({ name, ...(payload === undefined ? {} : { payload }) })),
  )
  const signalIds = [...(news?.signalIds ?? [])].slice(-CARRIED_SIGNAL_IDS)
  const children = [...(state.children?.values() ?? [])].filter(goesAlong).map(toCarried)
  const carried: Carried = {
    ...(signals.length === 0 ? {} : { signals }),
    ...(signalIds.length === 0 ? {} : { signalIds }),
    ...(children.length === 0 ? {} : { children }),
    // A full journal is what the new run does not have.
    ...(held === undefined || held.code === 'JOURNAL_FULL'
      ? {}
      : { pause: { reason: held.reason, ...(held.by === undefined ? {} : { by: held.by }) } }),
  }
  return Object.keys(carried).length === 0 ? run : { ...run, carried }
}

/** The old run has ended: what goes on for it is to be started. */
export function postSuccessor(state: RunState, next: NewRun, atMs: number): void {
  state.continuedBy = next.runId
  post(state, { key: `continue:${next.runId}`, to: next.runId, body: { type: 'start', run: next } }, atMs)
}

/** The new run begins with what the old one left. */
export function takeOver(state: RunState, { signals, signalIds, children, pause }: Carried, atMs: number): void {
  for (const { name, payload } of signals ?? []) {
    const kept = newsOf(state).signals.get(name)
    if (kept === undefined) newsOf(state).signals.set(name, [payload])
    else kept.push(payload)
  }
  for (const id of signalIds ?? []) newsOf(state).signalIds.add(id)
  for (const { run, instanceId } of children ?? []) {
    state.children ??= new Map()
    state.children.set(run.runId, { run, instanceId, detached: false, isCarried: true, end: undefined })
  }
  if (pause !== undefined) hold(state, pause, atMs)
}

/** Where to look for the run that goes on for this one now: as far as it was told. */
export function newestKnown({ continuedBy, newest }: RunState): RunId | undefined {
  return newest?.runId ?? continuedBy
}

/** Detached children, and those that have ended, are of no concern to anybody. */
function goesAlong({ detached, end }: ChildState): boolean {
  return !detached && end === undefined
}

function toCarried({ run, instanceId }: ChildState): CarriedChild {
  return { run, instanceId }
}
