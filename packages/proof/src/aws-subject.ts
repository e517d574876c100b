import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { DynamoCoordinationStore, DynamoRunStore, ensureInfrastructure, SqsJobQueue } from '@baton/adapter-sqs-dynamo'
import type { Emulator } from '@baton/services'
import type { Subject, World, WorldOptions } from '@baton/testing'

/** Servers that play DynamoDB and SQS: a prefix and two queues per world, in one table, in real time. */
export function awsSubject(name: string, servers: { readonly dynamo: Emulator; readonly sqs: Emulator }): Subject {
  const table = `proof-${randomUUID().slice(0, 8)}`
  return {
    name,
    durability: 'replicated',
    // SQS counts in seconds, and rounds a time up.
    tickMs: 50,
    skip: { 'delivers jobs of a higher priority first': 'SQS has no priorities: messages come as they come.' },
    async create(options) {
      const dynamo = new DynamoDBClient(servers.dynamo.clientOptions)
      const sqs = new SQSClient(servers.sqs.clientOptions)
      const prefix = `proof-${randomUUID().slice(0, 8)}`
      await ensureInfrastructure({ table, queueName: prefix, dynamo, sqs })
      const open: World[] = []
      const world = await openWorld({ table, prefix, dynamo, sqs, options, open })
      return {
        ...world,
        async [Symbol.asyncDispose]() {
          for (const each of open) await each[Symbol.asyncDispose]()
          for (const client of [dynamo, sqs]) client.destroy()
        },
      }
    },
  }
}

interface WorldParts {
  readonly table: string
  /** Of what is in the table, and the name of the queue. */
  readonly prefix: string
  readonly dynamo: DynamoDBClient
  readonly sqs: SQSClient
  readonly options: WorldOptions
  readonly open: World[]
}

/** The ports of one process. */
async function openWorld(parts: WorldParts): Promise<World> {
  const { table, prefix, dynamo, sqs, options, open } = parts
  const { visibilityMs, ...times } = options
  const store = await DynamoRunStore.connect({ client: dynamo, table, prefix, pollMs: 200, ...times })
  const queue = new SqsJobQueue({
    client: sqs,
    queue: prefix,
    deadLetterQueue: `${prefix}-dead`,
    visibilityMs: Math.max(1_000, visibilityMs),
    waitMs: 2_000,
  })
  const coordinationStore = new DynamoCoordinationStore({ client: dynamo, table, prefix })
  const world: World = {
    store,
    queue,
    coordinationStore,
    reopen: () => openWorld(parts),
    async [Symbol.asyncDispose]() {
      await queue.close()
      await store.close()
      await coordinationStore.close()
    },
  }
  open.push(world)
  return world
}
