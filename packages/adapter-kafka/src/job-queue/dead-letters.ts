import { BatonError } from '@baton/core'
import { type ILogger, readableText } from '@baton/core/adapter'
import type { IKafkaClient, Partition, ReceivedMessage } from '../client-port.ts'
import { readTopic } from '../read-topic.ts'
import { deadMessage, REASON } from './message-form.ts'
import type { Sender } from './sender.ts'

/** A message that was taken out for good: what it said, and why. */
export interface DeadLetter {
  readonly message: unknown
  readonly reason: string
}

/** Where messages go that nobody is to get again. */
export class DeadLetters {
  readonly #topic: string | undefined
  readonly #sender: Sender
  readonly #logger: ILogger

  /** @param topic undefined where there is none */
  constructor(topic: string | undefined, sender: Sender, logger: ILogger) {
    this.#topic = topic
    this.#sender = sender
    this.#logger = logger
  }

  /** Resolves when it is kept: in its topic, or else in the log. */
  async put(message: ReceivedMessage, { topic, partition }: Partition, reason: string): Promise<void> {
    if (this.#topic === undefined) {
      const hint = 'Name a deadLetterTopic, and such messages are kept there.'
      this.#logger.log('error', 'a message was taken out for good', { reason, body: message.text, hint })
      return
    }
    await this.#sender.send(this.#topic, deadMessage(message, reason, `${topic}/${partition}`))
  }

  /** Looks through them without taking any out. */
  async list(client: IKafkaClient, limit: number, signal: AbortSignal): Promise<readonly DeadLetter[]> {
    if (this.#topic === undefined) {
      const message = 'there is none, so dead letters are in the log only'
      throw new BatonError('INVALID_OPTION', { field: 'deadLetterTopic', message, hint: 'Give the name of a topic.' })
    }
    const messages = await readTopic(client, this.#topic, { limit, signal })
    return messages.map(({ text, headers }) => {
      return { message: readableText(text), reason: headers[REASON] ?? 'nobody said why' }
    })
  }
}
