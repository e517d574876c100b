/** What a technology has to bring to be attacked: one file in `backends/` each. */
import type { ICoordinationStore, IJobQueue, IRunStore } from '@baton/core'

export interface Backend {
  readonly name: string
  /** An empty place for one round of chaos. */
  prepare(): Promise<Place>
  /** The ports of one process on that place. */
  open(address: string, times: BackendTimes): Promise<Ports>
}

export interface Place {
  /** What is told to every process that opens ports there. */
  readonly address: string
  /** Takes the place away, with all that is in it. */
  remove(): Promise<void>
}

export interface BackendTimes {
  /** Of each claim; what is not answered for so long is sent again. */
  readonly leaseMs: number
}

export interface Ports {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
}

export async function closePorts({ queue, coordinationStore, store }: Ports): Promise<void> {
  await queue.close()
  await coordinationStore.close()
  await store.close()
}
