/**
 * Which failures stand and are nobody's: the dead letters of a run, and what decides how it ends.
 *
 * A failure that a join takes is none, until a join fails for it that nothing takes: an `ignore` join for which nothing
 * is left that could succeed, or another one behind the same work. There is no work in the join itself; what an operator
 * can do over is the work before it.
 */
import type { InstanceId } from './ids.ts'
import { isSettled } from './run.ts'
import type { InstanceState, RunState } from './run-state.ts'
import { isContinuing } from './succession.ts'

/** Nobody ran the instance: what its predecessors brought has decided its fate. */
function wasPassedOver({ status, error }: InstanceState): boolean {
  return status === 'skipped' || (status === 'failed' && error?.code === 'PREDECESSOR_FAILED')
}

/**
 * The same, or whoever claims it will come to that: a failure that is there stays there, whatever comes later. So it is
 * also where a claim was handed back.
 */
export function runsNothing(instance: InstanceState): boolean {
  const { status, rule, arrivals, arrivalsDue } = instance
  if (isSettled(status)) return wasPassedOver(instance)
  if (!arrivals.some(({ fate }) => fate === 'failed')) return false
  if (rule === 'all' || rule === 'any') return true
  // Nothing is left that could succeed.
  return rule === 'any-ignore' && arrivals.length >= arrivalsDue && !arrivals.some(({ fate }) => fate === 'succeeded')
}

/** An instance has failed, and nothing takes its failure. */
export function keepDeadLetters(state: RunState, failed: InstanceState, atMs: number): void {
  if (!isPassedOn(failed)) return
  // What is called off, by a cancel or for a run that goes on as new, is nobody's loss.
  if (state.outcome?.status === 'cancelled' || isContinuing(state)) return
  for (const id of workBefore(failed)) keep(state, id, atMs)
}

export function keep(state: RunState, id: InstanceId, atMs: number): void {
  state.deadLetters ??= new Map()
  if (!state.deadLetters.has(id)) state.deadLetters.set(id, atMs)
}

/** Something was undone, and with it perhaps the failure of a join: who was kept for that alone is taken again. */
export function reviewDeadLetters(state: RunState): void {
  const { deadLetters, instances } = state
  if (deadLetters === undefined) return
  const stillBefore = new Set<InstanceId>()
  for (const instance of instances.values()) {
    if (isPassedOn(instance)) for (const id of workBefore(instance)) stillBefore.add(id)
  }
  for (const id of [...deadLetters.keys()]) {
    if (instances.get(id)?.untaken !== true && !stillBefore.has(id)) deadLetters.delete(id)
  }
}

/** The failure that decides the run once the one that had decided it is undone: the first that stands and nothing takes. */
export function firstUntaken({ instances }: RunState): InstanceState | undefined {
  let first: InstanceState | undefined
  for (const instance of instances.values()) {
    if (instance.status !== 'failed' || !instance.untaken) continue
    if (first === undefined || instance.settledSeq < first.settledSeq) first = instance
  }
  return first
}

/** It has failed for its predecessors alone, and nothing takes that. */
function isPassedOn(instance: InstanceState): boolean {
  return instance.untaken && instance.status === 'failed' && wasPassedOver(instance)
}

/** The failed work whose failures have come together in it, through whatever passed them on. */
function workBefore(join: InstanceState): readonly InstanceId[] {
  const found: InstanceId[] = []
  const seen = new Set<InstanceState>([join])
  // Grows while it is gone through.
  for (const instance of seen) {
    for (const { fate, source } of instance.arrivals) {
      if (fate !== 'failed' || source === undefined || seen.has(source)) continue
      // What is before that one was found when it failed.
      if (isPassedOn(source)) continue
      if (wasPassedOver(source)) seen.add(source)
      else if (source.status === 'failed' && !found.includes(source.id)) found.push(source.id)
    }
  }
  return found
}
