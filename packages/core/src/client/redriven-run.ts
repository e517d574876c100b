/**
 * The run that does an ended one's failed work over: the state before the first failure that still stands, with that
 * instance started afresh. What had settled by then stays settled; what was claimed then is claimed anew. Pure.
 *
 * A child that had ended by then, or has completed since, is shared. One that ended otherwise was called off with its
 * parent, or is why the work failed: it is started anew, under a new id.
 */
import { publishedAs } from '../engine/new-run.ts'
import type { RunEvent } from '../model/event.ts'
import { fold, foldJournal } from '../model/fold.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import { open } from '../model/instance-status.ts'
import type { ChildEnd } from '../model/message.ts'
import { behind, decideAnew, isFailedChild, reopen, startAfresh } from '../model/reopen.ts'
import type { DeadLetter, NewRun, RecordedStep } from '../model/run.ts'
import { type ChildSnapshot, type InstanceSnapshot, snapshotOf } from '../model/run-snapshot.ts'
import type { RunState } from '../model/run-state.ts'

/** Where the work is to be taken up again. */
export interface RedrivePoint {
  /** The state before the failure. */
  readonly state: RunState
  /** What is done over from there; more than one where they had failed before the run began. */
  readonly instanceIds: readonly InstanceId[]
}

/** The state before the first of the failures that still stand; or the first one, where such a failure is part of that. */
export function redrivePoint(events: readonly RunEvent[], deadLetters: readonly DeadLetter[]): RedrivePoint {
  const ids = new Set(deadLetters.map(({ instanceId }) => instanceId))
  const lastFailures = new Map<InstanceId, number>()
  for (const event of events) {
    if (event.type === 'node-failed' && ids.has(event.instanceId)) lastFailures.set(event.instanceId, event.seq)
  }
  const [begin] = events
  const fromBefore = [...ids].filter((id) => !lastFailures.has(id))
  const beginning = fromBefore.length === 0 || begin === undefined ? undefined : foldJournal([begin])
  if (beginning !== undefined) return { state: beginning, instanceIds: fromBefore }
  const [first] = [...lastFailures].sort(([, left], [, right]) => left - right)
  const state = first === undefined ? undefined : foldJournal(events.slice(0, first[1] - 1))
  if (first === undefined || state === undefined) throw new Error('the journal has no failure that is a dead letter')
  return { state, instanceIds: [first[0]] }
}

/** What became of the children that were alive at that point: absent for one that is to be started anew. */
export type ChildEnds = ReadonlyMap<RunId, ChildEnd>

/** The ids under which children are started anew, by the old ones. */
export type NewChildIds = ReadonlyMap<RunId, RunId>

export interface Redriven {
  readonly runId: RunId
  readonly childEnds: ChildEnds
  readonly newChildIds: NewChildIds
  readonly atMs: number
}

export function redrivenRun({ state, instanceIds }: RedrivePoint, redriven: Redriven): NewRun {
  const { runId, childEnds, newChildIds, atMs } = redriven
  const { head, seq, input } = state
  const { startAtMs = head.createdAtMs } = state
  // Nobody holds a claim of a run that has ended.
  for (const instance of state.instances.values()) {
    if (instance.status === 'claimed' && !instance.calledOff) open(state, instance, atMs)
  }
  const failedBefore = instanceIds.filter((id) => state.instances.get(id)?.status === 'failed')
  for (const id of new Set([...(state.deadLetters?.keys() ?? []), ...failedBefore])) {
    // What has gone on stays as it is: it took something else.
    reopen(state, id, behind(state, id).undone, atMs)
  }
  for (const [childRunId, end] of childEnds) fold(state, { seq, atMs, type: 'child-ended', childRunId, end })
  for (const id of instanceIds) {
    const failed = state.instances.get(id)
    if (failed !== undefined && !failedBefore.includes(id)) startAfresh(state, failed, atMs)
  }
  // A deadline that had passed decides nothing about a run with a new one. A failure that nobody can undo still does.
  decideAnew(state)
  state.stopping = false
  const { from, starts } = snapshotOf(state, atMs)
  const { version, tags, priority, failFast, lineage, correlation, deadlineAtMs, gates } = head
  const { traceId, spanId: parentSpanId } = correlation
  return {
    runId,
    kind: head.kind,
    flowId: head.flowId,
    ...(version === undefined ? {} : { version }),
    ...(input === undefined ? {} : { input }),
    starts,
    ...(deadlineAtMs === undefined ? {} : { deadlineMs: deadlineAtMs - startAtMs }),
    tags,
    priority,
    failFast,
    // The work it does over counts for the limits that the first one was under.
    ...(gates === undefined ? {} : { gates }),
    ...publishedAs(head),
    lineage: {
      rootRunId: lineage.rootRunId,
      kind: 'redrive',
      branchOriginRunId: head.runId,
      branchCheckpointId: `c${seq}`,
    },
    correlation: { traceId, spanId: runId, parentSpanId },
    from: {
      ...from,
      instances: from.instances.map((instance) => withNewChildren(instance, newChildIds)),
      children: from.children
        .filter((child) => child.end !== undefined || newChildIds.has(child.run.runId))
        .map((child) => bornAgain(child, redriven)),
    },
  }
}

/** A child of which nobody at that point knows a good end, or whose bad one is why the work failed. */
interface DoubtfulChild {
  readonly runId: RunId
  readonly detached: boolean
  /** It has failed, and who waited for it is to have another one. */
  readonly hasFailed: boolean
}

export function doubtfulChildren({ state, instanceIds }: RedrivePoint): readonly DoubtfulChild[] {
  const failed = new Set(
    instanceIds.flatMap((id) => (state.instances.get(id)?.steps ?? []).filter(isFailedChild).map(({ name }) => name)),
  )
  return [...(state.children?.values() ?? [])].flatMap(({ run: { runId }, detached, end }) => {
    const hasFailed = end !== undefined && end.status !== 'completed' && failed.has(runId)
    return end === undefined || hasFailed ? [{ runId, detached, hasFailed }] : []
  })
}

/** The work starts it by itself when it is done over: nothing that it has recorded names it. */
export function isStartedAgain({ state, instanceIds }: RedrivePoint, runId: RunId): boolean {
  const child = state.children?.get(runId)
  if (child === undefined || !instanceIds.includes(child.instanceId) || child.isCarried === true) return false
  const { steps = [], parked } = state.instances.get(child.instanceId) ?? {}
  return parked?.wait?.name !== runId && !steps.some(({ kind, result }) => kind === 'start-child' && result === runId)
}

/** Node code knows its children by what was recorded, and there they have to have their new ids. */
function withNewChildren(instance: InstanceSnapshot, ids: NewChildIds): InstanceSnapshot {
  const { steps, parked } = instance
  if (ids.size === 0 || (steps === undefined && parked === undefined)) return instance
  const newId = (id: unknown) => ids.get(id as RunId)
  const renamed = (step: RecordedStep): RecordedStep => {
    const started = step.kind === 'start-child' ? newId(step.result) : undefined
    const awaited = step.kind === 'child' ? newId(step.name) : undefined
    if (started !== undefined) return { ...step, result: started }
    return awaited === undefined ? step : { ...step, name: awaited }
  }
  const wait = parked?.wait
  const child = wait?.kind === 'child' ? newId(wait.name) : undefined
  return {
    ...instance,
    ...(steps === undefined ? {} : { steps: steps.map(renamed) }),
    ...(parked === undefined
      ? {}
      : {
          parked: {
            ...parked,
            step: renamed(parked.step),
            ...(wait === undefined || child === undefined ? {} : { wait: { ...wait, name: child } }),
          },
        }),
  }
}

function bornAgain(child: ChildSnapshot, { runId: parentRunId, newChildIds }: Redriven): ChildSnapshot {
  const { run, instanceId, detached, isCarried } = child
  const runId = newChildIds.get(run.runId)
  if (runId === undefined) return child
  const rootRunId = run.lineage?.rootRunId ?? parentRunId
  const traceId = run.correlation?.traceId ?? parentRunId
  return {
    instanceId,
    detached,
    ...(isCarried === undefined ? {} : { isCarried }),
    isNew: true,
    run: {
      ...run,
      runId,
      lineage: { rootRunId, parentRunId, kind: 'redrive', branchOriginRunId: run.runId },
      correlation: { traceId, spanId: runId, parentSpanId: parentRunId },
    },
  }
}
