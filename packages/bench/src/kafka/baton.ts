import { RedisCoordinationStore, RedisRunStore } from '@baton/adapter-bullmq'
import { KafkaAdapter } from '@baton/adapter-kafka'
import type { EngineOptions } from '@baton/core/adapter'
import { batonWith } from '../engines/baton.ts'
import type { ContenderOptions } from '../redis/contender.ts'
import { brokers, emptyTopic } from './server.ts'

/** Runs in Redis, jobs in Kafka, as a user sets it up: client and worker share a process, and few jobs have to leave it. */
export const contender = batonWith('own-places', onKafka)

/** The same as with a client in another process: every start, and every branch, goes through Kafka. */
export const byQueue = batonWith('queue', onKafka)

async function onKafka({ url }: ContenderOptions, settings: EngineOptions): Promise<KafkaAdapter> {
  return new KafkaAdapter({
    kafka: { brokers: brokers() },
    topic: await emptyTopic(),
    store: new RedisRunStore({ connection: url }),
    coordinationStore: new RedisCoordinationStore(url),
    ...settings,
  })
}
