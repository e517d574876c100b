import { RedisCoordinationStore, RedisRunStore } from '@baton/adapter-bullmq'
import { ensureTopics, KafkaJobQueue } from '@baton/adapter-kafka'
import { startKafka, startRedis } from '@baton/services'
import type { Backend } from '../backend.ts'
import { deliversAgain } from '../delivers-again.ts'

/** What a process is told of the place. */
interface Place {
  readonly brokers: string[]
  readonly redis: string
}

const TOPICS = { topic: 'chaos', deadLetterTopic: 'chaos-dead' }
const NODES = 3
/** Every tenth message is delivered again, as Kafka does when a group changes. */
const AGAIN_EVERY = 10

/** Three brokers, of which one at a time is killed and started again, beside a Redis with an append-only file. */
export const backend: Backend = {
  name: 'kafka',
  async prepare() {
    const [kafka, redis] = await Promise.all([startKafka({ nodes: NODES }), startRedis({ appendOnly: true })])
    const remove = async () => {
      await kafka[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    }
    try {
      for (const { skipReason } of [kafka, redis]) if (skipReason !== undefined) throw new Error(skipReason)
      const brokers = [...kafka.brokers]
      await ensureTopics({
        client: { brokers },
        ...TOPICS,
        partitions: 6,
        replicationFactor: NODES,
        minInsyncReplicas: NODES - 1,
      })
      let turn = 0
      const restart = async () => {
        const node = turn++ % NODES
        await kafka.kill(node)
        await kafka.restart(node)
      }
      return { address: JSON.stringify({ brokers, redis: redis.url } satisfies Place), servers: [{ restart }], remove }
    } catch (error) {
      await remove()
      throw error
    }
  },
  async open(address, { leaseMs }) {
    const { brokers, redis } = JSON.parse(address) as Place
    const queue = new KafkaJobQueue({
      client: { brokers },
      ...TOPICS,
      sessionTimeoutMs: Math.max(3_000, leaseMs),
      heartbeatMs: 300,
      waitMs: 300,
    })
    return {
      store: new RedisRunStore({ connection: redis, redispatchMs: leaseMs, redispatchMaxMs: 8 * leaseMs }),
      queue: deliversAgain(queue, AGAIN_EVERY),
      coordinationStore: new RedisCoordinationStore(redis),
    }
  },
}
