/**
 * A run is cancelled when its caller's signal fires; at once if it has.
 * @returns how to stop listening
 */
export function cancelOnAbort(signal: AbortSignal | undefined, cancel: (reason: string) => void): () => void {
  const onAbort = () => cancel(reasonOf(signal))
  if (signal?.aborted === true) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return () => signal?.removeEventListener('abort', onAbort)
}

function reasonOf(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason.message : String(reason ?? 'aborted')
}
