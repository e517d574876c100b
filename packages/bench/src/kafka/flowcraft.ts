import { randomUUID } from 'node:crypto'
import { KafkaAdapter, RedisCoordinationStore } from '@flowcraft/kafka-adapter'
import { Client } from 'cassandra-driver'
import kafkajs from 'kafkajs'
import { runsOn, runtimeOptionsFor } from '../engines/flowcraft.ts'
import { CONCURRENCY, type ContenderOptions, type OpenContender, type RedisContender } from '../redis/contender.ts'
import { FlowcraftRedis } from '../redis/flowcraft-redis.ts'
import { brokers, cassandra, emptyTopic } from './server.ts'

type AdapterOptions = ConstructorParameters<typeof KafkaAdapter>[0]
type Connection = ConstructorParameters<typeof RedisCoordinationStore>[0]
type Consumer = ReturnType<AdapterOptions['kafka']['consumer']>

const CONTEXTS = 'contexts'
const STATUSES = 'statuses'

/**
 * flowcraft with its Kafka adapter: jobs in Kafka, each run as one JSON text in Cassandra, locks in Redis. Left alone it works on one job
 * at a time, and on one of each partition; it is given as many places and partitions as the others have places.
 *
 * Lines only: its context is read and written whole, so that branches lose what others have written.
 */
export const contender: RedisContender = {
  async open(options: ContenderOptions): Promise<OpenContender> {
    const { url, shape } = options
    const { client, keyspace } = await emptyKeyspace()
    const connection = new FlowcraftRedis(url, { maxRetriesPerRequest: null }) as unknown as Connection
    const adapter = new KafkaAdapter({
      kafka: new kafkajs.Kafka({ brokers: brokers(), logLevel: kafkajs.logLevel.ERROR }),
      topicName: await emptyTopic(CONCURRENCY),
      groupId: keyspace,
      cassandraClient: client,
      keyspace,
      contextTableName: CONTEXTS,
      statusTableName: STATUSES,
      coordinationStore: new RedisCoordinationStore(connection),
      runtimeOptions: runtimeOptionsFor(options),
    })
    const run = runsOn(adapter, shape)
    await startAndJoin(adapter)
    return {
      run,
      async [Symbol.asyncDispose]() {
        await adapter.stop()
        await client.shutdown()
        connection.disconnect()
      },
    }
  },
}

/** What is sent before its consumer has read for the first time, it never gets. */
async function startAndJoin(adapter: KafkaAdapter): Promise<void> {
  const { consumer } = adapter as unknown as { readonly consumer: Consumer }
  const run = consumer.run.bind(consumer)
  consumer.run = (config) => run({ ...config, partitionsConsumedConcurrently: CONCURRENCY })
  const reads = new Promise<void>((resolve) => {
    consumer.on(consumer.events.FETCH, () => resolve())
  })
  adapter.start()
  await reads
}

/** Its README has a table of statuses without the column `status` that it writes. */
async function emptyKeyspace(): Promise<{ readonly client: Client; readonly keyspace: string }> {
  const keyspace = `bench_${randomUUID().slice(0, 8)}`
  const client = new Client({ contactPoints: [cassandra()], localDataCenter: 'datacenter1' })
  await client.execute(
    `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  )
  await client.execute(`CREATE TABLE ${keyspace}.${CONTEXTS} (run_id text PRIMARY KEY, context_data text)`)
  await client.execute(
    `CREATE TABLE ${keyspace}.${STATUSES} (run_id text PRIMARY KEY, status text, status_data text, updated_at timestamp)`,
  )
  return { client, keyspace }
}
