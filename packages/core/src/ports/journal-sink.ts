import type { RunEvent } from '../model/event.ts'
import type { RunId } from '../model/ids.ts'
import type { Awaitable } from './awaitable.ts'

/** One event of a run's journal, for those who read it outside of Baton. */
export interface JournalEntry {
  /** `runId/seq`: the same whenever the entry is published. Who reads drops the second of an id. */
  readonly id: string
  readonly runId: RunId
  /** From 1 on, without gaps. */
  readonly seq: number
  readonly event: RunEvent
}

/**
 * Where the journals of runs are published, for those who feed a lake or another service.
 *
 * A worker with a sink publishes what it has committed, of runs that were started as such, and notes in the store how far it has come. Several may
 * publish the same entries, and one that dies publishes them again; but each goes on from where all before it has been taken. So
 * nothing is left out, and of each run the entries that come for the first time come in order.
 *
 * No run waits for a sink.
 */
export interface IJournalSink {
  /**
   * Takes entries of one run, in the order of `seq`. Resolves when all of them are as safe as they will ever be: they are not
   * published again. When it throws, nobody knows which were taken, and all come again. Asked for one run at a time.
   */
  publish(runId: RunId, entries: readonly JournalEntry[]): Awaitable<void>

  /** Lets go of its connections. What is under way may be given up. */
  close(): Awaitable<void>
}
