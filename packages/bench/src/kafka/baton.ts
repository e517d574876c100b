import { RedisCoordinationStore, RedisRunStore } from '@baton/adapter-bullmq'
import { KafkaAdapter } from '@baton/adapter-kafka'
import { BatonClient } from '@baton/core'
import { flowOf } from '../redis/baton.ts'
import { CONCURRENCY, type ContenderOptions, type OpenContender, type RedisContender } from '../redis/contender.ts'
import { brokers, emptyTopic } from './server.ts'

/** Runs in Redis, jobs in Kafka, as a user sets it up: client and worker share a process, and few jobs have to leave it. */
export const contender = batonWith('own-places')

/** The same as with a client in another process: every start, and every branch, goes through Kafka. */
export const byQueue = batonWith('queue')

function batonWith(fanOut: 'own-places' | 'queue'): RedisContender {
  return { open: (options) => openBaton(options, fanOut) }
}

async function openBaton(options: ContenderOptions, fanOut: 'own-places' | 'queue'): Promise<OpenContender> {
  const flow = flowOf(options)
  const adapter = new KafkaAdapter({
    kafka: { brokers: brokers() },
    topic: await emptyTopic(),
    store: new RedisRunStore({ connection: options.url }),
    coordinationStore: new RedisCoordinationStore(options.url),
    runtimeOptions: { flows: [flow] },
    concurrency: CONCURRENCY,
    fanOut,
  })
  adapter.start()
  const client = new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] })
  return {
    async run() {
      const run = await client.start<number>(flow)
      return run.result()
    },
    [Symbol.asyncDispose]: () => adapter.close(),
  }
}
