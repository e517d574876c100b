/** What a technology has to say for itself, so that it can be named by a URL. */
import type { ICoordinationStore, IJobQueue, ILogger, IRunStore } from '@baton/core'
import type { remindersFor } from '@baton/core/adapter'
import type { Address } from '../addresses.ts'
import type { Values } from '../environment.ts'

/** What workers and clients are made of. */
export interface Ports {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
}

export interface Settings {
  readonly durability: Values['BATON_DURABILITY'] | undefined
  /** When a store reminds of jobs that nobody answered. */
  readonly reminders: ReturnType<typeof remindersFor>
  readonly logger: ILogger
}

export interface Look {
  readonly part: 'store' | 'queue'
  /** Whoever only looks wants to hear that there is nothing to look at. */
  readonly mustExist: boolean
  readonly durability: Values['BATON_DURABILITY'] | undefined
}

/** One technology. Its package is loaded when it is asked for. */
export interface Backend {
  /** Throws what stands in the way, as far as it can be seen without writing anything. */
  check(address: Address, look: Look): Promise<void>
  store(address: Address, settings: Settings): Promise<Omit<Ports, 'queue'>>
  queue(address: Address, settings: Settings): Promise<IJobQueue>
}
