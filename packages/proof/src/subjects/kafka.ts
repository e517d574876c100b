/** Jobs in Kafka: topics per world. */
import { createKafkaJsClient, ensureTopics, KafkaJobQueue } from '@baton/adapter-kafka'
import type { QueuePart } from './pair.ts'

const PARTITIONS = 2

export function kafkaQueue(addresses: readonly string[]): QueuePart {
  const brokers = [...addresses]
  return {
    name: 'Kafka',
    tickMs: 50,
    async begin(topic) {
      const deadLetterTopic = `${topic}-dead`
      const client = createKafkaJsClient({ brokers })
      await ensureTopics({ client, topic, deadLetterTopic, partitions: PARTITIONS })
      await client.close()
      return {
        open: () =>
          new KafkaJobQueue({
            client: { brokers },
            topic,
            deadLetterTopic,
            heartbeatMs: 100,
            waitMs: 100,
            commitMs: 20,
          }),
        end: () => {},
      }
    },
  }
}
