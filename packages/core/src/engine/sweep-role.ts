/** A role that one worker has at a time, so that idle cost does not grow with workers. Two that have it cost more than one and harm nothing. */
import type { IClock } from '../ports/clock.ts'
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import { LogThrottle } from '../ports/log-throttle.ts'
import type { ILogger } from '../ports/logger.ts'

export interface SweepRoleOptions {
  /** Under which it is kept. */
  readonly name: string
  /** Without one, every worker has it. */
  readonly coordinationStore: ICoordinationStore | undefined
  readonly workerId: string
  readonly sweepMs: number
  readonly clock: IClock
  readonly logger: ILogger
}

export class SweepRole {
  readonly #options: SweepRoleOptions
  readonly #roleless: LogThrottle
  /** Whose it was when we asked. */
  #role: 'unknown' | 'ours' | 'of-others' = 'unknown'
  #askAgain = false

  constructor(options: SweepRoleOptions) {
    this.#options = options
    this.#roleless = new LogThrottle(options.clock)
  }

  /** Whether it is ours for this turn. */
  async has(): Promise<boolean> {
    const { coordinationStore, workerId, logger } = this.#options
    if (coordinationStore === undefined) return true
    try {
      return await this.#ask(coordinationStore)
    } catch (error) {
      // None would leave lost work lying.
      logger.log(this.#roleless.level(), 'nobody knows who sweeps; sweeping all the same', { workerId, error })
      return true
    }
  }

  /** So that another worker need not wait for the role to expire. */
  async leave(): Promise<void> {
    const { coordinationStore, workerId, logger, name } = this.#options
    try {
      await coordinationStore?.compareAndDelete(name, workerId)
    } catch (error) {
      logger.log('debug', 'the role of the sweeper runs out by itself', { workerId, error })
    }
  }

  async #ask(coordinationStore: ICoordinationStore): Promise<boolean> {
    const { workerId, sweepMs, name } = this.#options
    const ttlMs = sweepMs * 2
    if (this.#role !== 'of-others') {
      // One that was started anew may have it from before.
      const isOurs = await coordinationStore.compareAndSet(name, workerId, workerId, { ttlMs })
      this.#roleless.over()
      if (isOurs) {
        this.#role = 'ours'
        return true
      }
    }
    this.#askAgain = this.#role !== 'of-others' || !this.#askAgain
    this.#role = 'of-others'
    // It lasts for two turns: to ask in every second one is soon enough.
    if (!this.#askAgain) return false
    const isOurs = await coordinationStore.setIfNotExist(name, workerId, { ttlMs })
    this.#roleless.over()
    if (isOurs) this.#role = 'ours'
    return isOurs
  }
}
