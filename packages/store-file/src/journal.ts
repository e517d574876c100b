/**
 * Follows the journal of one run. What has happened is replayed from the log, through a machine of its own that says
 * what each line made happen; what happens next is told by the handle that this process works with anyway.
 */
import { isTerminal, type RunEvent } from '@baton/core'
import { copyOf, type IClock } from '@baton/core/adapter'
import type { StoredRun } from './stored-run.ts'
import { Watcher } from './watcher.ts'

export interface FollowOptions {
  /** The run as this process knows it. */
  readonly run: StoredRun
  /** A handle of the same run that has read nothing yet. */
  readonly replay: StoredRun
  readonly from: number
  readonly live: boolean
  readonly signal: AbortSignal
  readonly clock: IClock
  readonly pollMs: number
}

export async function* follow(options: FollowOptions): AsyncGenerator<RunEvent> {
  const { run, replay, from, live, signal, clock, pollMs } = options
  const watcher = live ? new Watcher({ path: run.paths.log, clock, pollMs }) : undefined
  const events: RunEvent[] = []
  let lastSeq = from - 1
  const take = (event: RunEvent) => {
    if (event.seq <= lastSeq) return
    lastSeq = event.seq
    events.push(copyOf(event))
    watcher?.wake()
  }
  const stopReplay = replay.listen(take)
  let stop = () => {}
  try {
    replay.sync()
    stopReplay()
    // Nothing can have happened in this process since the end of the replay.
    if (live) stop = run.listen(take)
    for (;;) {
      const since = watcher?.version ?? 0
      run.sync()
      if (events.length > 0) {
        const batch = events.splice(0)
        // Nobody must see an event that a power cut takes back.
        await run.flush()
        for (const event of batch) {
          if (signal.aborted) return
          yield event
        }
        continue
      }
      const ended = run.machine !== undefined && isTerminal(run.machine.state.status)
      if (watcher === undefined || signal.aborted || run.removed || ended) return
      await watcher.changed({ since, signal })
    }
  } finally {
    stop()
    watcher?.close()
  }
}
