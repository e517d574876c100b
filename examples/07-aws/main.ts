/**
 * Runs that are kept in a table of DynamoDB, and jobs in a queue of SQS: no server to run, and any process that reaches them can carry
 * the runs on.
 *
 *   npm start                        in the account and region of your environment
 *   AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000 AWS_ENDPOINT_URL_SQS=http://127.0.0.1:9324 npm start
 *                                    on servers that play them
 *
 * The second client is no client of ours: it puts a message into the queue with the AWS SDK alone, as a service in another language
 * could.
 */
import { randomUUID } from 'node:crypto'
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DeleteQueueCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { ensureInfrastructure, SqsAdapter } from '@baton/adapter-sqs-dynamo'
import { BatonClient, createFlow, type NodeArguments } from '@baton/core'

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

const dynamo = new DynamoDBClient()
// Servers that play SQS give their queues URLs with hosts that only they know.
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false })
// A new one for each run of the example, gone at its end; yours would have one, made by a template, and keep it.
const table = `baton-example-${randomUUID().slice(0, 8)}`
const made = await ensureInfrastructure({ table, dynamo, sqs })
const queues = [made.queue, made.deadLetterQueue]

// The worker. Start as many of these as you like, or none, and let functions of AWS Lambda take the jobs.
const adapter = new SqsAdapter({
  table,
  deadLetterQueue: `${table}-dead`,
  dynamo,
  sqs,
  runtimeOptions: { flows: [orders] },
})
adapter.start()

// A client. It needs the store, not the worker: what it has started is carried out whenever a worker is up.
const { store, queue } = adapter
const client = new BatonClient({ store, queue, flows: [orders] })
const run = await client.start(orders, { item: 'lamp', count: 2 })
console.log(await run.result())

// A producer that knows SQS and no more: three ids make a run, and make it once.
const runId = randomUUID()
const MessageBody = JSON.stringify({ runId, blueprintId: 'orders', nodeId: 'take' })
const Entries = ['first', 'again'].map((Id) => ({ Id, MessageBody }))
await sqs.send(new SendMessageBatchCommand({ QueueUrl: made.queue?.url, Entries }))
while ((await store.list({ flowId: 'orders' })).runs.length < 2) await new Promise((resolve) => setTimeout(resolve, 50))
console.log(await client.get<string>(runId).result())

const { runs } = await store.list({ flowId: 'orders' })
console.log(`${runs.length} runs, ${runs.filter(({ status }) => status === 'completed').length} completed`)

await adapter.close()
for (const each of queues) await sqs.send(new DeleteQueueCommand({ QueueUrl: each?.url }))
await dynamo.send(new DeleteTableCommand({ TableName: table }))
dynamo.destroy()
sqs.destroy()
