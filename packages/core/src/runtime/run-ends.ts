import type { RunId } from '../model/ids.ts'
import { onAbort } from '../ports/on-abort.ts'

/** Tells those who wait in this process that a run has ended by a commit of this process. */
export class RunEnds {
  readonly #waiting = new Map<RunId, Set<() => void>>()

  announce(runId: RunId): void {
    for (const resolve of this.#waiting.get(runId) ?? []) resolve()
  }

  /** Resolves when the run ends here. It may have ended before, or end elsewhere: then only the signal lets go. */
  of(runId: RunId, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(runId) ?? new Set()
      this.#waiting.set(runId, waiting)
      const done = () => {
        waiting.delete(done)
        if (waiting.size === 0) this.#waiting.delete(runId)
        stopListening()
        resolve()
      }
      waiting.add(done)
      const stopListening = onAbort(signal, done)
    })
  }
}
