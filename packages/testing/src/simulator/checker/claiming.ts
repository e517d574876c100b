/** A claim, as the referee follows it: of what may start now, under a fence that nobody had before. */
import { defaults, type RunEvent } from '@baton/core'
import type { InstanceModel } from './instance-model.ts'
import type { RunModel } from './run-model.ts'

export function claim(run: RunModel, event: Extract<RunEvent, { type: 'node-claimed' }>): void {
  const instance = run.instance(event.instanceId)
  run.must('LIMIT', !run.gates.isClosed, `${instance.id} starts before the run has its slots`)
  run.must('I8', !run.isStopping, `${instance.id} starts though the run is stopping`)
  run.must('I8', !run.isHeld, `${instance.id} starts though the run is paused`)
  run.must('I8', event.atMs < run.deadlineAtMs, `${instance.id} starts after the deadline`)
  run.must('I1', instance.phase !== 'settled', `${instance.id} starts again after its end`)
  run.must('I7', instance.phase !== 'claimed', `${instance.id} is claimed twice`)
  run.must('I7', event.fence === instance.fence + 1, `fence ${event.fence} of ${instance.id} after ${instance.fence}`)
  run.must('I15', event.atMs >= instance.notBeforeMs, `${instance.id} starts before its time`)
  run.must('I16', event.attempt === instance.failures + 1, `attempt ${event.attempt} of ${instance.id}`)
  if (!instance.hasStarted) startFirst(run, instance)
  instance.hasStarted = true
  if (instance.phase === 'awaiting') {
    // Nothing has come in time.
    instance.vainAt.add(instance.parkedAt)
    run.leaves(instance)
  }
  const { timeoutMs = defaults.nodeTimeoutMs } = run.configOf(instance)
  instance.phase = 'claimed'
  instance.fence = event.fence
  instance.workerId = event.workerId
  instance.claimedSeq = event.seq
  instance.attemptUntilMs = event.atMs + timeoutMs
  instance.leaseUntilMs = Math.min(event.atMs + run.leaseMs, instance.attemptUntilMs)
}

/** Its first claim: what reached it must allow for it. */
function startFirst(run: RunModel, instance: InstanceModel): void {
  if (!run.rules.isJoin(instance.id)) return
  if (run.rules.isRevisit(instance.id)) run.revisits += 1
  instance.stateAtStart = run.rules.stateNow(instance.id, run.fates)
  run.must('I2', instance.stateAtStart !== 'waits', `${instance.id} starts before its predecessors have settled`)
}
