/**
 * Waits for the end of a run. Lines that this process writes or reads anyway tell of it at once; of what others write, it
 * is told when the run is over, and not with every line. The first message comes as soon as they are listened to, for
 * what was said before.
 */
import { isTerminal } from '@baton/core'
import { copyOf, type RunSummary, summaryOf } from '@baton/core/adapter'
import type { LoggedRun } from './logged-run.ts'

/** @param wake told how many lines there are, or nothing. @returns how to end it */
export type Watch = (wake: (lines?: number) => void) => () => void

export interface UntilEndOptions {
  readonly watch: Watch
  readonly signal: AbortSignal | undefined
  /** Calls back when the store is closed. @returns how to end it */
  readonly onClose: (callback: () => void) => () => void
}

/** @returns undefined when a signal fires, or the run was removed */
export function untilEnd(run: LoggedRun, { watch, signal, onClose }: UntilEndOptions): Promise<RunSummary | undefined> {
  return new Promise((resolve, reject) => {
    const finish = (summary: RunSummary | undefined) => {
      stopListening()
      stopWatching()
      signal?.removeEventListener('abort', look)
      stopClosing()
      resolve(summary)
    }
    const look = () => {
      const state = run.machine?.state
      if (state !== undefined && isTerminal(state.status)) finish(copyOf(summaryOf(state)))
      else if (run.removed || signal?.aborted === true) finish(undefined)
    }
    const read = (lines?: number) => {
      if (lines === undefined || lines > run.position) run.read(lines).then(look, reject)
      else look()
    }
    const stopListening = run.listen(({ type }) => {
      // Once the line has been applied to its end.
      if (type === 'run-completed' || type === 'run-failed' || type === 'run-cancelled') queueMicrotask(look)
    })
    const stopWatching = watch(read)
    const stopClosing = onClose(() => finish(undefined))
    signal?.addEventListener('abort', look)
    look()
  })
}
