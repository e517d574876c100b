/** The event that says what became of a claimed instance. */
import { runsNothing } from '../model/dead-letters.ts'
import { unreachable } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Mutable } from '../model/mutable.ts'
import type { Arrival } from '../model/run.ts'
import type { InstanceState, RunState } from '../model/run-state.ts'
import { isContinuing } from '../model/succession.ts'
import type { FailureTakers, Outcome } from '../ports/transition.ts'

export function outcomeEvent(state: RunState, instance: InstanceState, outcome: Outcome, atMs: number): RunEvent {
  const seq = state.seq + 1
  if (isMoot(state, instance, outcome)) {
    return { seq, atMs, type: 'node-cancelled', instanceId: instance.id, reason: 'called-off' }
  }
  if (outcome.type === 'succeeded') return succeededEvent(state, atMs, instance, outcome)
  const stamp = { seq, atMs }
  const by = { instanceId: instance.id, fence: instance.fence }
  switch (outcome.type) {
    case 'failed': {
      const { error, arrivals } = outcome
      const fixesOutcome = failureFixesOutcome(state, outcome.takenBy)
      // Where a predecessor failed there was no work that somebody may want done.
      const isDead = fixesOutcome && error.code !== 'PREDECESSOR_FAILED'
      const dead = isDead ? ({ deadLetter: true } as const) : undefined
      return { ...stamp, type: 'node-failed', ...by, error, arrivals, fixesOutcome, ...dead }
    }
    case 'skipped':
      return { ...stamp, type: 'node-skipped', ...by, reason: outcome.reason, arrivals: outcome.arrivals }
    case 'stepped': {
      const deltas = outcome.deltas === undefined ? {} : { deltas: outcome.deltas }
      return { ...stamp, type: 'step-recorded', ...by, step: outcome.step, ...deltas }
    }
    case 'retried': {
      const { error, delayMs } = outcome
      const attempt = instance.failures + 1
      return { ...stamp, type: 'attempt-failed', ...by, attempt, error, retryAtMs: atMs + delayMs }
    }
    case 'slept': {
      const wakeAtMs = outcome.wakeAtMs ?? atMs + (outcome.delayMs ?? 0)
      return { ...stamp, type: 'node-slept', ...by, step: outcome.step, wakeAtMs }
    }
    case 'awaited': {
      const { step, wait, timeoutMs } = outcome
      const timeout = timeoutMs === undefined ? {} : { timeoutAtMs: atMs + timeoutMs }
      return { ...stamp, type: 'node-awaited', ...by, step, wait, ...timeout }
    }
    case 'expanded': {
      const { items, concurrency, maxFailures } = outcome
      return { ...stamp, type: 'map-expanded', ...by, items, concurrency, maxFailures }
    }
    case 'released':
      return { ...stamp, type: 'node-released', ...by }
    case 'cancelled':
      return { ...stamp, type: 'node-cancelled', instanceId: instance.id, reason: outcome.reason }
    default:
      return unreachable(outcome)
  }
}

/**
 * Work that would go on later has nobody to go on for once the run stops or the instance was called off.
 * Nor does the failure of what was called off mean anything to anybody.
 */
export function isMoot(state: RunState, instance: InstanceState, outcome: Outcome): boolean {
  // Who lost a join may not end the run for all the others.
  if (outcome.type === 'succeeded') return outcome.continueAs !== undefined && instance.calledOff
  return goesOnLater(outcome) ? state.stopping || instance.calledOff : outcome.type === 'failed' && instance.calledOff
}

/** Whether the run ends with this, and another one goes on for it. */
export function goesOnAsNew(state: RunState, outcome: Outcome): boolean {
  return outcome.type === 'succeeded' && outcome.continueAs !== undefined && state.outcome === undefined
}

/**
 * Whether nothing takes this failure, so that the run will end as failed. Also where another one has decided that before:
 * if that one is undone, this one decides.
 */
export function failureFixesOutcome(state: RunState, takenBy: FailureTakers): boolean {
  // What was called off, by a cancel or for a run that goes on as new, is nobody's loss.
  const isCalledOff = state.outcome?.status === 'cancelled' || isContinuing(state)
  return !isCalledOff && !isTaken(state, takenBy)
}

function isTaken(state: RunState, { always, ifStarted }: FailureTakers): boolean {
  return always || ifStarted.some((id) => hasBegun(state.instances.get(id)))
}

function hasBegun(join: InstanceState | undefined): boolean {
  return join?.started === true && !runsNothing(join)
}

const NONE: readonly Arrival[] = []

function goesOnLater(outcome: Outcome): boolean {
  const { type } = outcome
  // Nor is a child begun, or another run told something, for a node that is called off.
  if (type === 'stepped') return outcome.sends !== undefined
  return type === 'retried' || type === 'slept' || type === 'awaited' || type === 'expanded' || type === 'released'
}

function succeededEvent(
  state: RunState,
  atMs: number,
  { id, fence }: InstanceState,
  outcome: Extract<Outcome, { type: 'succeeded' }>,
): RunEvent {
  const { output, action, deltas, resultOf, cancels, continueAs } = outcome
  const event: Mutable<Extract<RunEvent, { type: 'node-succeeded' }>> = {
    seq: state.seq + 1,
    atMs,
    type: 'node-succeeded',
    instanceId: id,
    fence,
    // Of a run that is over nothing is to be decided any more.
    arrivals: goesOnAsNew(state, outcome) ? NONE : outcome.arrivals,
  }
  if (output !== undefined) event.output = output
  if (action !== undefined) event.action = action
  if (deltas !== undefined) event.deltas = deltas
  if (resultOf !== undefined) event.resultOf = resultOf
  if (cancels !== undefined) event.cancels = cancels
  if (continueAs !== undefined) event.continueAs = continueAs
  return event
}
