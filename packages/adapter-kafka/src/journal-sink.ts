import { BatonError, type IJournalSink, type JournalEntry } from '@baton/core'
import type { RunId } from '@baton/core/adapter'
import type { IKafkaClient, OutgoingMessage } from './client-port.ts'
import { batchesOf, messageOfEntry, truncated } from './journal-sink/message-form.ts'
import {
  type CheckedJournalSinkOptions,
  checkJournalSinkOptions,
  type KafkaJournalSinkOptions,
} from './journal-sink-options.ts'
import { isClient, openClient } from './kafka-client.ts'
import { kafkaFailure } from './kafka-errors.ts'

/**
 * The journals of runs in a topic, one message per event. The key is the run, so that all of a run is in one partition, in order; the
 * header `baton-id` is what to drop doubles by.
 *
 * An event that is too large for the topic is there without its content, and says so: it must not hold up all that come after it.
 */
export class KafkaJournalSink implements IJournalSink {
  readonly #options: CheckedJournalSinkOptions
  readonly #client: IKafkaClient
  #isClosed = false

  constructor(options: KafkaJournalSinkOptions) {
    this.#options = checkJournalSinkOptions(options)
    const { client, timeoutMs, logger } = this.#options
    this.#client = openClient(client, { timeoutMs, logger })
  }

  /** Resolves when all in-sync replicas have all of them. No request is begun before the one before it was answered. */
  async publish(_runId: RunId, entries: readonly JournalEntry[]): Promise<void> {
    const { mostBytes } = this.#options
    for (const batch of batchesOf(entries.map((entry) => messageOfEntry(entry, mostBytes)))) {
      await this.#send(batch)
    }
  }

  /** A client that was given stays as it is. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (!isClient(this.#options.client)) await this.#client.close()
  }

  async #send(batch: readonly OutgoingMessage[]): Promise<void> {
    if (this.#isClosed) throw new BatonError('CLOSED')
    try {
      await this.#client.send(this.#options.topic, batch)
    } catch (error) {
      const failure = kafkaFailure(error)
      if (failure.code !== 'TOO_LARGE') throw failure
      await this.#sendSmaller(batch, failure)
    }
  }

  /** The topic takes less than we thought: one by one, and what is too large by itself without its content. */
  async #sendSmaller(batch: readonly OutgoingMessage[], failure: BatonError): Promise<void> {
    const [only, ...others] = batch
    if (only === undefined) return
    if (others.length > 0) {
      for (const message of batch) await this.#send([message])
      return
    }
    const smaller = truncated(only)
    if (smaller === undefined) throw failure
    await this.#client.send(this.#options.topic, [smaller])
  }
}
