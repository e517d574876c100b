/** What speaks against a transition whose right is beyond doubt: then it is refused whole, and nothing changes. */
import { applyDeltas, type Delta } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import { isOtherChild } from '../model/family.ts'
import type { RunState } from '../model/run-state.ts'
import type { CommitResult, Outcome, Send } from '../ports/transition.ts'

/** The deltas do not fit what the context has become. */
export function deltaConflict(state: RunState, outcome: Outcome): CommitResult | undefined {
  const deltas = deltasOf(outcome)
  if (deltas === undefined || deltas.length === 0) return undefined
  try {
    applyDeltas(state.context, deltas)
    return undefined
  } catch (error) {
    if (!BatonError.is(error, 'DELTA_CONFLICT')) throw error
    return { status: 'conflict', code: 'DELTA_CONFLICT', field: error.field ?? 'context', message: error.message }
  }
}

/** The run has another child of an id that is to be started. */
export function childConflict(state: RunState, sends: readonly Send[]): CommitResult | undefined {
  const taken = sends.find((send) => send.type === 'start-child' && isOtherChild(state, send.run))
  if (taken?.type !== 'start-child') return undefined
  const message = `${taken.run.runId} is another child of this run`
  return { status: 'conflict', code: 'RUN_EXISTS', field: 'runId', message }
}

function deltasOf(outcome: Outcome): readonly Delta[] | undefined {
  return outcome.type === 'succeeded' || outcome.type === 'stepped' ? outcome.deltas : undefined
}
