import type { BringSuccessor } from '../engine/notify-newest.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import type { IClock } from '../ports/clock.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { ISerializer } from '../ports/serializer.ts'

/** What a handle needs of its client. */
export interface RunPorts {
  readonly store: IRunStore
  readonly serializer: ISerializer
  readonly clock: IClock
  /**
   * Resolves when this process sees the run end, if it does: a shortcut for clients that live with their worker, who
   * need not follow the journal for that.
   */
  readonly seenEnd?: ((runId: RunId, signal: AbortSignal) => Promise<void>) | undefined
  /** Tells the worker of this process, if there is one, that a run was cancelled. */
  readonly onCancel?: ((runId: RunId) => void) | undefined
  /** Wakes workers for instances that became ready. A failure costs time only. */
  send(runId: RunId, ready: readonly InstanceId[]): Promise<void>
  /** Sees to it that a run is made that goes on for another one. */
  readonly bring: BringSuccessor
  /** Brings messages to the runs that they are for. What is left over is the sweep's. */
  deliver(runId: RunId, messages: readonly RunMessage[]): Promise<void>
}
