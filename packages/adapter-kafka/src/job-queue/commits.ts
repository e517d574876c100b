import { type ILogger, messageOf, systemClock } from '@baton/core/adapter'
import type { IKafkaMember, Offset } from '../client-port.ts'
import type { PartitionLog } from './partition-log.ts'

export interface CommitsOptions {
  readonly commitMs: number
  readonly logger: ILogger
  /** What may have something to commit. */
  readonly logs: () => readonly PartitionLog[]
  /** Who can commit it; undefined while there is nobody. Whoever comes next is told with the next `soon`. */
  readonly member: () => IKafkaMember | undefined
}

/**
 * Tells Kafka how far the partitions have been worked off: a while after something was done, and with one request for all that was done
 * until then. What is lost of that is delivered again.
 */
export class Commits {
  readonly #options: CommitsOptions
  #cancel: (() => void) | undefined
  #underWay: Promise<void> | undefined
  /** For all who ask while one is under way. */
  #next: Promise<void> | undefined

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  /** Something is done. */
  soon(): void {
    this.#cancel ??= systemClock.after(this.#options.commitMs, () => {
      this.#cancel = undefined
      void this.flush()
    })
  }

  /** Resolves when Kafka knows all of it, or has not taken it. */
  flush(): Promise<void> {
    if (this.#underWay === undefined) return this.#begin()
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined
      return this.#begin()
    })
    return this.#next
  }

  #begin(): Promise<void> {
    this.#underWay = this.#commit().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  async #commit(): Promise<void> {
    const { logs, logger } = this.#options
    const member = this.#options.member()
    if (member === undefined) return
    const found = logs().flatMap((log): readonly { log: PartitionLog; offset: Offset }[] => {
      const offset = log.uncommitted()
      return offset === undefined ? [] : [{ log, offset }]
    })
    if (found.length === 0) return
    try {
      await member.commit(found.map(({ offset }) => offset))
      for (const { log, offset } of found) if (log.isOurs) log.committed(offset)
    } catch (error) {
      // The group is about to change, or Kafka is away: whoever consumes finds out as well.
      logger.log('debug', 'Kafka did not take how far the jobs are done', { error: messageOf(error) })
      this.soon()
    }
  }
}
