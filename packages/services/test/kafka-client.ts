/** The client of the tests: kafkajs, which says what is wrong by its errors, and has nothing else to tell. */
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { vi } from 'vitest'

export function clientOf(brokers: readonly string[], more: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({ clientId: 'baton', brokers: [...brokers], logLevel: logLevel.NOTHING, ...more })
}

/** Goes through the topic from its beginning, or from where its group was, until `count` have been seen. */
export async function read(kafka: Kafka, { topic = '', groupId = '', count = 0 }): Promise<readonly string[]> {
  const seen: string[] = []
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 500, maxWaitTimeInMs: 100 })
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
    await vi.waitUntil(() => seen.length >= count, { timeout: 30_000, interval: 10 })
    return seen
  } finally {
    await consumer.disconnect()
  }
}
