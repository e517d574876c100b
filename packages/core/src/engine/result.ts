import { BatonError, type RecordedError } from '../model/errors.ts'
import type { JsonValue } from '../model/json.ts'
import type { PendingApproval, PendingPause, RunSummary } from '../model/run.ts'
import type { ISerializer } from '../ports/serializer.ts'

/** How a run ended, or what it waits for. Only the fields that each status has. */
export type RunResult<Output = unknown> =
  | {
      readonly status: 'completed'
      readonly runId: string
      readonly output: Output
      /** The run that goes on for this one, which has no output: only where nobody follows. */
      readonly continuedBy?: string
    }
  | { readonly status: 'failed'; readonly runId: string; readonly error: RecordedError }
  | { readonly status: 'cancelled'; readonly runId: string; readonly reason: string }

/** A run that waits for the outside, where nobody can bring it news. */
export interface PausedResult {
  readonly status: 'paused'
  readonly runId: string
  readonly pendingApproval: PendingApproval | undefined
  readonly pendingPause: PendingPause | undefined
}

/** What a result is made of: of a summary, or of a run that was never summed up. */
export interface ResultParts {
  readonly runId: string
  readonly status: RunSummary['status']
  readonly output?: JsonValue | undefined
  readonly error?: RecordedError | undefined
  readonly reason?: string | undefined
  readonly continuedBy?: string | undefined
}

/** @returns undefined while the run goes on */
export function resultOf<Output>(run: ResultParts, serializer: ISerializer): RunResult<Output> | undefined {
  const { runId, output, continuedBy } = run
  switch (run.status) {
    case 'completed':
      return {
        status: 'completed',
        runId,
        output: (output === undefined ? undefined : serializer.decode(output)) as Output,
        ...(continuedBy === undefined ? {} : { continuedBy }),
      }
    case 'failed':
      return { status: 'failed', runId, error: run.error ?? { name: 'Error', message: 'unknown' } }
    case 'cancelled':
      return { status: 'cancelled', runId, reason: run.reason ?? '' }
    default:
      return undefined
  }
}

/** The output, or the error that says why there is none. */
export function outputOrThrow<Output>(result: RunResult<Output>): Output {
  switch (result.status) {
    case 'completed':
      return result.output
    case 'failed':
      throw new BatonError('RUN_FAILED', {
        message: `Run ${result.runId} failed: ${result.error.message}`,
        runId: result.runId,
        cause: result.error,
      })
    case 'cancelled':
      throw new BatonError('RUN_CANCELLED', {
        message: `Run ${result.runId} was cancelled: ${result.reason}`,
        runId: result.runId,
        cause: result.reason,
      })
  }
}
