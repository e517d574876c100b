import { AssertionError } from 'node:assert'

export interface FailureDetails {
  readonly expected?: unknown
  readonly actual?: unknown
  readonly cause?: unknown
}

/** What a test runner shows as a failed assertion, whichever it is. */
export function failure(message: string, { expected, actual, cause }: FailureDetails = {}): AssertionError {
  const error = new AssertionError({ message, expected, actual, operator: 'baton' })
  if (cause !== undefined) error.cause = cause
  return error
}
