/** Four workers, as four processes would be: each with a store, a queue and clients of its own; and a client. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { SqsAdapter } from '@baton/adapter-sqs-dynamo'
import { BatonClient, createFlow, type Flow } from '@baton/core'
import { DynamoSpending } from '@baton/services'
import type { Meter } from '../meters/meter.ts'
import { spreadOf } from '../statistics.ts'
import { dynamoOptions, emptyAws, sqsOptions } from './server.ts'

const WORKERS = 4
const CONCURRENCY = 20
const WIDTH = 200
const LENGTH = 10
const LINES = 50
const ROUNDS = 5

const wide = wideFlow()
const single = lineFlow('single', 1)
const line = lineFlow('line', LENGTH)
const flows = [wide, single, line]

/** One node, two hundred side by side, one that has all of theirs. */
export const wideRun: Meter = () => measure(wide, 1, WIDTH + 2)

/** As many runs of one node each. */
export const singleRuns: Meter = () => measure(single, WIDTH, WIDTH)

/** Lines of ten nodes. */
export const lines: Meter = () => measure(line, LINES, LINES * LENGTH)

async function measure(flow: Flow, runs: number, nodes: number) {
  const place = await emptyAws()
  const spending = new DynamoSpending()
  let queueRequests = 0
  const fleet = Array.from({ length: WORKERS }, () => {
    const dynamo = new DynamoDBClient(dynamoOptions())
    spending.watch(dynamo)
    const sqs = new SQSClient(sqsOptions())
    sqs.middlewareStack.add(
      (next) => (args) => {
        queueRequests += 1
        return next(args)
      },
      { step: 'initialize', name: 'requests' },
    )
    const options = {
      ...place,
      dynamo,
      sqs,
      runtimeOptions: { flows },
      concurrency: CONCURRENCY,
      fanOut: 'queue',
    } as const
    return new SqsAdapter(options)
  })
  for (const worker of fleet) worker.start()
  const [{ store, queue }] = fleet as [SqsAdapter, ...SqsAdapter[]]
  const client = new BatonClient({ store, queue, flows })
  const finish = async () => {
    const handles = await Promise.all(Array.from({ length: runs }, () => client.start(flow)))
    await Promise.all(handles.map((handle) => handle.result()))
  }
  await finish()
  const took: number[] = []
  spending.reset()
  queueRequests = 0
  for (let round = 0; round < ROUNDS; round++) {
    const fromMs = performance.now()
    await finish()
    took.push(performance.now() - fromMs)
  }
  const done = nodes * ROUNDS
  const { reads, writes, readUnits, writeUnits, refused } = spending
  for (const worker of fleet) await worker.close()
  return [
    { unit: 'ms', value: spreadOf(took).median },
    { unit: 'writes/node', value: writes / done },
    { unit: 'reads/node', value: reads / done },
    { unit: 'write units/node', value: writeUnits / done },
    { unit: 'read units/node', value: readUnits / done },
    { unit: 'writes in vain/node', value: refused / done },
    { unit: 'SQS requests/node', value: queueRequests / done },
  ]
}

function wideFlow(): Flow {
  let flow: Flow = createFlow('wide').node('source', () => ({ output: 1 }))
  for (let index = 0; index < WIDTH; index++) {
    flow = flow.node(`b${index}`, () => ({ output: index })).edge('source', `b${index}`)
  }
  flow = flow.node('join', () => {})
  for (let index = 0; index < WIDTH; index++) flow = flow.edge(`b${index}`, 'join')
  return flow
}

function lineFlow(name: string, length: number): Flow {
  let flow: Flow = createFlow(name)
  for (let index = 0; index < length; index++) {
    flow = flow.node(`n${index}`, () => ({ output: index }))
    if (index > 0) flow = flow.edge(`n${index - 1}`, `n${index}`)
  }
  return flow
}
