import { LateError, onAbort } from '@baton/core/adapter'

export interface AskOptions {
  /** Over all tries of the client. */
  readonly withinMs: number
  /** Gives up at once when it fires. */
  readonly signal?: AbortSignal
}

/**
 * Asks a service by a client of the SDK, which by itself would wait for an answer for ever. What is given up is called off, so
 * that no connection is left waiting. Rejects with what the client throws, with `LateError`, or with an `AbortError`.
 *
 * @param call is to hand the signal on to the client
 */
export async function ask<Answer>(
  call: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
  { withinMs, signal }: AskOptions,
): Promise<Answer> {
  const calledOff = new AbortController()
  const givenUp = new Promise<never>((_, reject) => {
    // Not left to the client: it does not look at the signal between two tries.
    calledOff.signal.addEventListener('abort', () => reject(calledOff.signal.reason), { once: true })
  })
  const timer = setTimeout(() => calledOff.abort(new LateError(`no answer within ${withinMs} ms`)), withinMs)
  const stopListening = onAbort(signal, () => calledOff.abort(signal?.reason))
  if (signal?.aborted === true) calledOff.abort(signal.reason)
  try {
    return await Promise.race([call({ abortSignal: calledOff.signal }), givenUp])
  } finally {
    clearTimeout(timer)
    stopListening()
  }
}
