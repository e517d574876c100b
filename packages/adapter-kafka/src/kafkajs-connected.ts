import { BatonError } from '@baton/core'
import { LateError, within } from '@baton/core/adapter'
import { isKafkaError, kafkaFailure } from './kafka-errors.ts'
import type { Certificates } from './kafkajs-certificates.ts'

/** A client, and what it was asked and has under way. */
interface Connection<Client> {
  readonly client: Promise<Client>
  readonly calls: Set<Promise<unknown>>
}

/**
 * A producer or an admin, connected when it is first used, and made anew after it has failed: kafkajs has been seen to stay with a
 * broker that is frozen although others would answer.
 */
export class Connected<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }> {
  readonly #make: () => Client
  readonly #certificates: Certificates
  #connection: Connection<Client> | undefined
  #isClosed = false

  constructor(make: () => Client, certificates: Certificates) {
    this.#make = make
    this.#certificates = certificates
  }

  async use<Answer>(call: (client: Client) => Promise<Answer>, timeoutMs: number): Promise<Answer> {
    if (this.#isClosed) throw new BatonError('CLOSED')
    this.#connection ??= this.#connect()
    const connection = this.#connection
    const { client, calls } = connection
    let isGivenUp = false
    // Whoever was told that it failed is not to find it done when there is a connection after all.
    const asked = client
      .then((made) => (isGivenUp ? Promise.reject(new LateError('nobody waits any more')) : call(made)))
      .finally(() => calls.delete(asked))
    calls.add(asked)
    try {
      return await within(timeoutMs, this.#certificates.during(asked))
    } catch (error) {
      const failure = kafkaFailure(error)
      if (failure.code === 'QUEUE_UNAVAILABLE') this.#drop(connection)
      // What Kafka itself refuses is no failure of the client; but of a topic that is gone it goes on asking, with whatever it is
      // asked for. What others have asked it for is answered first.
      else if (isKafkaError(error, 'UNKNOWN_TOPIC_OR_PARTITION')) this.#drop(connection, Promise.allSettled([...calls]))
      throw failure
    } finally {
      isGivenUp = true
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#connection !== undefined) await disconnect(this.#connection).catch(() => {})
  }

  #connect(): Connection<Client> {
    const connection = { client: connected(this.#make()), calls: new Set<Promise<unknown>>() }
    // Whoever was not let in may be, the next time.
    connection.client.catch(() => this.#drop(connection))
    return connection
  }

  #drop(connection: Connection<Client>, after: Promise<unknown> = Promise.resolve()): void {
    if (this.#connection === connection) this.#connection = undefined
    void after.then(() => disconnect(connection)).catch(() => {})
  }
}

/** kafkajs goes on with what it was asked, and connects again for the next try: a socket that would keep the process up. */
async function disconnect<Client extends { disconnect(): Promise<void> }>({
  client,
  calls,
}: Connection<Client>): Promise<void> {
  const made = await client
  const underWay = [...calls]
  await made.disconnect()
  if (underWay.length > 0) void Promise.allSettled(underWay).then(() => made.disconnect().catch(() => {}))
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
