/** What Redis and its client say when they fail, in Baton's words. */
import { BatonError } from '@baton/core'
import { messageOf } from '@baton/core/adapter'

/** A BatonError stays what it is; everything else that the client throws is an outage: nobody knows whether it took effect. */
export function storeFailure(error: unknown): BatonError {
  if (BatonError.is(error)) return error
  const refusal = refusalOf(error)
  if (refusal !== undefined) return refusal
  if (redisMessageOf(error).startsWith('WRONGTYPE')) return wrongType([keyOf(error)], redisMessageOf(error))
  return new BatonError('STORE_UNAVAILABLE', { message: `Redis: ${redisMessageOf(error)}`, cause: error })
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

export function redisMessageOf(error: unknown): string {
  const message = messageOf(error)
  // ioredis tells of a setting of ours here, and keeps to itself what has happened to the connection.
  return message.includes('max retries per request') ? 'no connection: refused, lost, or no such host' : message
}

/** The same of what a queue was asked. */
export function queueFailure(error: unknown): BatonError {
  if (BatonError.is(error)) return error
  const refusal = refusalOf(error)
  if (refusal !== undefined) return refusal
  return new BatonError('QUEUE_UNAVAILABLE', { message: `Redis: ${redisMessageOf(error)}`, cause: error })
}

const HINTS = {
  NOAUTH: 'Redis asks who we are: give the user and the password with the connection.',
  WRONGPASS: 'See that user and password are right, and that the user is on: ACL GETUSER shows it.',
  NOPERM:
    'Give its user what is needed, with your own prefix in the place of baton: ACL SETUSER <user> ~baton:* ~bull:* &baton:* &bull:* +@all -@admin +config|get +info. ACL GETUSER <user> shows what it has.',
} as const

/** What was refused to who asks stays refused to them: no outage, and nothing that trying again would mend. */
function refusalOf(error: unknown): BatonError | undefined {
  const message = redisMessageOf(error)
  const [word] = /\b(NOAUTH|WRONGPASS|NOPERM)\b/.exec(message) ?? []
  if (word === undefined) return undefined
  const hint = HINTS[word as keyof typeof HINTS]
  return new BatonError('INVALID_OPTION', { field: 'connection', message: `Redis: ${message}`, hint, cause: error })
}

/** For a line of a log. */
export function failureFields(error: unknown): { readonly error: string; readonly hint?: string } {
  const refusal = refusalOf(error)
  return { error: redisMessageOf(error), ...(refusal === undefined ? {} : { hint: refusal.hint }) }
}
