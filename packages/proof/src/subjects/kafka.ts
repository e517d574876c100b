/** Jobs in Kafka: topics per world. */
import { randomUUID } from 'node:crypto'
import { createKafkaJsClient, ensureTopics, KafkaJobQueue } from '@baton/adapter-kafka'
import type { QueuePart } from './pair.ts'

const PARTITIONS = 2

export function kafkaQueue(addresses: readonly string[]): QueuePart {
  const brokers = [...addresses]
  return {
    name: 'Kafka',
    tickMs: 50,
    async begin(topic) {
      const topics = { topic, highTopic: `${topic}-high`, lowTopic: `${topic}-low`, deadLetterTopic: `${topic}-dead` }
      const client = createKafkaJsClient({ brokers })
      await ensureTopics({ client, ...topics, partitions: PARTITIONS })
      // Somebody outside, who takes no jobs.
      const outside = new KafkaJobQueue({ client, ...topics })
      return {
        open: () =>
          new KafkaJobQueue({
            client: { brokers },
            ...topics,
            heartbeatMs: 100,
            waitMs: 100,
            commitMs: 20,
          }),
        push: (message) => client.send(topic, [{ key: randomUUID(), text: JSON.stringify(message), headers: {} }]),
        deadLetters: () => outside.deadLetters(),
        async end() {
          await outside.close()
          await client.close()
        },
      }
    },
  }
}
