/** What the file system says when it fails, in Baton's words. */
import { BatonError } from '@baton/core'

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}

/** A BatonError stays what it is; everything else that a file system throws is an outage. */
export function storeFailure(error: unknown, doing: string): BatonError {
  if (BatonError.is(error)) return error
  return new BatonError('STORE_UNAVAILABLE', { message: `${doing}: ${messageOf(error)}`, cause: error })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Runs a step of the file system, and translates what it throws. */
export function onDisk<Result>(doing: string, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    throw storeFailure(error, doing)
  }
}
