/** What four workers with nothing to do ask of DynamoDB and SQS together, in real time and with the settings they have by default. */
import { createFlow, defaults } from '@baton/core'
import { systemClock, wait } from '@baton/core/adapter'
import { DynamoSpending, startDynamo, startSqs } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { SqsAdapter } from '../src/index.ts'
import { createTable, newPrefix } from './dynamo-world.ts'
import { createQueues } from './sqs-world.ts'

const [dynamo, sqs] = [await startDynamo({ kind: 'dynoxide' }), await startSqs({ kind: 'elasticmq' })]
afterAll(async () => {
  await dynamo[Symbol.asyncDispose]()
  await sqs[Symbol.asyncDispose]()
})
const { skipReason = sqs.skipReason } = dynamo

const WORKERS = 4
/** Two long polls, and some sweeps. */
const WATCHED_MS = 40_000

describe.skipIf(skipReason !== undefined)(skipReason ?? 'an idle fleet', () => {
  it('of four asks for at most two things in a second, long polls included', { timeout: 120_000 }, async () => {
    const { client, table } = await createTable(dynamo)
    const queues = await createQueues(sqs.clientOptions)
    const shared = { table, dynamo: client, sqs: queues.client, prefix: newPrefix() }
    const { queue: queueName, deadLetterQueue = '' } = queues.options
    let queueRequests = 0
    const counted = (next: (args: never) => Promise<never>) => (args: never) => {
      queueRequests += 1
      return next(args)
    }
    queues.client.middlewareStack.add(counted as never, { step: 'initialize', name: 'counted' })
    const flow = createFlow('flow').node('node', () => {})
    const fleet = Array.from({ length: WORKERS }, () => {
      return new SqsAdapter({ ...shared, queueName, deadLetterQueue, runtimeOptions: { flows: [flow] } })
    })
    for (const worker of fleet) worker.start()
    await wait(systemClock, defaults.sweepMs)

    const spending = new DynamoSpending(client)
    queueRequests = 0
    await wait(systemClock, WATCHED_MS)
    const requests = spending.reads + spending.writes + queueRequests
    spending.stop()
    for (const worker of fleet) await worker.close()
    queues.client.destroy()

    expect(queueRequests).toBeGreaterThanOrEqual(WORKERS)
    expect(requests).toBeGreaterThan(WATCHED_MS / defaults.sweepMs)
    expect(requests / (WATCHED_MS / 1_000)).toBeLessThanOrEqual(2)
  })
})
