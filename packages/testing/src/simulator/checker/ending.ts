/** How a run may end, by what came before. */
import type { RunEvent } from '@baton/core'
import type { InstanceModel } from './instance-model.ts'
import type { InvariantId } from './invariants.ts'

export type EndEvent = Extract<RunEvent, { type: 'run-completed' | 'run-failed' | 'run-cancelled' }>

interface Reasons {
  readonly isStopping: boolean
  readonly hasFailed: boolean
  readonly cancelRequested: boolean
  /** Another run goes on for it, and what is live in this one is called off. */
  readonly isContinuing: boolean
}

interface Mistake {
  readonly invariant: InvariantId
  readonly message: string
}

/** @returns why a run must not have ended like this now */
export function mistakeOfEnd(
  end: EndEvent['type'],
  { isStopping, hasFailed, cancelRequested, isContinuing }: Reasons,
  instances: Iterable<InstanceModel>,
): Mistake | undefined {
  for (const { id, phase } of instances) {
    if (phase === 'claimed') return { invariant: 'I8', message: `${end} while ${id} is held` }
    if (end === 'run-completed' && phase !== 'settled' && !isContinuing) {
      return { invariant: 'I10', message: `completed while ${id} is ${phase}` }
    }
  }
  if (end === 'run-completed' && ((isStopping && !isContinuing) || hasFailed)) {
    return { invariant: 'I8', message: 'completed though it was stopped or has failed' }
  }
  if (end === 'run-cancelled' && !cancelRequested) {
    return { invariant: 'I8', message: 'cancelled though nobody asked' }
  }
  if (end === 'run-failed' && !hasFailed) return { invariant: 'I8', message: 'failed though nothing has' }
  return undefined
}
