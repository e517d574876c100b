/** How a run ended, as far as two runs of the same can be compared: without its id, without stacks. */
import type { RunStatus } from '@baton/core'

export type End = { readonly status: string; readonly [member: string]: unknown }

/** Of a result, or of a run as it is stored: what these flows give is written as it is. */
interface Ended {
  readonly status: RunStatus
  readonly output?: unknown
  readonly error?: { readonly name: string; readonly message: string }
  readonly reason?: string
}

export function endOf({ status, output, error, reason }: Ended): End {
  switch (status) {
    case 'completed':
      return { status, output }
    case 'failed':
      return { status, name: error?.name, message: error?.message }
    case 'cancelled':
      return { status, reason }
    default:
      return { status }
  }
}
