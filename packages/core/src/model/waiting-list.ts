/**
 * Which of a run's instances wait for a worker that has the run's version. It is about who may take them and no part of
 * the journal: a mark that gets lost is set again by the next worker that lacks the version.
 */
import { isSettled, isTerminal } from './run.ts'
import type { InstanceState, RunState } from './run-state.ts'

export function putOnList(state: RunState, instance: InstanceState, atMs: number): void {
  instance.enlistedAtMs = atMs
  state.enlisted ??= new Set()
  state.enlisted.add(instance)
}

/** Takes it off, so that everybody is told of it again when it is due. */
export function delist(state: RunState, instance: InstanceState): void {
  if (instance.enlistedAtMs === undefined) return
  instance.enlistedAtMs = undefined
  state.enlisted?.delete(instance)
  if (instance.dueAtMs < state.newDueAtMs) state.newDueAtMs = instance.dueAtMs
}

export function delistAll(state: RunState): void {
  if (state.enlisted === undefined) return
  for (const instance of state.enlisted) delist(state, instance)
}

/** Those that still wait: what was settled from elsewhere has left. */
export function enlistedIn(state: RunState): readonly InstanceState[] {
  return [...(state.enlisted ?? [])].filter(({ status }) => !isSettled(status))
}

/** Since when the first of them has waited. */
export function enlistedSince(state: RunState): number | undefined {
  if (state.enlisted === undefined || isTerminal(state.status)) return undefined
  // The set is in the order in which they came.
  return enlistedIn(state)[0]?.enlistedAtMs
}
