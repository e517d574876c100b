/** Every queue with every store, and the scenario file on each: what `npm run matrix` runs. */
import { startDynamo, startKafka, startRedis, startSqs } from '@baton/services'
import { afterAll, describe, it } from 'vitest'
import {
  bullQueue,
  dynamoStore,
  fileQueue,
  fileStore,
  inStoreQueue,
  kafkaQueue,
  memoryStore,
  pairSubject,
  type QueuePart,
  redisStore,
  type StorePart,
  sqsQueue,
} from '../src/index.ts'
import { runScenarios } from '../test/run-scenarios.ts'

const redis = await startRedis({ appendOnly: true, settings: { appendfsync: 'everysec' } })
const dynamo = await startDynamo({ kind: 'dynoxide' })
const sqs = await startSqs({ kind: 'fauxqs' })
const kafka = await startKafka()
afterAll(async () => {
  for (const service of [redis, dynamo, sqs, kafka]) await service[Symbol.asyncDispose]()
})

/** A part, and why it cannot be had here. */
interface Had<Part> {
  readonly name: string
  readonly skipReason?: string | undefined
  readonly part: () => Part
}

const stores: readonly Had<StorePart>[] = [
  { name: 'memory', part: () => memoryStore },
  { name: 'files', part: () => fileStore },
  { name: 'Redis', skipReason: redis.skipReason, part: () => redisStore(...redis.ports) },
  { name: 'DynamoDB', skipReason: dynamo.skipReason, part: () => dynamoStore(dynamo) },
]

const queues: readonly Had<QueuePart>[] = [
  { name: 'in-store', part: () => inStoreQueue },
  { name: 'files', part: () => fileQueue },
  { name: 'BullMQ', skipReason: redis.skipReason, part: () => bullQueue(...redis.ports) },
  { name: 'SQS', skipReason: sqs.skipReason, part: () => sqsQueue(sqs) },
  { name: 'Kafka', skipReason: kafka.skipReason, part: () => kafkaQueue(kafka.brokers) },
]

for (const queue of queues) {
  for (const store of stores) {
    const { skipReason = store.skipReason } = queue
    // The reporter tells pairs apart by this name, and prints why one cannot be had by the name of what is skipped.
    describe(`${queue.name} × ${store.name}`, () => {
      if (skipReason === undefined) runScenarios(pairSubject(store.part(), queue.part()))
      else it.skip(skipReason, () => {})
    })
  }
}
