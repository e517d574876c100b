import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Emulator, startSqs } from '../src/index.ts'

const kinds = ['elasticmq', 'fauxqs'] as const

afterEach(() => vi.unstubAllEnvs())

/** A new one after each kill: an older one has connections to the server that is gone. */
function clientOf(sqs: Emulator): SQSClient {
  return new SQSClient({ ...sqs.clientOptions, maxAttempts: 1 })
}

async function makeQueue(client: SQSClient, QueueName: string): Promise<string> {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName }))
  return QueueUrl
}

async function send(client: SQSClient, QueueUrl: string, MessageBody: string): Promise<void> {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody }))
}

async function receive(client: SQSClient, QueueUrl: string, WaitTimeSeconds = 0): Promise<readonly Message[]> {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, MaxNumberOfMessages: 10 }),
  )
  return Messages
}

describe('an SQS for tests', () => {
  it('is the one that the variable names, unless the test wants one of its own', async () => {
    vi.stubEnv('BATON_TEST_SQS_URL', 'http://elsewhere:1234')
    vi.stubEnv('BATON_REQUIRE_SERVICES', '')
    vi.stubEnv('PATH', '/nowhere')

    await using given = await startSqs({ kind: 'elasticmq' })
    await using own = await startSqs({ kind: 'elasticmq', durable: true })

    expect(given.endpoint).toBe('http://elsewhere:1234')
    expect(own.skipReason).toContain('java')
    expect(own.skipReason).toContain('BATON_TEST_SQS_URL')
  })

  it('fails where it is required and no Java is', async () => {
    vi.stubEnv('BATON_TEST_SQS_URL', '')
    vi.stubEnv('BATON_REQUIRE_SERVICES', 'sqs')
    vi.stubEnv('PATH', '/nowhere')

    await expect(startSqs({ kind: 'elasticmq' })).rejects.toThrow('BATON_REQUIRE_SERVICES asks for sqs')
  })
})

for (const kind of kinds) {
  const sqs = await startSqs({ kind, own: true })

  describe.skipIf(sqs.skipReason !== undefined)(`${kind} of our own`, () => {
    it('is found by a client that knows of it by its environment alone', async () => {
      vi.stubEnv('AWS_ENDPOINT_URL_SQS', sqs.endpoint)
      vi.stubEnv('AWS_REGION', sqs.clientOptions.region)
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'baton')
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'baton')
      const client = new SQSClient({ maxAttempts: 1 })
      const queue = await makeQueue(client, 'by-environment')

      await send(client, queue, 'a')

      expect(await receive(client, queue, 5)).toMatchObject([{ Body: 'a' }])
      client.destroy()
    })

    it('wakes who waits, hides what was received, and shows it again when asked; killed, it begins empty', async () => {
      await using killed = sqs
      const client = clientOf(killed)
      const queue = await makeQueue(client, 'queue')

      const waiting = receive(client, queue, 20)
      await send(client, queue, 'a')
      const [first] = await waiting
      const hidden = await receive(client, queue)
      const handle = { QueueUrl: queue, ReceiptHandle: first?.ReceiptHandle }
      await client.send(new ChangeMessageVisibilityCommand({ ...handle, VisibilityTimeout: 0 }))
      const [again] = await receive(client, queue)
      await client.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: again?.ReceiptHandle }))
      await killed.kill()
      await killed.restart()

      expect(first?.Body).toBe('a')
      expect(hidden).toEqual([])
      expect(again?.Body).toBe('a')
      await expect(receive(clientOf(killed), queue)).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
    })
  })
}

const durable = await startSqs({ kind: 'elasticmq', durable: true })

describe.skipIf(durable.skipReason !== undefined)('a durable ElasticMQ', () => {
  it('has after a kill what it acknowledged', async () => {
    await using killed = durable
    const client = clientOf(killed)
    const queue = await makeQueue(client, 'queue')
    const acknowledged: string[] = []
    const write = async (writer: number) => {
      for (let index = 0; ; index++) {
        await send(client, queue, `${writer}-${index}`)
        acknowledged.push(`${writer}-${index}`)
      }
    }
    const writing = Promise.allSettled([0, 1, 2, 3].map(write))
    await vi.waitUntil(() => acknowledged.length > 50, { timeout: 10_000, interval: 5 })

    await killed.kill()
    await writing
    await killed.restart()

    const after = clientOf(killed)
    const missing = new Set<string | undefined>(acknowledged)
    // It takes calls a while before it has read all of its file.
    const untilMs = performance.now() + 20_000
    while (missing.size > 0 && performance.now() < untilMs)
      for (const { Body } of await receive(after, queue, 2)) missing.delete(Body)
    expect([...missing]).toEqual([])
  })
})
