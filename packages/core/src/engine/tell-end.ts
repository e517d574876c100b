/** How a run ended, for the one that waits for it: its parent, or whoever wanted a signal. */
import { BatonError, codedError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { type ChildEnd, endAsSignal, type Related } from '../model/message.ts'
import type { RunSummary } from '../model/run.ts'
import { outputOf, type RunState } from '../model/run-state.ts'
import { lastingIdOf } from '../model/succession.ts'
import type { Round } from './courier-round.ts'

export async function tellEnd(round: Round, parent: RunId, run: Related, end: ChildEnd): Promise<void> {
  const asSignal = endAsSignal(run, end.status)
  if (asSignal !== undefined) {
    await round.tell({ type: 'signal', runId: parent, ...asSignal })
    return
  }
  const childRunId = lastingIdOf(run)
  try {
    await round.tell({ type: 'child-ended', runId: parent, childRunId, end })
  } catch (error) {
    if (!BatonError.is(error, 'TOO_LARGE')) throw error
    const tooLarge = codedError('TOO_LARGE', `the output of ${childRunId} is too large for its parent`)
    await round.tell({ type: 'child-ended', runId: parent, childRunId, end: { status: 'failed', error: tooLarge } })
  }
}

/** How a run ended, as its parent is told. */
export function endOf({ status, output, error, reason }: RunSummary): ChildEnd {
  switch (status) {
    case 'completed':
      return { status, ...(output === undefined ? {} : { output }) }
    case 'failed':
      return { status, error: error ?? codedError('RUN_FAILED', 'unknown') }
    default:
      return { status: 'cancelled', reason: reason ?? '' }
  }
}

/** The same for a run whose state is at hand. */
export function endOfState(state: RunState): ChildEnd {
  const { outcome } = state
  if (outcome?.status === 'failed') return { status: 'failed', error: outcome.error }
  if (outcome?.status === 'cancelled') return { status: 'cancelled', reason: outcome.reason }
  const output = outputOf(state)
  return { status: 'completed', ...(output === undefined ? {} : { output }) }
}
