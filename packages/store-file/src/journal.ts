/**
 * Follows the journal of one run: replays its log through a machine of its own, which says what each line made happen,
 * and goes on as the log grows.
 */
import { isTerminal, type RunEvent } from '@baton/core'
import type { IClock } from '@baton/core/adapter'
import { copyOf } from './copy.ts'
import { StoredRun, type StoredRunOptions } from './stored-run.ts'
import { Watcher } from './watcher.ts'

export interface FollowOptions extends Omit<StoredRunOptions, 'machine'> {
  readonly redispatchMs: number
  readonly from: number
  readonly live: boolean
  readonly signal: AbortSignal
  readonly clock: IClock
  readonly pollMs: number
  /** Waits until what has been read so far is safe: nobody must see an event that a power cut takes back. */
  readonly flush: () => Promise<void>
}

export async function* follow(options: FollowOptions): AsyncGenerator<RunEvent> {
  const { from, live, signal, clock, pollMs, flush, redispatchMs } = options
  let events: RunEvent[] = []
  const onEvent = (event: RunEvent) => {
    if (event.seq >= from) events.push(event)
  }
  const replay = new StoredRun({ ...options, machine: { redispatchMs, onEvent } })
  const watcher = live ? new Watcher({ path: replay.paths.log, clock, pollMs }) : undefined
  try {
    for (;;) {
      const since = watcher?.version ?? 0
      replay.sync()
      if (events.length > 0) await flush()
      const batch = events
      events = []
      for (const event of batch) {
        if (signal.aborted) return
        yield copyOf(event)
      }
      const { machine } = replay
      if (watcher === undefined || signal.aborted || replay.removed) return
      if (machine !== undefined && isTerminal(machine.state.status)) return
      await watcher.changed({ since, signal })
    }
  } finally {
    watcher?.close()
  }
}
