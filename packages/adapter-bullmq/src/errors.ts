/** What Redis and its client say when they fail, in Baton's words. */
import { BatonError } from '@baton/core'

/** A BatonError stays what it is; everything else that the client throws is an outage: nobody knows whether it took effect. */
export function storeFailure(error: unknown): BatonError {
  if (BatonError.is(error)) return error
  return new BatonError('STORE_UNAVAILABLE', { message: `Redis: ${messageOf(error)}`, cause: error })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The same of what a queue was asked. */
export function queueFailure(error: unknown): BatonError {
  if (BatonError.is(error)) return error
  return new BatonError('QUEUE_UNAVAILABLE', { message: `Redis: ${messageOf(error)}`, cause: error })
}
