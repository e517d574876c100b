import { BatonError } from '@baton/core'
import { LateError, within } from '@baton/core/adapter'
import { isKafkaError, kafkaFailure } from './kafka-errors.ts'
import type { Certificates } from './kafkajs-certificates.ts'

/**
 * A producer or an admin, connected when it is first used, and made anew after it has failed: kafkajs has been seen to stay with a
 * broker that is frozen although others would answer.
 */
export class Connected<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }> {
  readonly #make: () => Client
  readonly #certificates: Certificates
  /** What was asked and is still under way, also of clients that were thrown away. */
  readonly #calls = new Set<Promise<unknown>>()
  #client: Promise<Client> | undefined
  #isClosed = false

  constructor(make: () => Client, certificates: Certificates) {
    this.#make = make
    this.#certificates = certificates
  }

  async use<Answer>(call: (client: Client) => Promise<Answer>, timeoutMs: number): Promise<Answer> {
    if (this.#isClosed) throw new BatonError('CLOSED')
    this.#client ??= this.#connect()
    const client = this.#client
    let isGivenUp = false
    // Whoever was told that it failed is not to find it done when there is a connection after all.
    const asked = client
      .then((made) => (isGivenUp ? Promise.reject(new LateError('nobody waits any more')) : call(made)))
      .finally(() => this.#calls.delete(asked))
    this.#calls.add(asked)
    try {
      return await within(timeoutMs, this.#certificates.during(asked))
    } catch (error) {
      const failure = kafkaFailure(error)
      // What Kafka itself refuses is no failure of the client; but of a topic that is gone it goes on asking, with whatever it is asked for.
      if (failure.code === 'QUEUE_UNAVAILABLE' || isKafkaError(error, 'UNKNOWN_TOPIC_OR_PARTITION')) this.#drop(client)
      throw failure
    } finally {
      isGivenUp = true
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const client = await this.#client?.catch(() => undefined)
    if (client !== undefined) await this.#disconnect(client)
  }

  #connect(): Promise<Client> {
    const client = connected(this.#make())
    // Whoever was not let in may be, the next time.
    client.catch(() => this.#drop(client))
    return client
  }

  #drop(client: Promise<Client>): void {
    if (this.#client === client) this.#client = undefined
    void client.then((made) => this.#disconnect(made)).catch(() => {})
  }

  /** kafkajs goes on with what it was asked, and connects again for the next try: a socket that would keep the process up. */
  async #disconnect(client: Client): Promise<void> {
    const calls = [...this.#calls]
    await client.disconnect()
    if (calls.length > 0) void Promise.allSettled(calls).then(() => client.disconnect().catch(() => {}))
  }
}

async function connected<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }>(
  client: Client,
): Promise<Client> {
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.disconnect().catch(() => {})
    throw error
  }
}
