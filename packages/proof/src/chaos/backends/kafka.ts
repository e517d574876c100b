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
const BROKERS = [3, 1] as const
/** Every tenth message is delivered again, as Kafka does when a group changes. */
const AGAIN_EVERY = 10

/**
 * Three brokers, of which one at a time is killed and started again, or a single one, which is stopped and killed in turn. Beside them a
 * Redis with an append-only file.
 */
export const backend: Backend = {
  name: 'kafka',
  brokers: BROKERS,
  // Each that leaves or joins makes the group deal its partitions out anew.
  stormSeconds: 120,
  async prepare({ brokers: nodes = BROKERS[0] } = {}) {
    const [kafka, redis] = await Promise.all([startKafka({ nodes }), startRedis({ appendOnly: true })])
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
        replicationFactor: nodes,
        minInsyncReplicas: Math.max(1, nodes - 1),
      })
      let turn = 0
      const restart = async () => {
        const node = turn % nodes
        if (nodes === 1 && turn % 2 === 0) await kafka.stop(node)
        else await kafka.kill(node)
        turn += 1
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
      // In proportion to the leases: ten seconds would be ten of them.
      timeoutMs: 3 * leaseMs,
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
