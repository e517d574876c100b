/** Tables of a server that plays DynamoDB: one for each file of tests, and a prefix for each test. */
import { randomUUID } from 'node:crypto'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Emulator } from '@baton/services'
import { tableDefinition } from '../src/table.ts'

export interface Table {
  readonly client: DynamoDBClient
  readonly table: string
}

export async function createTable(dynamo: Emulator): Promise<Table> {
  const client = new DynamoDBClient(dynamo.clientOptions)
  const table = `t-${randomUUID().slice(0, 8)}`
  await client.send(new CreateTableCommand(tableDefinition(table)))
  return { client, table }
}

export function newPrefix(): string {
  return `t-${randomUUID().slice(0, 8)}`
}
