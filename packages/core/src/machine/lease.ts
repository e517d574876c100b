/** A lease: for how long a claim counts. It begins with a claim, goes on as long as it is renewed, and can be lost. */
import type { RunEvent } from '../model/event.ts'
import type { InstanceId } from '../model/ids.ts'
import { type InstanceState, NEVER, type RunState, setDue } from '../model/run-state.ts'
import { delist } from '../model/waiting-list.ts'
import type { RenewRequest, RenewResult, RunSignal } from '../ports/claim.ts'

export function claimedEvent(
  state: RunState,
  instance: InstanceState,
  workerId: string,
  claimId: string,
  atMs: number,
): RunEvent {
  return {
    seq: state.seq + 1,
    atMs,
    type: 'node-claimed',
    instanceId: instance.id,
    fence: instance.fence + 1,
    attempt: instance.failures + 1,
    workerId,
    claimId,
  }
}

/** For an instance that has just been claimed. */
export function beginLease(
  state: RunState,
  instance: InstanceState,
  leaseMs: number,
  timeoutMs: number | undefined,
  atMs: number,
): void {
  if (leaseMs === NEVER) instance.dueAtMs = NEVER
  else {
    const attemptUntilMs = timeoutMs === undefined ? NEVER : atMs + timeoutMs
    instance.attemptUntilMs = attemptUntilMs
    setDue(state, instance, Math.min(atMs + leaseMs, attemptUntilMs))
    instance.remindAtMs = instance.dueAtMs
  }
  instance.dispatch = 0
  delist(state, instance)
}

/** No lease outlives its attempt. @param run what the answer says of the run */
export function renewLeases(state: RunState, request: RenewRequest, run: RunSignal, atMs: number): RenewResult {
  const lost: InstanceId[] = []
  const cancelled: InstanceId[] = []
  for (const { instanceId, fence } of request.claims) {
    const instance = state.instances.get(instanceId)
    if (instance?.status !== 'claimed' || instance.fence !== fence || atMs >= (instance.attemptUntilMs ?? NEVER)) {
      lost.push(instanceId)
      continue
    }
    instance.dueAtMs = Math.min(atMs + request.leaseMs, instance.attemptUntilMs ?? NEVER)
    instance.remindAtMs = instance.dueAtMs
    if (instance.calledOff) cancelled.push(instanceId)
  }
  return { run, lost, cancelled }
}

/** Another claim comes in, and the lease of the last one has ended. */
export function lostEvent(state: RunState, instance: InstanceState, atMs: number): RunEvent {
  return {
    seq: state.seq + 1,
    atMs,
    type: 'node-lost',
    instanceId: instance.id,
    fence: instance.fence,
    workerId: instance.workerId ?? '',
  }
}
