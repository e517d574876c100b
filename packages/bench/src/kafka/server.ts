/** The one Kafka that all contenders of a run of the suite share, the one Redis, and the Cassandra of one of them. */
import { randomUUID } from 'node:crypto'
import { ensureTopics } from '@baton/adapter-kafka'
import { startCassandra, startKafka } from '@baton/services'
import { openRedis } from '../redis/server.ts'
import type { Place } from '../suite.ts'

const BROKERS_VARIABLE = 'BATON_BENCH_KAFKA_BROKERS'
const CASSANDRA_VARIABLE = 'BATON_BENCH_CASSANDRA'
const PARTITIONS = 12

/** In the process that takes the samples: servers of our own. */
export async function openKafka(): Promise<Place> {
  const say = (what: string) => process.stderr.write(`${what} …\n`)
  const open: AsyncDisposable[] = []
  const close = async () => {
    for (const each of open.toReversed()) await each[Symbol.asyncDispose]()
  }
  try {
    // With settings it is one of our own, whatever tests have been given.
    const kafka = await startKafka({ nodes: 1 }, say)
    open.push(kafka)
    if (kafka.skipReason !== undefined) throw new Error(kafka.skipReason)
    const redis = await openRedis()
    open.push(redis)
    say('Cassandra is starting, for flowcraft')
    const cassandra = await startCassandra(() => say('Maven fetches Cassandra, 66 MB, this once'))
    if ('missing' in cassandra) throw new Error(cassandra.missing)
    open.push(cassandra)
    const env = { ...redis.env, [BROKERS_VARIABLE]: kafka.brokers.join(), [CASSANDRA_VARIABLE]: cassandra.contactPoint }
    return { env, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** In a sample. */
export function brokers(): string[] {
  return told(BROKERS_VARIABLE).split(',')
}

/** In a sample: `host:port` of the Cassandra. */
export function cassandra(): string {
  return told(CASSANDRA_VARIABLE)
}

/** In a sample: a topic with nothing in it. */
export async function emptyTopic(partitions = PARTITIONS): Promise<string> {
  const topic = `bench-${randomUUID().slice(0, 8)}`
  await ensureTopics({ client: { brokers: brokers() }, topic, partitions })
  return topic
}

function told(variable: string): string {
  const given = process.env[variable]
  if (given === undefined) throw new Error(`${variable} does not say which`)
  return given
}
