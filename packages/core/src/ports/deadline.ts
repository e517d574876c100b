/** Limits to how long somebody is waited for, who may never answer. */

/** No answer has come in time. */
export class LateError extends Error {
  override readonly name = 'LateError'
}

/** Rejects with `LateError` when there is no answer by then: a server that is frozen, or a cluster without nodes, never gives one. */
export function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new LateError(`no answer within ${ms} ms`)), ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}

/** Waits until it has settled, well or not, but no longer than this. */
export function settledWithin(ms: number, promise: Promise<unknown>): Promise<void> {
  return within(ms, promise).then(nothing, nothing)
}

function nothing(): void {}
