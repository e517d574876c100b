/** All ports on a pair of servers that play DynamoDB and SQS. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Emulator } from '@baton/services'
import { DynamoSpending } from '@baton/services'
import type { Meter, Subject, World, WorldOptions } from '@baton/testing'
import { DynamoCoordinationStore, DynamoRunStore, SqsJobQueue } from '../src/index.ts'
import { createTable, newPrefix } from './dynamo-world.ts'
import { createQueues, push, type Queues } from './sqs-world.ts'

export interface Pair {
  readonly name: string
  readonly dynamo: Emulator
  readonly sqs: Emulator
}

/** A prefix and queues per world, in one table. */
export async function awsSubject({ name, dynamo, sqs }: Pair): Promise<Subject> {
  const { client: maker, table } = await createTable(dynamo)
  maker.destroy()
  return {
    name,
    durability: 'replicated',
    // SQS counts in seconds, and rounds a time up; the kit's shortest one that must be kept apart is five ticks.
    tickMs: 50,
    priorityLevel: Math.sign,
    sideBySide: true,
    async create(options) {
      const queues = await createQueues(sqs.clientOptions, { hasLevels: true })
      const client = new DynamoDBClient(dynamo.clientOptions)
      const open: World[] = []
      const spending = new DynamoSpending(client)
      const world = await openWorld({ client, table, spending, queues, prefix: newPrefix(), options, open })
      return {
        ...world,
        async [Symbol.asyncDispose]() {
          for (const each of open) await each[Symbol.asyncDispose]()
          queues.client.destroy()
          client.destroy()
        },
      }
    },
  }
}

interface WorldParts {
  readonly client: DynamoDBClient
  readonly table: string
  readonly spending: DynamoSpending
  readonly queues: Queues
  readonly prefix: string
  readonly options: WorldOptions
  readonly open: World[]
}

/** The ports of one process. */
async function openWorld(parts: WorldParts): Promise<World> {
  const { client, table, spending, queues, prefix, options, open } = parts
  const { visibilityMs, ...times } = options
  const store = await DynamoRunStore.connect({ client, table, prefix, pollMs: 200, ...times })
  const coordinationStore = new DynamoCoordinationStore({ client, table, prefix })
  const queue = new SqsJobQueue({
    ...queues.options,
    client: queues.client,
    visibilityMs: Math.max(1_000, visibilityMs),
    waitMs: 2_000,
  })
  const world: World = {
    store,
    queue,
    coordinationStore,
    reopen: () => openWorld(parts),
    push: (message) => push(queues, JSON.stringify(message)),
    deadLetters: () => queue.deadLetters(),
    meter: (): Meter => ({ writtenBytes: spending.writtenBytes, writes: spending.writes }),
    async [Symbol.asyncDispose]() {
      await queue.close()
      await store.close()
      await coordinationStore.close()
    },
  }
  open.push(world)
  return world
}
