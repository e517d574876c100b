/** What a technology has to say for itself, so that it can be named by a URL. */
import type { ICoordinationStore, IJobQueue, IJournalSink, ILogger, IRunStore } from '@baton/core'
import type { remindersFor } from '@baton/core/adapter'
import type { Address } from '../addresses.ts'
import type { Values } from '../environment.ts'

/** What workers and clients are made of. */
export interface Ports {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
  /** Where there is one: workers publish to it, and clients start runs so that they are published. */
  readonly journalSink?: IJournalSink
}

export interface Settings {
  readonly durability: Values['BATON_DURABILITY'] | undefined
  /** When a store reminds of jobs that nobody answered. */
  readonly reminders: ReturnType<typeof remindersFor>
  readonly logger: ILogger
}

export interface Look {
  readonly part: 'store' | 'queue' | 'journal'
  /** Whoever only looks wants to hear that there is nothing to look at. */
  readonly mustExist: boolean
  readonly durability: Values['BATON_DURABILITY'] | undefined
}

/** One technology. Its package is loaded when it is asked for. */
export interface Backend {
  /** Throws what stands in the way, as far as it can be seen without writing anything. */
  check(address: Address, look: Look): Promise<void>
  store(address: Address, settings: Settings): Promise<Pick<Ports, 'store' | 'coordinationStore'>>
  queue(address: Address, settings: Settings): Promise<IJobQueue>
  /** Absent where journals cannot be published to it. */
  journal?(address: Address, settings: Settings): Promise<IJournalSink>
}
