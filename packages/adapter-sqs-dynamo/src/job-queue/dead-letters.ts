import type { Message } from '@aws-sdk/client-sqs'
import { BatonError } from '@baton/core'
import { type ILogger, readableText } from '@baton/core/adapter'
import { reasonText } from './message-form.ts'
import { REASON, type SqsQueue } from './sqs-queue.ts'

/** A message that was taken out for good: what it said, and why. */
export interface DeadLetter {
  readonly message: unknown
  readonly reason: string
}

/** Of one that SQS itself has put there, by the queue's redrive policy. */
const RECEIVED_TOO_OFTEN = 'SQS: it was received more often than the redrive policy of its queue allows'
/** Long enough to look through the queue, and how long what is looked at stays hidden if we die over it. */
export const LOOK_MS = 30_000
const SHORT_WAIT_MS = 1_000

/** Where messages go that nobody is to get again. */
export class DeadLetters {
  readonly #queue: SqsQueue | undefined
  readonly #logger: ILogger

  /** @param queue undefined where there is none */
  constructor(queue: SqsQueue | undefined, logger: ILogger) {
    this.#queue = queue
    this.#logger = logger
  }

  /** Resolves when it is kept: in the dead letter queue, or else in the log. */
  async put(body: string, reason: string): Promise<void> {
    if (this.#queue === undefined) {
      const hint = 'Name a deadLetterQueue, and such messages are kept there.'
      this.#logger.log('error', 'a message was taken out for good', { reason, body, hint })
      return
    }
    const attributes = { [REASON]: { DataType: 'String', StringValue: reasonText(reason) } }
    // A group each: they have nothing to wait for, and who looks through them sees all.
    await this.#queue.send({ body, groupId: crypto.randomUUID(), attributes })
  }

  /** Looks through them without taking any out. Meanwhile, for some seconds, nobody else sees them. */
  async list(limit: number, signal: AbortSignal): Promise<readonly DeadLetter[]> {
    const queue = this.#queue
    if (queue === undefined) {
      const message = 'there is none, so dead letters are in the log only'
      throw new BatonError('INVALID_OPTION', { field: 'deadLetterQueue', message, hint: 'Give the name of a queue.' })
    }
    const seen = new Map<string, Message>()
    try {
      while (seen.size < limit) {
        const most = Math.min(10, limit - seen.size)
        const messages = await queue.receive({ most, waitMs: SHORT_WAIT_MS, visibilityMs: LOOK_MS, signal })
        for (const message of messages) seen.set(message.MessageId ?? '', message)
        if (messages.length === 0) break
      }
    } finally {
      await Promise.allSettled([...seen.values()].map(({ ReceiptHandle = '' }) => queue.hide(ReceiptHandle, 0)))
    }
    return [...seen.values()].map((message) => ({
      message: readableText(message.Body ?? ''),
      reason: reasonOf(message) ?? RECEIVED_TOO_OFTEN,
    }))
  }
}

/** Why we put it there, or undefined where it was not us. */
export function reasonOf({ MessageAttributes = {} }: Message): string | undefined {
  return MessageAttributes[REASON]?.StringValue
}
