/** Queues of a server that plays SQS: new ones for each test. */
import { randomUUID } from 'node:crypto'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs'
import { InMemoryCoordinationStore, InMemoryRunStore } from '@baton/core'
import type { Emulator } from '@baton/services'
import type { Subject, World, WorldOptions } from '@baton/testing'
import { SqsJobQueue, type SqsJobQueueOptions } from '../src/index.ts'

export interface Queues {
  readonly client: SQSClient
  readonly queueUrl: string
  readonly options: Pick<SqsJobQueueOptions, 'queue' | 'highQueue' | 'lowQueue' | 'deadLetterQueue'>
}

export interface QueuesOptions {
  readonly isFifo?: boolean
  readonly maxReceiveCount?: number
  /** Also a queue for what is more urgent, and one for what is less. */
  readonly hasLevels?: boolean
}

/** A queue and one for its dead letters. */
export async function createQueues(
  config: SQSClientConfig,
  { isFifo = false, maxReceiveCount, hasLevels = false }: QueuesOptions = {},
): Promise<Queues> {
  const client = new SQSClient(config)
  const suffix = isFifo ? '.fifo' : ''
  const queue = `t-${randomUUID().slice(0, 8)}${suffix}`
  const named = (level: string) => `${queue.replace('.fifo', '')}-${level}${suffix}`
  const deadLetterQueue = named('dead')
  const attributes = isFifo ? { FifoQueue: 'true' } : {}
  const dead = await client.send(new CreateQueueCommand({ QueueName: deadLetterQueue, Attributes: attributes }))
  const redrive =
    maxReceiveCount === undefined
      ? {}
      : {
          RedrivePolicy: JSON.stringify({
            maxReceiveCount,
            deadLetterTargetArn: await arnOf(client, dead.QueueUrl ?? ''),
          }),
        }
  const create = (QueueName: string) =>
    client.send(new CreateQueueCommand({ QueueName, Attributes: { ...attributes, ...redrive } }))
  const { QueueUrl: queueUrl = '' } = await create(queue)
  if (!hasLevels) return { client, queueUrl, options: { queue, deadLetterQueue } }
  const levels = { highQueue: named('high'), lowQueue: named('low') }
  for (const name of Object.values(levels)) await create(name)
  return { client, queueUrl, options: { queue, ...levels, deadLetterQueue } }
}

async function arnOf(client: SQSClient, QueueUrl: string): Promise<string> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  )
  return Attributes.QueueArn ?? ''
}

/** What somebody outside sends, who knows of SQS and not of us. */
export async function push({ client, queueUrl }: Queues, body: string): Promise<void> {
  const isFifo = queueUrl.endsWith('.fifo')
  await client.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: body,
      ...(isFifo ? { MessageGroupId: randomUUID(), MessageDeduplicationId: randomUUID() } : {}),
    }),
  )
}

/** The job queue under the kit; the other ports are those in memory. */
export function queueSubject(name: string, sqs: Emulator, isFifo: boolean): Subject {
  return {
    name,
    durability: 'none',
    // SQS counts in seconds, and rounds a time up; the kit's shortest one that must be kept apart is five ticks.
    tickMs: 50,
    priorityLevel: Math.sign,
    async create(options) {
      const queues = await createQueues(sqs.clientOptions, { isFifo, hasLevels: true })
      const open: World[] = []
      const world = openWorld(queues, options, open)
      return {
        ...world,
        async [Symbol.asyncDispose]() {
          for (const each of open) await each[Symbol.asyncDispose]()
          queues.client.destroy()
        },
      }
    },
  }
}

function openWorld(queues: Queues, { visibilityMs }: WorldOptions, open: World[]): World {
  const { client, options } = queues
  const queue = new SqsJobQueue({ ...options, client, visibilityMs: Math.max(1_000, visibilityMs), waitMs: 2_000 })
  const world: World = {
    store: new InMemoryRunStore(),
    coordinationStore: new InMemoryCoordinationStore(),
    queue,
    reopen: () => openWorld(queues, { visibilityMs, redispatchMs: 1, redispatchMaxMs: 1 }, open),
    push: (message) => push(queues, JSON.stringify(message)),
    deadLetters: () => queue.deadLetters(),
    [Symbol.asyncDispose]: () => queue.close(),
  }
  open.push(world)
  return world
}
