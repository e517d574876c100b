/** Tables and queues that are made where they are missing, on all four servers that play DynamoDB and SQS. */
import { randomUUID } from 'node:crypto'
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs'
import { BatonClient, createFlow } from '@baton/core'
import { type Emulator, startDynamo, startSqs } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { ensureInfrastructure, type InfrastructureOptions, SqsAdapter } from '../../src/index.ts'
import { tableDefinition } from '../../src/table.ts'

const PAIRS = [
  {
    dynamo: await startDynamo({ kind: 'dynoxide' }),
    sqs: await startSqs({ kind: 'fauxqs' }),
    name: 'dynoxide, fauxqs',
  },
  {
    dynamo: await startDynamo({ kind: 'dynamodb-local' }),
    sqs: await startSqs({ kind: 'elasticmq' }),
    name: 'dynamodb-local, elasticmq',
  },
] as const
afterAll(async () => {
  for (const { dynamo, sqs } of PAIRS) await Promise.all([dynamo[Symbol.asyncDispose](), sqs[Symbol.asyncDispose]()])
})

for (const { dynamo, sqs, name } of PAIRS) {
  const skipReason = dynamo.skipReason ?? sqs.skipReason
  describe.skipIf(skipReason !== undefined)(skipReason ?? `what Baton needs, on ${name}`, () => on(dynamo, sqs))
}

function on(dynamo: Emulator, sqs: Emulator): void {
  const database = new DynamoDBClient(dynamo.clientOptions)
  const queues = new SQSClient(sqs.clientOptions)
  afterAll(() => {
    database.destroy()
    queues.destroy()
  })

  const ensure = (options: InfrastructureOptions) =>
    ensureInfrastructure({ dynamo: dynamo.clientOptions, sqs: sqs.clientOptions, ...options })

  async function make(change: (definition: CreateTableCommandInput) => void): Promise<string> {
    const definition = tableDefinition(newName())
    change(definition)
    // Each attribute that is defined has to be the key of something.
    const keys = JSON.stringify([definition.KeySchema, definition.GlobalSecondaryIndexes])
    definition.AttributeDefinitions = definition.AttributeDefinitions?.filter(({ AttributeName }) =>
      keys.includes(`"AttributeName":"${AttributeName}"`),
    )
    await database.send(new CreateTableCommand(definition))
    return definition.TableName ?? ''
  }

  const described = async (TableName: string) =>
    (await database.send(new DescribeTableCommand({ TableName }))).Table ?? {}

  const expiry = async (TableName: string) =>
    (await database.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription

  async function attributes(QueueName: string): Promise<Record<string, string>> {
    const { QueueUrl } = await queues.send(new GetQueueUrlCommand({ QueueName }))
    const { Attributes = {} } = await queues.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
    return Attributes
  }

  it('is made where it is missing, and is enough for a worker', async () => {
    const table = newName()

    const made = await ensure({ table })

    expect(made).toMatchObject({
      table: { name: table, isNew: true },
      queue: { name: table, isNew: true },
      deadLetterQueue: { name: `${table}-dead`, isNew: true },
    })
    const dead = await attributes(`${table}-dead`)
    // ElasticMQ knows of none.
    expect(dead.MessageRetentionPeriod ?? '1209600').toBe('1209600')
    const queue = await attributes(table)
    expect(queue).toMatchObject({ VisibilityTimeout: '60' })
    const redrive = JSON.parse(queue.RedrivePolicy ?? '{}')
    expect({ ...redrive, maxReceiveCount: Number(redrive.maxReceiveCount) }).toEqual({
      deadLetterTargetArn: dead.QueueArn,
      maxReceiveCount: 20,
    })
    expect((await described(table)).BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST')
    expect(await expiry(table)).toMatchObject({
      TimeToLiveStatus: expect.stringMatching(/^ENABL/),
      AttributeName: 'ttl',
    })
    const flow = createFlow('hello').node('a', () => ({ output: 'done' }))
    const adapter = new SqsAdapter({
      table,
      deadLetterQueue: `${table}-dead`,
      dynamo: dynamo.clientOptions,
      sqs: sqs.clientOptions,
      runtimeOptions: { flows: [flow] },
    })
    adapter.start()
    const run = await new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] }).start(flow)
    expect(await run.result()).toBe('done')
    await adapter.close()
  })

  it('is made once by many who need it at the same time', async () => {
    const options = { table: newName(), fifo: true }

    const all = await Promise.all(Array.from({ length: 8 }, () => ensure(options)))

    for (const { table, queue, deadLetterQueue } of all) {
      expect(table?.name).toBe(options.table)
      expect(queue?.url).toBe(all[0]?.queue?.url)
      expect(deadLetterQueue?.name).toBe(`${options.table}-dead.fifo`)
    }
    expect(all.filter(({ table }) => table?.isNew)).toHaveLength(1)
    expect(await attributes(`${options.table}.fifo`)).toMatchObject({ FifoQueue: 'true' })
  })

  it('is left as it is when it is there', async () => {
    const table = newName()
    await ensure({ table })
    const before = [await described(table), await attributes(table), await attributes(`${table}-dead`)]

    const found = await ensure({ table, visibilityMs: 5_000, maxReceiveCount: 3 })

    expect(found).toMatchObject({
      table: { isNew: false },
      queue: { isNew: false },
      deadLetterQueue: { isNew: false },
    })
    expect([await described(table), await attributes(table), await attributes(`${table}-dead`)]).toEqual(before)
  })

  it('may have more than is needed: indexes, attributes in them, a queue without dead letters', async () => {
    const table = await make(({ GlobalSecondaryIndexes = [], AttributeDefinitions = [] }) => {
      const [due] = GlobalSecondaryIndexes
      if (due !== undefined) due.Projection = { ProjectionType: 'ALL' }
      AttributeDefinitions.push({ AttributeName: 'own', AttributeType: 'B' })
      GlobalSecondaryIndexes.push({
        IndexName: 'own',
        KeySchema: [{ AttributeName: 'own', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      })
    })
    await queues.send(new CreateQueueCommand({ QueueName: table }))

    const found = await ensure({ table })

    expect(found).toMatchObject({
      table: { isNew: false },
      queue: { isNew: false },
      deadLetterQueue: { isNew: true },
    })
    expect((await attributes(table)).RedrivePolicy ?? '').toBe('')
    // Who made it may have died before it came to that.
    expect(await expiry(table)).toMatchObject({ AttributeName: 'ttl' })
  })

  it.each<[string, (definition: CreateTableCommandInput) => void, RegExp]>([
    [
      'other keys',
      (definition) => {
        definition.KeySchema = [{ AttributeName: 'pk', KeyType: 'HASH' }]
      },
      /its keys are not pk \(HASH, S\) and sk \(RANGE, S\)/,
    ],
    [
      'keys of another type',
      ({ AttributeDefinitions = [] }) => {
        const [pk] = AttributeDefinitions
        if (pk !== undefined) pk.AttributeType = 'B'
      },
      /its keys are not/,
    ],
    [
      'an index too few',
      (definition) => {
        definition.GlobalSecondaryIndexes = definition.GlobalSecondaryIndexes?.slice(0, 2)
      },
      /it has no index letters/,
    ],
    [
      'an index with other keys',
      ({ GlobalSecondaryIndexes: [due] = [] }) => {
        if (due !== undefined) due.KeySchema = [{ AttributeName: 'dp', KeyType: 'HASH' }, created]
      },
      /the keys of its index due are not dp \(HASH, S\) and mark \(RANGE, N\)/,
    ],
    [
      'an index that lacks attributes',
      ({ GlobalSecondaryIndexes: [due] = [] }) => {
        if (due !== undefined) due.Projection = { ProjectionType: 'INCLUDE', NonKeyAttributes: ['flow'] }
      },
      /its index due lacks due, remind/,
    ],
  ])('is refused where there is a table with %s', async (_title, change, message) => {
    const table = await make(change)
    const before = await described(table)

    const failure = ensure({ table })

    await expect(failure).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'table',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('left as it is'),
    })
    expect(await described(table)).toEqual(before)
  })

  it('is refused where items expire by something else', async () => {
    const table = await make(() => {})
    const TimeToLiveSpecification = { AttributeName: 'mark', Enabled: true }
    await database.send(new UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification }))

    const failure = ensure({ table })

    await expect(failure).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'table', hint: /expire by ttl/ })
    expect(await expiry(table)).toMatchObject({ AttributeName: 'mark' })
  })

  it('is refused where the dead letters of the queue go elsewhere', async () => {
    const table = newName()
    await ensure({ table: false, queueName: table, deadLetterQueue: `${table}-other` })

    const failure = ensure({ table: false, queueName: table })

    await expect(failure).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'deadLetterQueue',
      hint: expect.stringContaining(`deadLetterQueue: '${table}-other'`),
    })
  })

  it('has a queue for each level of priority where they are named, all with the same dead letters', async () => {
    const name = newName()
    const levels = { highQueue: `${name}-high`, lowQueue: `${name}-low` }

    const made = await ensure({ table: false, queueName: name, ...levels })

    expect(made).toMatchObject({ highQueue: { name: `${name}-high`, isNew: true }, lowQueue: { name: `${name}-low` } })
    const policies = await Promise.all([name, ...Object.values(levels)].map(attributes))
    expect(new Set(policies.map(({ RedrivePolicy }) => RedrivePolicy)).size).toBe(1)
  })

  it('can be had in part', async () => {
    const name = newName()

    expect(await ensure({ table: name, queueName: false })).toEqual({ table: { name, isNew: true } })
    const { queue, ...others } = await ensure({ table: false, queueName: name, deadLetterQueue: false })
    expect(queue).toMatchObject({ name, isNew: true })
    expect(others).toEqual({})
  })
}

const created = { AttributeName: 'created', KeyType: 'RANGE' } as const

describe('what was asked for', () => {
  it.each<[string, object]>([
    ['options.tabel', { tabel: 'baton' }],
    ['table', { table: 'no' }],
    ['queueName', { queueName: 'https://sqs.eu-west-1.amazonaws.com/1/q' }],
    ['queueName', { table: 'with.dot' }],
    ['queueName', { queueName: 'q', fifo: true }],
    ['queueName', { queueName: 'q.fifo', fifo: false }],
    ['deadLetterQueue', { queueName: 'q.fifo', deadLetterQueue: 'q-dead' }],
    ['deadLetterQueue', { queueName: 'q', deadLetterQueue: 'q' }],
    ['lowQueue', { queueName: 'q', highQueue: 'p', lowQueue: 'p' }],
    ['highQueue', { queueName: 'q', highQueue: 'p.fifo' }],
    ['fifo', { fifo: 'yes' }],
    ['dynamo', { dynamo: 'eu-west-1' }],
    ['sqs', { sqs: 'eu-west-1' }],
    ['maxReceiveCount', { maxReceiveCount: 0 }],
    ['visibilityMs', { visibilityMs: -1 }],
    ['timeoutMs', { timeoutMs: 0 }],
  ])('is checked at the door: %s', async (field, options) => {
    await expect(ensureInfrastructure(options as InfrastructureOptions)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field,
    })
  })

  it("is told in Baton's words where nobody answers", async () => {
    const nobody = { endpoint: 'http://127.0.0.1:1', region: 'eu-west-1', maxAttempts: 1, credentials }

    await expect(ensureInfrastructure({ dynamo: nobody, queueName: false })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    await expect(ensureInfrastructure({ table: false, sqs: nobody })).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
    })
  })
})

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }

function newName(): string {
  return `i-${randomUUID().slice(0, 8)}`
}
