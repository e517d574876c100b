/**
 * What the kit asks of an engine on Kafka, with runs in Redis: workers that die, answers that are lost, and all of the promises. What it asks of
 * the queue alone has nothing to do with a store, and is in the adapter's own tests; the scenario file on this pair is in the matrix.
 */
import { startKafka, startRedis } from '@baton/services'
import { adapterConformance } from '@baton/testing'
import { afterAll, describe } from 'vitest'
import { kafkaQueue, pairSubject, redisStore } from '../src/index.ts'

const kafka = await startKafka()
const redis = await startRedis({ appendOnly: true, settings: { appendfsync: 'everysec' } })
afterAll(async () => {
  await kafka[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
})

const { skipReason = redis.skipReason } = kafka

describe.skipIf(skipReason !== undefined)(skipReason ?? 'on Kafka with Redis', () => {
  if (skipReason === undefined) adapterConformance(pairSubject(redisStore(...redis.ports), kafkaQueue(kafka.brokers)))
})
