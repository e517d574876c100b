import { onAbort } from '../ports/on-abort.ts'

/**
 * A run is cancelled when its caller's signal fires; at once if it has.
 * @returns how to stop listening
 */
export function cancelOnAbort(signal: AbortSignal | undefined, cancel: (reason: string) => void): () => void {
  const cancelNow = () => cancel(reasonOf(signal))
  if (signal?.aborted === true) cancelNow()
  return onAbort(signal, cancelNow)
}

function reasonOf(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason.message : String(reason ?? 'aborted')
}
