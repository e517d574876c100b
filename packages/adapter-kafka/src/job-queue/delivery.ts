import { type Delivery, type Job, systemClock } from '@baton/core/adapter'
import type { ReceivedMessage } from '../client-port.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { HeldMessages } from './held.ts'
import { redeliveredOf } from './message-form.ts'
import type { PartitionLog } from './partition-log.ts'

/** What a handler failed to finish comes again after this, doubled each time up to … */
const RETRY_MS = 1_000
const MOST_RETRY_MS = 60_000

export interface DeliveryTools {
  readonly held: HeldMessages
  readonly deadLetters: DeadLetters
  /** Something is done: it may be time to commit. */
  readonly onDone: () => void
}

/** One receipt of a job. Until it is answered, the number of its partition stays before it. */
export class KafkaDelivery implements Delivery {
  readonly job: Job
  readonly redelivered: number
  readonly #log: PartitionLog
  readonly #message: ReceivedMessage
  readonly #tools: DeliveryTools
  #isAnswered = false

  constructor(job: Job, log: PartitionLog, message: ReceivedMessage, tools: DeliveryTools) {
    this.job = job
    this.redelivered = redeliveredOf(message)
    this.#log = log
    this.#message = message
    this.#tools = tools
  }

  /** Kafka hears of it with the next commit: if that gets lost, the job comes once more and finds nothing to claim. */
  acknowledge(): void {
    if (this.#answer()) this.#done()
  }

  handBack({ delayMs }: { readonly delayMs: number }): void {
    if (!this.#answer()) return
    this.#tools.held.hold(this.#log, this.#message, this.redelivered + 1, systemClock.now() + delayMs)
  }

  /** Nothing: whoever has the partition has the job, for as long as it has that. */
  extend(): void {}

  async deadLetter(reason: string): Promise<void> {
    if (!this.#answer()) return
    try {
      await this.#tools.deadLetters.put(this.#message, this.#log, reason)
    } catch (error) {
      this.#isAnswered = false
      throw error
    }
    this.#done()
  }

  /** The handler has ended. What it left unanswered comes again after a while. */
  end(): void {
    this.handBack({ delayMs: Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** Math.min(this.redelivered, 10)) })
  }

  /** @returns whether it is the first answer */
  #answer(): boolean {
    if (this.#isAnswered) return false
    this.#isAnswered = true
    return true
  }

  #done(): void {
    this.#log.done(this.#message.offset)
    this.#tools.onDone()
  }
}
