import type { InstanceId, RunId } from '../model/ids.ts'
import type { IClock } from '../ports/clock.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { ISerializer } from '../ports/serializer.ts'

/** What a handle needs of its client. */
export interface RunPorts {
  readonly store: IRunStore
  readonly serializer: ISerializer
  readonly clock: IClock
  /** Wakes workers for instances that became ready. A failure costs time only. */
  send(runId: RunId, ready: readonly InstanceId[]): Promise<void>
}
