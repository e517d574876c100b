import type { IKafkaClient, OutgoingMessage } from '../client-port.ts'
import { kafkaFailure } from '../kafka-errors.ts'

/** Of one request: brokers take a megabyte by default, and every message has some bytes beside its own. */
const MOST_BYTES = 512 * 1_024
const MOST_MESSAGES = 5_000
const BESIDE_BYTES = 100

/**
 * Sends messages, one request of a topic at a time: what comes while one is under way goes with the next. So a single job goes at once,
 * and a thousand starts at the same moment are a few requests. No topic waits for another, nor fails with it.
 */
export class Sender {
  readonly #client: Pick<IKafkaClient, 'send'>
  readonly #topics = new Map<string, TopicSender>()

  constructor(client: Pick<IKafkaClient, 'send'>) {
    this.#client = client
  }

  /** Resolves when Kafka has it. */
  send(topic: string, message: OutgoingMessage): Promise<void> {
    const sender = this.#topics.get(topic) ?? new TopicSender(this.#client, topic)
    this.#topics.set(topic, sender)
    return sender.send(message)
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#topics.values()].map((sender) => sender.settled()))
  }
}

interface Sending {
  readonly message: OutgoingMessage
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

class TopicSender {
  readonly #client: Pick<IKafkaClient, 'send'>
  readonly #topic: string
  #gathered: Sending[] = []
  #working: Promise<void> | undefined

  constructor(client: Pick<IKafkaClient, 'send'>, topic: string) {
    this.#client = client
    this.#topic = topic
  }

  send(message: OutgoingMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gathered.push({ message, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  async #work(): Promise<void> {
    // Whatever is sent in the same turn goes along.
    await Promise.resolve()
    while (this.#gathered.length > 0) {
      const batch = this.#takeBatch()
      try {
        await this.#client.send(
          this.#topic,
          batch.map(({ message }) => message),
        )
        for (const { resolve } of batch) resolve()
      } catch (error) {
        const failure = kafkaFailure(error)
        for (const { reject } of batch) reject(failure)
      }
    }
    this.#working = undefined
  }

  #takeBatch(): readonly Sending[] {
    let bytes = 0
    let count = 0
    for (const { message } of this.#gathered) {
      bytes += Buffer.byteLength(message.text) + message.key.length + BESIDE_BYTES
      if (count > 0 && (bytes > MOST_BYTES || count >= MOST_MESSAGES)) break
      count += 1
    }
    return this.#gathered.splice(0, count)
  }
}
