/** The policy that we give away, held against what is asked of AWS: nothing is missing, and nothing is too much. */
import { readFileSync } from 'node:fs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { startDynamo, startSqs } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { DynamoCoordinationStore, ensureInfrastructure, SqsAdapter, type SqsAdapterOptions } from '../../src/index.ts'
import { grantsOf, type Policy, UsedActions } from './used-actions.ts'
import { doEverything, failing, flow, late } from './workload.ts'

const dynamo = await startDynamo({ kind: 'dynoxide', own: true })
const sqs = await startSqs({ kind: 'fauxqs', own: true })
afterAll(() => Promise.all([dynamo[Symbol.asyncDispose](), sqs[Symbol.asyncDispose]()]))
const skipReason = dynamo.skipReason ?? sqs.skipReason

const policy = read('iam-policy.json')
const clientPolicy = read('iam-policy-client.json')

describe.skipIf(skipReason !== undefined)(skipReason ?? 'the policy', () => {
  it('grants what workers and clients need, on the resources they need it on, and nothing else', async () => {
    const levels = { highQueue: 'baton-high', lowQueue: 'baton-low' }
    const made = await ensureInfrastructure({ dynamo: dynamo.clientOptions, sqs: sqs.clientOptions, ...levels })
    const [byWorkers, byCaller] = [new UsedActions(), new UsedActions()]
    const workers = watched(byWorkers)
    const outside = new SQSClient(sqs.clientOptions)
    const options: SqsAdapterOptions = {
      ...workers,
      deadLetterQueue: 'baton-dead',
      ...levels,
      tombstoneMs: 1,
      sweepMs: 200,
      leaseMs: 3_000,
      redispatchMs: 3_000,
      visibilityMs: 3_000,
      waitMs: 1_000,
      lostHintsMs: 4_000,
      pollMs: 200,
      runtimeOptions: { flows: [flow, failing] },
    }
    const adapter = new SqsAdapter(options)
    const other = new SqsAdapter({ ...options, runtimeOptions: { flows: [late] } })
    const caller = new SqsAdapter({ ...options, ...watched(byCaller) })
    const coordination = new DynamoCoordinationStore({ client: workers.dynamo })

    const { url: queueUrl = '' } = made.queue ?? {}
    const { url: deadLetterUrl = '' } = made.deadLetterQueue ?? {}
    await doEverything({ caller, adapter, other, coordination, outside, queueUrl, deadLetterUrl })

    await Promise.all([adapter, other, caller, coordination].map((each) => each.close()))
    expect([...new Set([...byWorkers.seen, ...byCaller.seen])].sort()).toEqual([...grantsOf(policy)].sort())
    expect([...byCaller.seen].filter((each) => !grantsOf(clientPolicy).includes(each))).toEqual([])
    expect([...byCaller.seen].filter(isOfSqs).sort()).toEqual(grantsOf(clientPolicy).filter(isOfSqs))
  }, 90_000)

  it('is that of clients, but for the queues: who reads lists mends them', () => {
    expect(grantsOf(clientPolicy).filter((each) => !isOfSqs(each))).toEqual(
      grantsOf(policy).filter((each) => !isOfSqs(each)),
    )
  })

  it('names no wildcard', () => {
    expect(JSON.stringify([policy, clientPolicy])).not.toContain('*')
  })
})

function watched(used: UsedActions): { readonly dynamo: DynamoDBClient; readonly sqs: SQSClient } {
  const clients = { dynamo: new DynamoDBClient(dynamo.clientOptions), sqs: new SQSClient(sqs.clientOptions) }
  for (const client of Object.values(clients)) used.watch(client)
  return clients
}

function isOfSqs(grant: string): boolean {
  return grant.startsWith('sqs:')
}

function read(name: string): Policy {
  return JSON.parse(readFileSync(new URL(`../../templates/${name}`, import.meta.url), 'utf8'))
}
