/** The ports that `dynamodb:` and `sqs:` URLs name, on servers that play AWS. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import {
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { ensureInfrastructure, type SqsJobQueue } from '@baton/adapter-sqs-dynamo'
import { BatonClient, createFlow, FlowRuntime } from '@baton/core'
import { parseJob } from '@baton/core/adapter'
import { startDynamo, startSqs } from '@baton/services'
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Ports } from '../src/backends/backend.ts'
import { checkPorts, openPorts } from '../src/open-ports.ts'

const greet = createFlow<string>('greet').node('greet', ({ input }) => ({ output: `Hello, ${input}` }))

const dynamo = await startDynamo({ kind: 'dynoxide' })
const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(async () => {
  for (const each of [dynamo, sqs]) await each[Symbol.asyncDispose]()
})

// Where the SDK looks for who asks.
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'baton')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'baton')
  return () => vi.unstubAllEnvs()
})

const newName = () => `t-${randomUUID().slice(0, 8)}`
const queryOf = ({ endpoint }: { readonly endpoint: string }, more = '') =>
  `?region=us-east-1&endpoint=${endpoint}${more}`

async function opened(values: Parameters<typeof openPorts>[0]): Promise<Ports> {
  const ports = await openPorts(values)
  onTestFinished(async () => {
    for (const port of Object.values(ports)) await port.close()
  })
  return ports
}

const { skipReason = sqs.skipReason } = dynamo

describe.skipIf(skipReason !== undefined)(skipReason ?? 'dynamodb: and sqs: URLs', () => {
  it('are shared by whoever names the same table and queue, and made by the first who says so', async () => {
    const name = newName()
    const values = {
      BATON_STORE: `dynamodb://${name}${queryOf(dynamo, '&create=true')}`,
      BATON_QUEUE: `sqs://${name}${queryOf(sqs, '&create=true')}`,
    }
    const [client, worker] = await Promise.all([opened(values), opened(values)])
    const runtime = new FlowRuntime({ flows: [greet], ...worker })
    onTestFinished(() => runtime.stop())

    const handle = await new BatonClient({ ...client, flows: [greet] }).start(greet, 'Ada')
    runtime.get(handle.runId)

    expect(await handle.result()).toBe('Hello, Ada')
    expect(await worker.coordinationStore.setIfNotExist('a', 'lock')).toBe(true)
    expect(await client.coordinationStore.get('a')).toBe('lock')
  })

  it('of a queue may name others for other priorities, which are made with it', async () => {
    const name = newName()
    const [highQueue, lowQueue] = [`${name}-high`, `${name}-low`]
    const url = `sqs://${name}${queryOf(sqs, `&highQueue=${highQueue}&lowQueue=${lowQueue}`)}`
    const values = { BATON_STORE: 'memory:', BATON_QUEUE: `${url}&create=true` }
    const { store, queue } = await opened(values)
    const client = new BatonClient({ store, queue, flows: [greet] })

    for (const priority of [-1, 0, 1]) await client.start(greet, 'Ada', { runId: `of${priority}`, priority })

    expect(await runsIn(highQueue)).toEqual(['of1'])
    expect(await runsIn(name)).toEqual(['of0'])
    expect(await runsIn(lowQueue)).toEqual(['of-1'])
    expect(await checkPorts({ ...values, BATON_QUEUE: url }, { mustExist: true })).toEqual([])
    expect(await checkPorts({ BATON_STORE: 'memory:', BATON_QUEUE: url.replace(lowQueue, 'nowhere') })).toMatchObject([
      { field: 'BATON_QUEUE', message: expect.stringContaining('the queue nowhere: SQS: ') },
    ])
  })

  it.each(['', '.fifo'])(
    'find what SQS has put among the dead letters of a queue from a template%s',
    async (suffix) => {
      const queueName = `${newName()}${suffix}`
      const made = await ensureInfrastructure({ table: false, queueName, sqs: sqs.clientOptions })
      await lose(made.deadLetterQueue?.url ?? '')

      const { queue } = await opened({ BATON_STORE: 'memory:', BATON_QUEUE: `sqs://${queueName}${queryOf(sqs)}` })

      expect(await (queue as SqsJobQueue).deadLetters()).toMatchObject([{ message: { runId: 'lost' } }])
    },
  )

  it('do without it where who asks has no right to it, as clients have none', async () => {
    const denying = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        const isDenied = JSON.parse(body).QueueName === 'jobs-dead'
        response.writeHead(isDenied ? 403 : 200, { 'content-type': 'application/x-amz-json-1.0' })
        const answer = { QueueUrl: 'http://127.0.0.1/0/jobs' }
        response.end(JSON.stringify(isDenied ? { __type: 'com.amazonaws.sqs#AccessDenied', message: 'no' } : answer))
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void denying.close())
    await once(denying, 'listening')
    const { port } = denying.address() as AddressInfo

    const url = `sqs://jobs${queryOf({ endpoint: `http://127.0.0.1:${port}` })}`
    const { queue } = await opened({ BATON_STORE: 'memory:', BATON_QUEUE: url })

    await expect((queue as SqsJobQueue).deadLetters()).rejects.toMatchObject({ field: 'deadLetterQueue' })
  })

  it('do without a queue of dead letters where there is none', async () => {
    const queueName = newName()
    await ensureInfrastructure({ table: false, queueName, deadLetterQueue: false, sqs: sqs.clientOptions })

    const { queue } = await opened({ BATON_STORE: 'memory:', BATON_QUEUE: `sqs://${queueName}${queryOf(sqs)}` })

    await expect((queue as SqsJobQueue).deadLetters()).rejects.toMatchObject({ field: 'deadLetterQueue' })
    await queue.enqueue([parseJob({ runId: 'a', blueprintId: 'greet', nodeId: 'greet' })])
    expect(await runsIn(queueName)).toEqual(['a'])
  })

  it('with another prefix are another store in the same table', async () => {
    const table = newName()
    const store = (prefix: string) => `dynamodb://${table}${queryOf(dynamo, `&create=true&prefix=${prefix}`)}`
    const [first, second] = [
      await opened({ BATON_STORE: store('first'), BATON_QUEUE: 'memory:' }),
      await opened({ BATON_STORE: store('second'), BATON_QUEUE: 'memory:' }),
    ]

    await new BatonClient({ ...first, flows: [greet] }).start(greet, 'Ada')

    expect((await first.store.list({})).runs).toHaveLength(1)
    expect((await second.store.list({})).runs).toEqual([])
  })

  it('are told of what is missing or wrong at once, and nothing is made', async () => {
    const name = newName()
    const there = newName()
    await opened({ BATON_STORE: `dynamodb://${there}${queryOf(dynamo, '&create=true')}`, BATON_QUEUE: 'memory:' })
    const before = await everything()

    const missing = await checkPorts({
      BATON_STORE: `dynamodb://${name}${queryOf(dynamo)}`,
      BATON_QUEUE: `sqs://${name}${queryOf(sqs)}`,
    })
    // The own queue of a table is where the table is, and there is only half of AWS.
    const noSqs = await checkPorts({ BATON_STORE: `dynamodb://${there}${queryOf(dynamo)}` })
    const create = '&create=true'
    const makeable = {
      BATON_STORE: `dynamodb://${name}${queryOf(dynamo, create)}`,
      BATON_QUEUE: `sqs://${name}${queryOf(sqs, create)}`,
    }
    const onlyLooks = await checkPorts(makeable, { mustExist: true })

    const mistake = (field: string, message: string, hint: string) => ({
      code: 'INVALID_OPTION',
      field,
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    })
    expect(missing).toMatchObject([
      mistake('BATON_STORE', `the table ${name}`, 'add ?create=true'),
      mistake(
        'BATON_QUEUE',
        `the queue ${name}: SQS: `,
        'There is no such queue in this account and region. Create it from the template, or add ?create=true',
      ),
    ])
    expect(noSqs).toMatchObject([mistake('BATON_STORE', `the queue ${there}: SQS: `, 'What answers is no SQS')])
    expect(noSqs[0]?.hint).toContain('BATON_QUEUE=sqs://QUEUE names another one')
    expect(
      await checkPorts({ BATON_STORE: `dynamodb://${there}${queryOf(sqs)}`, BATON_QUEUE: 'memory:' }),
    ).toMatchObject([mistake('BATON_STORE', `the table ${there}: DynamoDB: `, 'What answers is no DynamoDB')])
    expect(onlyLooks.map(({ field }) => field)).toEqual(['BATON_STORE', 'BATON_QUEUE'])
    expect(await checkPorts(makeable)).toEqual([])
    expect(await everything()).toEqual(before)
    await opened(makeable)
    expect(await checkPorts(makeable, { mustExist: true })).toEqual([])
  })

  it.each([undefined, ''])('ask for a region where there is none to be found: %j', async (region) => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, region)
    vi.stubEnv('AWS_PROFILE', undefined)
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config')
    const found = await checkPorts({
      BATON_STORE: `dynamodb://${newName()}?endpoint=${dynamo.endpoint}`,
      BATON_QUEUE: `sqs://${newName()}?endpoint=${sqs.endpoint}`,
    })

    const hint = 'Add ?region=eu-west-1 to the URL, or set AWS_REGION.'
    expect(found).toMatchObject([
      { code: 'INVALID_OPTION', field: 'BATON_STORE', hint },
      { code: 'INVALID_OPTION', field: 'BATON_QUEUE', hint },
    ])
  })
})

it('says so when nobody answers, and takes a queue that is down for one that will be back', async () => {
  const nobody = queryOf({ endpoint: 'http://127.0.0.1:1' })
  const found = await checkPorts({ BATON_STORE: `dynamodb://baton${nobody}`, BATON_QUEUE: `sqs://baton${nobody}` })

  expect(found).toMatchObject([{ code: 'STORE_UNAVAILABLE', field: 'BATON_STORE' }])
  expect(found[0]?.message).toContain('the table baton cannot be asked at http://127.0.0.1:1')
})

/** Puts a job among the dead letters as SQS does it, without a reason. */
async function lose(QueueUrl: string): Promise<void> {
  const client = new SQSClient({ ...sqs.clientOptions, useQueueUrlAsEndpoint: false })
  const MessageBody = JSON.stringify({ runId: 'lost', blueprintId: 'greet', nodeId: 'greet' })
  const ofFifo = QueueUrl.endsWith('.fifo') ? { MessageGroupId: 'a', MessageDeduplicationId: randomUUID() } : {}
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...ofFifo }))
  client.destroy()
}

/** The runs whose jobs are in the queue with this name. */
async function runsIn(QueueName: string): Promise<readonly string[]> {
  const client = new SQSClient(sqs.clientOptions)
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }))
  const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
  client.destroy()
  return Messages.map(({ Body = '' }) => JSON.parse(Body).runId)
}

async function everything(): Promise<unknown> {
  const clients = [new DynamoDBClient(dynamo.clientOptions), new SQSClient(sqs.clientOptions)] as const
  const { TableNames } = await clients[0].send(new ListTablesCommand())
  const { QueueUrls } = await clients[1].send(new ListQueuesCommand())
  for (const client of clients) client.destroy()
  return { TableNames, QueueUrls }
}
