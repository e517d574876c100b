/**
 * What a technology has to bring to be attacked: one file in `backends/`, named as `--adapter` says it, which exports a
 * `backend`. All else is the same for each.
 */
import type { ICoordinationStore, IJobQueue, IRunStore } from '@baton/core'

export interface Backend {
  readonly name: string
  /** How many brokers it may have, the usual number first. Without it, it has none to choose from. */
  readonly brokers?: readonly number[]
  /** For so long workers leave and join again, unless told otherwise. Default 0: where others notice, they have to do so anyway. */
  readonly stormSeconds?: number
  /** An empty place for one round of chaos. */
  prepare(wishes?: Wishes): Promise<Place>
  /** The ports of one process on that place. */
  open(address: string, times: BackendTimes): Promise<Ports>
}

export interface Wishes {
  /** One of the backend's numbers. */
  readonly brokers?: number
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
  /** Kills it as `kill -9` does, or stops it; starts it again with what it has kept, and resolves when it answers. */
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
