/** `kafka:` URLs: jobs in Kafka, beside a store of another URL, and journals. */
import { BatonError } from '@baton/core'
import type { Address } from '../addresses.ts'
import { type KafkaPlace, kafkaPlaceOf } from '../kafka-url.ts'
import { loadAdapter } from '../missing-adapter.ts'
import { mistake } from '../mistake.ts'
import type { Backend } from './backend.ts'

type Adapter = typeof import('@baton/adapter-kafka')
type KafkaConfig = Parameters<Adapter['createKafkaJsClient']>[0]

/** How long an answer may take to whoever only looks, and how often it is asked for a topic that may be there in a moment. */
const LOOK_WITHIN_MS = 5_000
const LOOK_RETRIES = 3

export const kafka: Backend = {
  async check(address, look) {
    const adapter = await load(address)
    const place = kafkaPlaceOf(address)
    // What is not there can be made, but not by who only looks.
    if (place.create && !look.mustExist) return
    const client = adapter.createKafkaJsClient(
      { ...configOf(place), retry: { retries: LOOK_RETRIES } },
      { timeoutMs: LOOK_WITHIN_MS },
    )
    try {
      for (const topic of Object.values(place.topics)) {
        if ((await client.reach(topic)) !== undefined) continue
        const hint = 'Create it, add ?create=true to the URL, or see that brokers and name are right.'
        throw mistake(address.field, `there is no topic ${topic} on this Kafka`, hint)
      }
    } catch (error) {
      const refused = refusal(error, address)
      if (refused !== undefined) throw refused
    } finally {
      await client.close()
    }
  },
  async store(address) {
    // Never comes here: a URL that is none of a store's is refused before.
    throw mistake(address.field, 'Kafka carries jobs and keeps no runs')
  },
  async queue(address, { logger }) {
    const adapter = await load(address)
    const place = kafkaPlaceOf(address)
    const { topics, groupId } = place
    const client = configOf(place)
    await createTopics(adapter, address, topics)
    return new adapter.KafkaJobQueue({ client, ...topics, ...(groupId === undefined ? {} : { groupId }), logger })
  },
  async journal(address, { logger }) {
    const adapter = await load(address)
    const place = kafkaPlaceOf(address)
    const { topic } = place.topics
    await createTopics(adapter, address, { journalTopic: topic })
    return new adapter.KafkaJournalSink({ client: configOf(place), topic, logger })
  },
}

/** Where the URL wants it. */
async function createTopics(
  { ensureTopics }: Adapter,
  address: Address,
  topics: Omit<Parameters<Adapter['ensureTopics']>[0], 'client'>,
): Promise<void> {
  const place = kafkaPlaceOf(address)
  const { create, partitions } = place
  if (!create) return
  try {
    const sizes = partitions === undefined ? {} : { partitions }
    await ensureTopics({ client: configOf(place), ...topics, ...sizes })
  } catch (error) {
    throw refusal(error, address) ?? error
  }
}

function load(address: Address) {
  return loadAdapter(address, ['@baton/adapter-kafka', 'kafkajs'], () => import('@baton/adapter-kafka'))
}

function configOf({ brokers, username, password, mechanism, isEncrypted }: KafkaPlace): KafkaConfig {
  return {
    brokers: [...brokers],
    ssl: isEncrypted,
    // kafkajs has a type of its own for each mechanism, and the same members in all of them.
    ...(username === undefined
      ? {}
      : { sasl: { mechanism: mechanism as 'plain', username, password: password ?? '' } }),
  }
}

/** @returns undefined for what is no mistake of whoever asks: a queue may be down for a while */
function refusal(error: unknown, { field }: Address): unknown {
  if (BatonError.is(error, 'INVALID_OPTION')) {
    if (error.field === field) return error
    return mistake(
      field,
      error.message.replace(/^[a-zA-Z]+: /, ''),
      error.hint.replace('ensureTopics()', '?create=true'),
    )
  }
  return undefined
}
