import type { Message } from '@aws-sdk/client-sqs'
import { type Delivery, type ILogger, type Job, messageOf } from '@baton/core/adapter'
import type { DeadLetters } from './dead-letters.ts'
import type { Keeper, Kept } from './keeper.ts'
import type { SqsQueue } from './sqs-queue.ts'

/** What a handler failed to finish comes again after this, doubled each time up to the visibility. */
const RETRY_MS = 1_000

export interface DeliveryTools {
  /** Where the message is from. */
  readonly queue: SqsQueue
  readonly keeper: Keeper
  readonly deadLetters: DeadLetters
  readonly visibilityMs: number
  readonly logger: ILogger
}

/** One receipt of a job. It is kept from others from now on until it is answered. */
export class SqsDelivery implements Delivery {
  readonly job: Job
  readonly redelivered: number
  readonly #body: string
  readonly #tools: DeliveryTools
  readonly #kept: Kept
  #isAnswered = false

  constructor(job: Job, message: Message, tools: DeliveryTools) {
    this.job = job
    this.redelivered = receivedBefore(message)
    this.#body = message.Body ?? ''
    this.#tools = tools
    this.#kept = tools.keeper.keep(message.ReceiptHandle ?? '')
  }

  /** Not waited for, so that ten go with one request: if it gets lost, the job comes once more and finds nothing to claim. */
  acknowledge(): void {
    if (!this.#answer()) return
    const { queue, keeper } = this.#tools
    void keeper.release(this.#kept)
    queue.delete(this.#kept.handle).catch((error: unknown) => this.#tell(error))
  }

  async handBack({ delayMs }: { readonly delayMs: number }): Promise<void> {
    if (!this.#answer()) return
    const { queue, keeper } = this.#tools
    await keeper.release(this.#kept)
    // A delay that is longer than SQS can is no loss: the sweep sends again what is due.
    const mostMs = this.#kept.hidableUntilMs - performance.now()
    await queue.hide(this.#kept.handle, Math.max(0, Math.min(delayMs, mostMs)))
  }

  async extend({ byMs }: { readonly byMs: number }): Promise<void> {
    if (this.#isAnswered) return
    await this.#tools.keeper.extend(this.#kept, byMs)
  }

  async deadLetter(reason: string): Promise<void> {
    if (!this.#answer()) return
    const { queue, keeper, deadLetters } = this.#tools
    try {
      await deadLetters.put(this.#body, reason)
    } finally {
      void keeper.release(this.#kept)
    }
    await queue.delete(this.#kept.handle)
  }

  /** The handler has ended. What it left unanswered comes again after a while. */
  async end(): Promise<void> {
    const delayMs = Math.min(this.#tools.visibilityMs, RETRY_MS * 2 ** Math.min(this.redelivered, 20))
    try {
      await this.handBack({ delayMs })
    } catch (error) {
      // It comes back by itself when its visibility is over.
      this.#tell(error)
    }
  }

  /** @returns whether it is the first answer */
  #answer(): boolean {
    if (this.#isAnswered) return false
    this.#isAnswered = true
    return true
  }

  #tell(error: unknown): void {
    const { runId, instanceId } = this.job
    const fields = { runId, instanceId, error: messageOf(error) }
    this.#tools.logger.log('debug', 'a job could not be answered for; it comes again', fields)
  }
}

/** How often, as far as SQS knows. */
export function receivedBefore({ Attributes = {} }: Message): number {
  return Math.max(0, Number(Attributes.ApproximateReceiveCount ?? 1) - 1)
}
