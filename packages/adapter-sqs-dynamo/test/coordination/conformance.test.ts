/** What the kit asks of a coordination store, on both servers that play DynamoDB. */
import { randomUUID } from 'node:crypto'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { InMemoryJobQueue, InMemoryRunStore } from '@baton/core'
import { type Emulator, startDynamo } from '@baton/services'
import { coordinationStoreConformance, type Subject, type World } from '@baton/testing'
import { afterAll, describe } from 'vitest'
import { DynamoCoordinationStore } from '../../src/index.ts'

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
      const client = new DynamoDBClient(dynamo.clientOptions)
      const table = `t-${randomUUID().slice(0, 8)}`
      await client.send(
        new CreateTableCommand({
          TableName: table,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'S' },
          ],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        }),
      )
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
