import { isHeldBack } from '../model/hold.ts'
import type { InstanceId } from '../model/ids.ts'
import { isTerminal } from '../model/run.ts'
import type { RunState } from '../model/run-state.ts'
import { putOnList } from '../model/waiting-list.ts'
import type { EnlistResult } from '../ports/waiting-lists.ts'
import { isClaimable } from './due.ts'

/**
 * Puts an instance on the waiting list for the run's version, if it may be claimed now. Not in a run that is stopping:
 * what is left of it needs no code, so that any worker can end it.
 */
export function enlist(state: RunState, instanceId: InstanceId, atMs: number): EnlistResult {
  if (isTerminal(state.status)) return { status: 'ended' }
  if (state.stopping) return { status: 'cancelled' }
  const instance = state.instances.get(instanceId)
  // What an operator has paused waits for the operator, and gets its jobs again when that is over.
  if (isHeldBack(state) || instance === undefined || !isClaimable(instance, atMs)) return { status: 'not-claimable' }
  if (instance.enlistedAtMs === undefined) putOnList(state, instance, atMs)
  return { status: 'enlisted' }
}
