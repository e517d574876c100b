/**
 * What a technology has to bring to be attacked: one file in `backends/`, named as `--adapter` says it, which exports a
 * `backend`. All else is the same for each.
 */
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
  /** What can be killed beside workers. A folder has none. */
  readonly servers?: readonly Server[]
  /** Takes the place away, with all that is in it. */
  remove(): Promise<void>
}

export interface Server {
  /** Kills it as `kill -9` does, starts it again with what it has kept, and resolves when it answers. */
  restart(): Promise<void>
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
