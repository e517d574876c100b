/** What the file system says when it fails, in Baton's words. */
import { BatonError } from '@baton/core'
import { messageOf } from '@baton/core/adapter'

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}

/** A BatonError stays what it is; everything else that a file system throws is an outage. */
export function storeFailure(error: unknown, doing: string): BatonError {
  if (BatonError.is(error)) return error
  return new BatonError('STORE_UNAVAILABLE', { message: `${doing}: ${messageOf(error)}`, cause: error })
}

/**
 * Whether it says something about one file, and not about the disk as a whole: who looks at all runs can leave that one
 * out, and must not fail for it.
 */
export function isOfOneFile(error: unknown): error is BatonError {
  if (BatonError.is(error, 'STORE_CORRUPT')) return true
  return BatonError.is(error, 'STORE_UNAVAILABLE') && hasCode(error.cause, 'EIO', 'EISDIR', 'ELOOP', 'EACCES', 'EPERM')
}

/** Runs a step of the file system, and translates what it throws. */
export function onDisk<Result>(doing: string, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    throw storeFailure(error, doing)
  }
}
