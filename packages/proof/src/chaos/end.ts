/** How a run ended, as far as two runs of the same can be compared. */
import type { RunResult } from '@baton/core'

/** An end without what may differ: the run's id, stacks. */
export type End = { readonly status: string; readonly [member: string]: unknown }

export function endOf(result: RunResult): End {
  switch (result.status) {
    case 'completed':
      return { status: result.status, output: result.output }
    case 'failed':
      return { status: result.status, name: result.error.name, message: result.error.message }
    case 'cancelled':
      return { status: result.status, reason: result.reason }
  }
}
