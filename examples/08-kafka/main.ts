/**
 * Jobs in topics of Kafka, runs in Redis: a fleet of workers that may come and go while nodes run for as long as they like.
 *
 *   npm start                                                              on localhost
 *   KAFKA_BROKERS=box:9092,box2:9092 REDIS_URL=redis://box:6379 npm start   on those
 *
 * The workers are two here, and in one process; yours are as many as there are partitions, on any machine.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisCoordinationStore, RedisRunStore } from '@baton/adapter-bullmq'
import { ensureTopics, KafkaAdapter, KafkaJobQueue } from '@baton/adapter-kafka'
import { BatonClient, createFlow, type NodeArguments } from '@baton/core'
import kafkajs from 'kafkajs'

interface Film {
  readonly title: string
  readonly ms: number
}

const SURPRISE: Film = { title: 'surprise', ms: 0 }
/** The shortest that brokers take. A consumer that says nothing for so long has lost its partitions to others. */
const SESSION_MS = 6_000
const LONG_MS = 8_000

/** Who has rendered what. */
const rendered: { readonly title: string; readonly worker: string }[] = []

const filmsOf = (worker: string) =>
  createFlow<Film | undefined>('films', { version: '1' })
    .node('render', async ({ input: { title, ms } = SURPRISE, signal }: NodeArguments<Film | undefined>) => {
      rendered.push({ title, worker })
      await sleep(ms, undefined, { signal })
      return { output: `${title}, rendered in ${ms / 1_000} s` }
    })
    .node('publish', ({ input }: NodeArguments<string>) => ({ output: `${input}: published` }))
    .edge('render', 'publish')

const kafka = {
  brokers: (process.env.KAFKA_BROKERS ?? 'localhost:9092').split(','),
  logLevel: kafkajs.logLevel.NOTHING,
}
const connection = process.env.REDIS_URL ?? 'redis://localhost:6379'
// New ones for each run of the example, gone at its end; yours would be made once, and kept.
const prefix = `example-${randomUUID().slice(0, 8)}`
const topics = { topic: prefix, deadLetterTopic: `${prefix}-dead` }
await ensureTopics({ client: kafka, ...topics, partitions: 6 })

function startWorker(name: string): KafkaAdapter {
  const adapter = new KafkaAdapter({
    kafka,
    ...topics,
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: SESSION_MS,
    heartbeatMs: 500,
    store: new RedisRunStore({ connection, prefix }),
    coordinationStore: new RedisCoordinationStore(connection, { prefix }),
    runtimeOptions: { flows: [filmsOf(name)] },
  })
  adapter.start()
  return adapter
}

const workers = new Map(['first', 'second'].map((name) => [name, startWorker(name)]))

// A client. It has connections of its own, as it would in another process.
const store = new RedisRunStore({ connection, prefix })
const queue = new KafkaJobQueue({ client: kafka, ...topics })
const films = filmsOf('client')
const client = new BatonClient({ store, queue, flows: [films] })

const render = async (film: Film) => (await client.start(films, film)).result()
const workersOf = (title: string) => rendered.filter((each) => each.title === title).map(({ worker }) => worker)

// The fleet: Kafka deals its partitions out among those who are there.
while (new Set(workersOf('trailer')).size < workers.size) await render({ title: 'trailer', ms: 0 })
console.log(`${new Set(workersOf('trailer')).size} workers have rendered trailers`)

// A node that runs for longer than a session: its job was answered for when it was claimed, and heartbeats go on.
const long = await client.start(films, { title: 'epic', ms: LONG_MS })
while (workersOf('epic').length === 0) await sleep(10)

// Meanwhile the other worker leaves. The group deals the partitions out anew, and the epic goes on.
const [leaving = ''] = [...workers.keys()].filter((name) => !workersOf('epic').includes(name))
await workers.get(leaving)?.close()
workers.delete(leaving)
const shorts = await Promise.all(['one', 'two', 'three'].map((title) => render({ title, ms: 10 })))
console.log(`${workers.size} of them is left, and goes on:`)
for (const result of [...shorts, await long.result()]) console.log(`  ${result}`)
console.log(`a session is ${SESSION_MS / 1_000} s, and the epic was begun ${workersOf('epic').length} time`)

// A producer that knows Kafka and no more. Three ids make a run, and make it once; what is no job is in nobody's way.
const plain = new kafkajs.Kafka(kafka)
const producer = plain.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
await producer.connect()
const runId = randomUUID()
const job = JSON.stringify({ runId, blueprintId: 'films', nodeId: 'render' })
await producer.send({ topic: topics.topic, messages: [{ value: 'lights, camera' }, { value: job }, { value: job }] })
const isThere = async () => (await store.list({ flowId: 'films' })).runs.some((run) => run.runId === runId)
while (!(await isThere())) await sleep(20)
console.log(await client.get<string>(runId).result())
while ((await queue.deadLetters()).length === 0) await sleep(50)
for (const { message, reason } of await queue.deadLetters()) {
  console.log(`in the dead letter topic: ${JSON.stringify(message)}, since ${reason}`)
}

await producer.disconnect()
for (const worker of workers.values()) await worker.close()
await queue.close()
await store.close()

const admin = plain.admin()
await admin.connect()
await admin.deleteTopics({ topics: Object.values(topics) })
await admin.deleteGroups([topics.topic])
await admin.disconnect()
