/** What becomes of an instance, as the referee follows it: one fate, which what came before allows for. */
import type { RunEvent } from '@baton/core'
import { callOff, callOffItems } from './calling-off.ts'
import { isPassedOver, keepLetters } from './dead-letter-model.ts'
import type { InstanceModel } from './instance-model.ts'
import type { RunModel } from './run-model.ts'

type Fate = Extract<RunEvent, { type: 'node-succeeded' | 'node-failed' | 'node-skipped' | 'node-cancelled' }>

export function settle(run: RunModel, event: Fate): void {
  const instance = run.instance(event.instanceId)
  run.must('I1', instance.phase !== 'settled', `${instance.id} has a second fate, ${event.type}`)
  const isByClaim = event.type === 'node-succeeded' || ('fence' in event && event.fence !== undefined)
  if (isByClaim) run.held(event as typeof event & { readonly fence: number })
  judge(run, instance, event, isByClaim)
  run.leaves(instance)
  const wasExpanded = instance.isMap
  instance.phase = 'settled'
  const fate = {
    fate: event.type.slice('node-'.length) as 'succeeded',
    ...('output' in event ? { output: event.output } : {}),
    ...('action' in event ? { action: event.action } : {}),
    ...('reason' in event ? { reason: event.reason } : {}),
    ...(event.type === 'node-succeeded' && event.continueAs !== undefined ? { isLast: true } : {}),
    ...(event.type === 'node-failed' ? { errorCode: event.error.code } : {}),
  }
  run.fates.note(instance.id, fate)
  if (event.type === 'node-cancelled') run.family.callsOff(instance.id)
  if (event.type === 'node-succeeded' && event.continueAs !== undefined && !run.isStopping && !run.hasFailed) {
    run.isStopping = true
    run.continueAs = event.continueAs
  }
  if (wasExpanded) callOffItems(instance, run)
  const cancels = event.type === 'node-succeeded' ? (event.cancels ?? []) : []
  for (const id of cancels) {
    callOff(run.instance(id), run)
    run.fates.callsOff(id)
  }
  if (event.type !== 'node-failed') return
  const isLetter = event.fixesOutcome && !isPassedOver(fate)
  run.must('REDO', isLetter === (event.deadLetter === true), `${instance.id} is ${isLetter ? 'no' : 'a'} dead letter`)
  instance.failedSeq = event.seq
  if (!event.fixesOutcome) return
  const isDecided = run.failures.size > 0
  run.failures.add(instance.id)
  keepLetters(run, instance.id)
  if (!run.failFast) return
  run.isStopping = true
  // Its children were told when the first one failed.
  if (!isDecided) run.letsGo()
}

/** Whether a fate is one that the predecessors' fates allow for. */
function judge(run: RunModel, { id, stateAtStart }: InstanceModel, event: Fate, isByClaim: boolean): void {
  if (!run.rules.isJoin(id) || event.type === 'node-cancelled') return
  const state = isByClaim ? stateAtStart : run.rules.stateNow(id, run.fates)
  const told = `${id}: ${event.type}, where its predecessors say ${state}`
  if (event.type === 'node-skipped') return run.must('I2', state === 'skip' || state === 'fail', told)
  if (event.type === 'node-succeeded') return run.must('I2', state === 'run', told)
  const { code } = event.error
  if (code === 'PREDECESSOR_FAILED') return run.must('I2', state === 'fail', told)
  if (code === 'MAX_VISITS') return run.must('I2', state === 'over', told)
  run.must('I2', isByClaim && (state !== 'over' || code === 'LEASES_LOST'), told)
}
