import type { RunId } from '../model/ids.ts'
import type { Mutable } from '../model/mutable.ts'
import type { RunStatus } from '../model/run.ts'
import { isDone, type RunState } from '../model/run-state.ts'
import { newestKnown } from '../model/succession.ts'

/** A few words about a run, for stores that keep such notes beside their logs: enough for lists and retention. */
export interface RunNote {
  readonly runId: RunId
  readonly rootRunId: RunId
  readonly flowId: string
  readonly tags: readonly string[]
  readonly status: RunStatus
  readonly createdAtMs: number
  /** Absent for none. */
  readonly deadLetterCount?: number
  /** Absent as long as it has something to say to another run, or its journal is to be published. */
  readonly endedAtMs?: number
  /** The first of the runs that go on for each other; absent from those that do not. */
  readonly firstRunId?: RunId
  /** Another run goes on for it. */
  readonly isContinued?: true
  /** Of the runs that go on for it, the newest that it knows of. */
  readonly newestRunId?: RunId
}

export function noteOf(state: RunState): RunNote {
  const { head, status, continuedBy, deadLetters } = state
  const firstRunId = head.lineage.succession?.firstRunId
  const newestRunId = newestKnown(state)
  const endedAtMs = endedAt(state)
  const note: Mutable<RunNote> = {
    runId: head.runId,
    rootRunId: head.lineage.rootRunId,
    flowId: head.flowId,
    tags: head.tags,
    status,
    createdAtMs: head.createdAtMs,
  }
  // One by one: this is asked of every commit, and spreading what is mostly not there costs more than all the rest.
  if (deadLetters !== undefined && deadLetters.size > 0) note.deadLetterCount = deadLetters.size
  if (firstRunId !== undefined) note.firstRunId = firstRunId
  if (continuedBy !== undefined) note.isContinued = true
  if (newestRunId !== undefined) note.newestRunId = newestRunId
  if (endedAtMs !== undefined) note.endedAtMs = endedAtMs
  return note
}

/** Whether a note of the run still says how it stands: asked with every commit, so without making another. */
export function isNoted(state: RunState, note: RunNote): boolean {
  const deadLetterCount = state.deadLetters?.size ?? 0
  return (
    note.status === state.status &&
    (note.deadLetterCount ?? 0) === deadLetterCount &&
    (note.isContinued ?? false) === (state.continuedBy !== undefined) &&
    note.newestRunId === newestKnown(state) &&
    note.endedAtMs === endedAt(state)
  )
}

/** Once it has nothing left to say. */
function endedAt(state: RunState): number | undefined {
  return isDone(state) ? state.endedAtMs : undefined
}
