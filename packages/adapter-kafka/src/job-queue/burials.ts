import { type ILogger, LogThrottle, systemClock, wait } from '@baton/core/adapter'
import { failureFields, kafkaFailure } from '../kafka-errors.ts'
import type { Waiting } from './backlog.ts'
import type { DeadLetters } from './dead-letters.ts'

const RETRY_MS = 1_000

export interface BurialsOptions {
  readonly deadLetters: DeadLetters
  readonly stop: AbortSignal
  readonly logger: ILogger
  readonly onDone: () => void
}

/** Takes messages out that are no jobs: each is in the way of nobody, and holds up the number of its partition until it is on record. */
export class Burials {
  readonly #options: BurialsOptions
  readonly #failures = new LogThrottle(systemClock)
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: BurialsOptions) {
    this.#options = options
  }

  begin(waiting: Waiting, reason: string): void {
    waiting.log.putAside(waiting.message.offset)
    const burial = this.#bury(waiting, reason).finally(() => this.#underWay.delete(burial))
    this.#underWay.add(burial)
  }

  /** Resolves when nothing is under way any more. Soon after the stop: what is not on record then comes again to others. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #bury({ log, message }: Waiting, reason: string): Promise<void> {
    const { stop, onDone } = this.#options
    while (!stop.aborted && log.isOurs) {
      if (await this.#isOnRecord({ log, message }, reason)) {
        log.done(message.offset)
        return onDone()
      }
      await wait(systemClock, RETRY_MS, stop)
    }
    if (!log.isOurs) log.left(message.offset)
  }

  /** Puts it into the dead letter topic, or into the log where it is larger than that topic takes: it would be so again. */
  async #isOnRecord({ log, message }: Waiting, reason: string): Promise<boolean> {
    const { deadLetters, logger } = this.#options
    try {
      await deadLetters.put(message, log, reason)
      if (this.#failures.over()) logger.log('info', 'messages that are no jobs can be put away again', {})
      return true
    } catch (error) {
      if (kafkaFailure(error).code === 'TOO_LARGE') {
        logger.log('error', 'a message was taken out for good', { reason, body: message.text })
        return true
      }
      const fields = { topic: log.topic, reason, ...failureFields(error) }
      logger.log(this.#failures.level(), 'a message that is no job cannot be put away, will try again', fields)
      return false
    }
  }
}
