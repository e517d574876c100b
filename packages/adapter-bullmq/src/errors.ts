/** What Redis and its client say when they fail, in Baton's words. */
import { BatonError } from '@baton/core'

/** A BatonError stays what it is; everything else that the client throws is an outage: nobody knows whether it took effect. */
export function storeFailure(error: unknown): BatonError {
  if (BatonError.is(error)) return error
  if (messageOf(error).startsWith('WRONGTYPE')) return wrongType([keyOf(error)], messageOf(error))
  return new BatonError('STORE_UNAVAILABLE', { message: `Redis: ${messageOf(error)}`, cause: error })
}

/** @param keys those that it may be */
export function wrongType(keys: readonly string[], message: string): BatonError {
  const [first = ''] = keys
  return new BatonError('STORE_CORRUPT', {
    field: first,
    message: `Redis: ${message}`,
    hint: `Somebody else has put a key of another type under a name of the store. TYPE says which it is: ${keys.join(', ')}. Rename it, and give the store a prefix of its own.`,
  })
}

/** What a command was about that Redis refused. */
function keyOf(error: unknown): string {
  const { command } = error as { readonly command?: { readonly args?: readonly unknown[] } }
  return String(command?.args?.[0] ?? '')
}

export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  // ioredis tells of a setting of ours here, and keeps to itself what has happened to the connection.
  return message.includes('max retries per request') ? 'no connection: refused, lost, or no such host' : message
}

/** The same of what a queue was asked. */
export function queueFailure(error: unknown): BatonError {
  if (BatonError.is(error)) return error
  return new BatonError('QUEUE_UNAVAILABLE', { message: `Redis: ${messageOf(error)}`, cause: error })
}
