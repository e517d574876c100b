/** All ports on a pair of servers that play DynamoDB and SQS. */
import type { Emulator } from '@baton/services'
import { DynamoSpending } from '@baton/services'
import type { Meter, Subject, World, WorldOptions } from '@baton/testing'
import { DynamoCoordinationStore, DynamoRunStore, SqsJobQueue } from '../src/index.ts'
import { createTable, newPrefix, type Table } from './dynamo-world.ts'
import { createQueues, push, type Queues } from './sqs-world.ts'

export interface Pair {
  readonly name: string
  readonly dynamo: Emulator
  readonly sqs: Emulator
}

/** A prefix and queues per world, in one table. */
export async function awsSubject({ name, dynamo, sqs }: Pair): Promise<Subject> {
  const made = await createTable(dynamo)
  return {
    name,
    durability: 'replicated',
    // SQS counts in seconds, and rounds a time up; the kit's shortest one that must be kept apart is five ticks.
    tickMs: 50,
    priorityLevel: Math.sign,
    async create(options) {
      const queues = await createQueues(sqs.clientOptions, { hasLevels: true })
      const open: World[] = []
      const world = await openWorld({ made, queues, prefix: newPrefix(), options, open })
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

interface WorldParts {
  readonly made: Table
  readonly queues: Queues
  readonly prefix: string
  readonly options: WorldOptions
  readonly open: World[]
}

/** The ports of one process. */
async function openWorld(parts: WorldParts): Promise<World> {
  const { made, queues, prefix, options, open } = parts
  const { visibilityMs, ...times } = options
  const { client, table } = made
  const store = await DynamoRunStore.connect({ client, table, prefix, pollMs: 200, ...times })
  const coordinationStore = new DynamoCoordinationStore({ client, table, prefix })
  const queue = new SqsJobQueue({
    ...queues.options,
    client: queues.client,
    visibilityMs: Math.max(1_000, visibilityMs),
    waitMs: 2_000,
  })
  const spending = new DynamoSpending(client)
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
      spending.stop()
    },
  }
  open.push(world)
  return world
}
