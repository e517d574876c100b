/**
 * Runs that are kept in Redis, so that any process on any machine can carry them on.
 *
 *   npm start                                a worker and two clients, in one process here
 *   REDIS_URL=redis://box:6379 npm start     on that Redis
 *
 * The second client is no client of ours: it puts a job into the queue with BullMQ alone, as a service in another
 * language could.
 */
import { randomUUID } from 'node:crypto'
import { BullMQAdapter } from '@baton/adapter-bullmq'
import { BatonClient, createFlow, type NodeArguments } from '@baton/core'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'

interface Order {
  readonly item: string
  readonly count: number
}

const orders = createFlow<Order | undefined>('orders', { version: '1' })
  .node('take', ({ input }: NodeArguments<Order | undefined>) => ({ output: input ?? { item: 'surprise', count: 1 } }))
  .node('reserve', ({ input }: NodeArguments<Order>) => ({ output: `${input.count} × ${input.item} in the box` }))
  .node('charge', ({ input }: NodeArguments<Order>) => ({ output: `${input.count * 3} € charged` }), {
    retry: { attempts: 3 },
  })
  .node('ship', ({ input }: NodeArguments<{ reserve: string; charge: string }>) => ({
    output: `${input.reserve}, ${input.charge}: shipped`,
  }))
  .edge('take', 'reserve')
  .edge('take', 'charge')
  .edge('reserve', 'ship')
  .edge('charge', 'ship')

const connection = new Redis(process.env.REDIS_URL ?? 'redis://localhost:6379', { maxRetriesPerRequest: null })
// A new one for each run of the example, so that it can be played by several at a time; yours would have one.
const prefix = `example-${randomUUID().slice(0, 8)}`

// The worker. Start as many of these as you like, on any machine that reaches this Redis.
const adapter = new BullMQAdapter({ connection, prefix, runtimeOptions: { flows: [orders] } })
adapter.start()

// A client. It needs the store, not the worker: what it has started is carried out whenever a worker is up.
const { store, queue } = adapter
const client = new BatonClient({ store, queue, flows: [orders] })
const run = await client.start(orders, { item: 'lamp', count: 2 })
console.log(await run.result())

// A producer that knows BullMQ and no more: three ids make a run, and make it once.
const producer = new Queue(prefix, { connection })
const runId = randomUUID()
const job = { runId, blueprintId: 'orders', nodeId: 'take' }
await producer.addBulk([
  { name: 'start', data: job },
  { name: 'start', data: job },
])
while ((await store.list({ flowId: 'orders' })).runs.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
console.log(await client.get<string>(runId).result())

const { runs } = await store.list({ flowId: 'orders' })
console.log(`${runs.length} runs, ${runs.filter(({ status }) => status === 'completed').length} completed`)

await producer.close()
await adapter.close()
connection.disconnect()
