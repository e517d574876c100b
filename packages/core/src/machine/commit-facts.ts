/** What a commit says beside its outcome: what other runs are to be told, and the fates of what lies behind. */
import type { RunFact } from '../model/event.ts'
import { isSettled } from '../model/run.ts'
import type { InstanceState, RunState } from '../model/run-state.ts'
import type { Send, Settlement } from '../ports/transition.ts'
import { failureFixesOutcome } from './outcome-event.ts'

export function sendFact({ id: instanceId, fence }: InstanceState, send: Send): RunFact {
  if (send.type === 'message') return { type: 'message-sent', instanceId, fence, message: send.message }
  const { run, detached } = send
  return { type: 'child-started', instanceId, fence, run, detached }
}

/**
 * Whether a fate still holds: its instance has not started.
 * @param applied which of the settlements before it did
 */
export function maySettle(state: RunState, { instanceId, after }: Settlement, applied: readonly boolean[]): boolean {
  const instance = state.instances.get(instanceId)
  const pending = instance === undefined || (!instance.started && !isSettled(instance.status))
  return pending && (after === undefined || applied[after] === true)
}

/** A fate that needs no code. */
export function settlementFact(state: RunState, { instanceId, fate, arrivals }: Settlement): RunFact {
  if (fate.type === 'skipped') return { type: 'node-skipped', instanceId, reason: fate.reason, arrivals }
  const fixesOutcome = failureFixesOutcome(state, fate.takenBy)
  return { type: 'node-failed', instanceId, error: fate.error, arrivals, fixesOutcome }
}
