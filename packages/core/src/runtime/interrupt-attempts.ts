import { Attempt } from '../engine/attempt.ts'
import type { Deadlines } from '../engine/deadlines.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { RunState } from '../model/run-state.ts'

/** Fires the signals of those attempts of a run that are under way here: all, or the ones that are meant. */
export function interruptAttempts(
  deadlines: Deadlines,
  runId: RunId,
  isMeant: (instanceId: InstanceId) => boolean = () => true,
): void {
  for (const timed of [...deadlines]) {
    if (timed instanceof Attempt && timed.runId === runId && isMeant(timed.instanceId)) timed.interrupt('cancelled')
  }
}

/** The losers of a join and the items of a failed map that are still running. */
export function interruptCalledOff(deadlines: Deadlines, { head, instances }: RunState): void {
  interruptAttempts(deadlines, head.runId, (id) => instances.get(id)?.calledOff === true)
}
