/** A run that has to be there, and what is said where it is not, or is over. */
import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import type { RunStatus, RunSummary } from '../model/run.ts'
import type { RunPorts } from './run-ports.ts'

/** Throws `UNKNOWN_RUN`. */
export async function summaryOf({ store }: Pick<RunPorts, 'store'>, runId: RunId): Promise<RunSummary> {
  const summary = await store.summary(runId)
  if (summary === undefined) throw unknownRun(runId)
  return summary
}

export function unknownRun(runId: RunId): BatonError {
  return new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
}

export function runEnded(runId: RunId, status: RunStatus): BatonError {
  return new BatonError('RUN_ENDED', { message: `run ${runId} has ended as ${status}`, runId })
}
