/**
 * Follows the journal of one run. What has happened is replayed from the log, through a machine of its own that says
 * what each line made happen; what happens next is told by the handle that this process works with anyway.
 */
import { isTerminal, type RunEvent } from '@baton/core'
import { copyOf } from '@baton/core/adapter'
import type { LoggedRun } from './logged-run.ts'

export interface FollowOptions {
  /** The run as this process knows it, up to date. */
  readonly run: LoggedRun
  /** A handle of the same run that has read nothing yet. */
  readonly replay: () => LoggedRun
  readonly from: number
  readonly live: boolean
  readonly signal: AbortSignal
  readonly watch: (wake: (lines?: number) => void) => () => void
}

/** @returns whether that was all of it: false when the signal fired */
export async function* follow(options: FollowOptions): AsyncGenerator<RunEvent, boolean> {
  const { run, replay, from, live, signal, watch } = options
  const events: RunEvent[] = []
  let lastSeq = Math.max(1, from) - 1
  /** How many lines there are to be read, as far as we were told since we have read. */
  let told = 0
  let wake = () => {}
  const nudge = () => wake()
  const take = (event: RunEvent) => {
    // After a gap nothing counts: the replay tells it again.
    if (event.seq !== lastSeq + 1) return
    lastSeq = event.seq
    events.push(copyOf(event))
    nudge()
  }
  const stop = run.listen(take)
  const stopWatching = live
    ? watch((lines = Number.POSITIVE_INFINITY) => {
        told = Math.max(told, lines)
        nudge()
      })
    : () => {}
  signal.addEventListener('abort', nudge)
  try {
    for (;;) {
      const lines = told
      told = 0
      // What this process has written itself, it knows, or will when the answer to it is here.
      if (lines > run.position) await run.read(lines)
      if (events.length === 0 && (run.machine?.state.seq ?? 0) > lastSeq) {
        const past = replay()
        past.listen((event) => {
          if (event.seq > lastSeq) take(event)
        })
        await past.read()
      }
      while (events.length > 0) {
        if (signal.aborted) return false
        yield events.shift() as RunEvent
      }
      const { machine } = run
      if ((machine?.state.seq ?? 0) > lastSeq) continue
      const ended = machine === undefined || isTerminal(machine.state.status)
      if (!live || run.removed || ended) return true
      if (signal.aborted) return false
      if (told > run.position) continue
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      wake = () => {}
    }
  } finally {
    stop()
    stopWatching()
    signal.removeEventListener('abort', nudge)
  }
}
