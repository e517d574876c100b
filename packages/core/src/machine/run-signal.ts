/** What every answer says of the run itself, whatever was asked. */
import type { RunState } from '../model/run-state.ts'
import type { RunSignal } from '../ports/claim.ts'

export function signalOf({ status, stopping, seq, publication }: RunState): RunSignal {
  if (publication !== undefined) return { status, stopping, seq, publishJournal: true }
  return { status, stopping, seq }
}
