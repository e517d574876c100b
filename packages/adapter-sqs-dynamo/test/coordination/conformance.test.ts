/** What the kit asks of a coordination store, on both servers that play DynamoDB. */
import { InMemoryJobQueue, InMemoryRunStore } from '@baton/core'
import { type Emulator, startDynamo } from '@baton/services'
import { coordinationStoreConformance, type Subject, type World } from '@baton/testing'
import { afterAll, describe } from 'vitest'
import { DynamoCoordinationStore } from '../../src/index.ts'
import { createTable } from '../dynamo-world.ts'

for (const kind of ['dynoxide', 'dynamodb-local'] as const) {
  const dynamo = await startDynamo({ kind })
  afterAll(() => dynamo[Symbol.asyncDispose]())

  describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? `on ${kind}`, () => {
    coordinationStoreConformance(subject(dynamo))
  })
}

function subject(dynamo: Emulator): Subject {
  return {
    name: 'the coordination store on DynamoDB',
    durability: 'none',
    tickMs: 20,
    async create() {
      const { client, table } = await createTable(dynamo)
      const open = (): World => ({
        store: new InMemoryRunStore(),
        queue: new InMemoryJobQueue(),
        coordinationStore: new DynamoCoordinationStore({ client, table }),
        reopen: open,
        async [Symbol.asyncDispose]() {
          client.destroy()
        },
      })
      return open()
    },
  }
}
