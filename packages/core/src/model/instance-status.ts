/** The moves of an instance from one status to the next, with the counts that a run keeps of them. */
import type { InstanceId } from './ids.ts'
import { type InstanceStatus, isSettled, type RecordedStep } from './run.ts'
import { InstanceState, newsOf, type RunState, setDue } from './run-state.ts'

export function newInstance(state: RunState, id: InstanceId): InstanceState {
  const instance = new InstanceState(id)
  state.instances.set(id, instance)
  state.open += 1
  state.waiting += 1
  return instance
}

export function setStatus(state: RunState, instance: InstanceState, status: InstanceStatus): void {
  const before = instance.status
  if (before === 'waiting') state.waiting -= 1
  else if (before === 'claimed') state.claimed -= 1
  else if (before === 'awaiting') {
    newsOf(state).awaiting.delete(instance.id)
    newsOf(state).children.delete(instance.id)
  }
  instance.status = status
  if (status === 'waiting') state.waiting += 1
  else if (status === 'claimed') state.claimed += 1
  else if (status === 'awaiting') {
    const { awaiting, children } = newsOf(state)
    if (instance.parked?.wait?.kind === 'child') children.set(instance.id, instance)
    else awaiting.set(instance.id, instance)
  } else if (isSettled(status)) state.open -= 1
}

/** Ready, from the given instant on. */
export function open(state: RunState, instance: InstanceState, dueAtMs: number): void {
  setStatus(state, instance, 'ready')
  setDue(state, instance, dueAtMs)
  state.opened.push(instance)
}

export function addStep(instance: InstanceState, step: RecordedStep): void {
  if (step.position > instance.lastPosition) instance.lastPosition = step.position
  if (instance.steps === undefined) instance.steps = [step]
  else instance.steps.push(step)
}
