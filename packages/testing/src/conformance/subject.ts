/** What stands under a conformance suite: an adapter's ports, made anew for every test. */
import type { Durability, ICoordinationStore, IJobQueue, IRunStore } from '@baton/core'
import type { Awaitable, BaseDistributedAdapter, DistributedAdapterOptions } from '@baton/core/adapter'
import type { TestClock } from '../test-clock.ts'

export interface Subject {
  readonly name: string
  /** What the store says that an acknowledged write survives. */
  readonly durability: Durability
  /**
   * The shortest time that the backend surely keeps apart from twice as long. All times of the kit are multiples of
   * it, so that a backend with a clock of its own can be tested in real time: 5 for a file, 20 for a server near by.
   */
  readonly tickMs: number
  /**
   * Which level the queue sorts a priority into, a higher one for a higher priority: `Math.sign` where there are queues for high,
   * normal and low. Default: each priority is a level of its own.
   */
  readonly priorityLevel?: (priority: number) => number
  /** A world that shares nothing with those before it: a new folder, prefix or table. */
  create(options: WorldOptions): Awaitable<World>
  /**
   * Whether suites may go side by side, in worlds that share a server and nothing else. In real time most of a case is waiting, so this
   * makes the kit some three times as fast. A suite that measures what a server does still goes alone. Default: one after the other.
   */
  readonly sideBySide?: boolean
  /** Why a case is not run, by its title. A title that the kit does not have is a failure. */
  readonly skip?: Readonly<Record<string, string>>
}

/** What the ports of a world have to be told. */
export interface WorldOptions {
  readonly redispatchMs: number
  readonly redispatchMaxMs: number
  /** After this long, a delivery that nobody answered comes again. */
  readonly visibilityMs: number
}

/** The ports of one test. Disposing it closes and removes everything, also what `reopen` gave. */
export interface World extends AsyncDisposable {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
  /** Where the ports take their time from, if a test can move it. Without it, tests wait in real time. */
  readonly clock?: TestClock
  /** Other ports on the same data, as another process would have them. In memory: the same ports. */
  reopen(): Awaitable<World>
  /** Sends a message as a producer outside Baton would: anything. */
  push?(message: unknown): Awaitable<void>
  /** The messages that were taken out for good. */
  deadLetters?(): Awaitable<readonly unknown[]>
  /** What the store has written so far. */
  meter?(): Awaitable<Meter>
  /** The adapter of this technology on these ports. Without it, the kit takes one that adds nothing to the base. */
  adapter?(options: DistributedAdapterOptions): BaseDistributedAdapter
}

export interface Meter {
  readonly writtenBytes: number
  readonly writes: number
}

/** Optional parts of a world. A case that needs one that is missing fails, unless the subject skips it. */
export type Need = 'push' | 'deadLetters' | 'meter'
