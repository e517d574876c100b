/** The table and its indexes, as `table.ts` defines them: made, waited for, and held against that. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndexDescription,
  type KeySchemaElement,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { BatonError } from '@baton/core'
import { awsCodesOf } from '../aws-errors.ts'
import { TTL_ATTRIBUTE, tableDefinition } from '../table.ts'
import type { Deadline } from './deadline.ts'

/** @returns whether it was made by this call */
export async function ensureTable(client: DynamoDBClient, name: string, deadline: Deadline): Promise<boolean> {
  let isNew = false
  for (;;) {
    const table = await describe(client, name, deadline)
    if (table === undefined) isNew = (await create(client, name, deadline)) || isNew
    // Looked at before it is active: who has to wait for minutes learns at once of what will not do.
    else if (table.TableStatus !== 'DELETING' && isActive(fitting(table, name))) break
    await deadline.pause(`the table ${name} is not active yet`)
  }
  await ensureTimeToLive(client, name, deadline)
  return isNew
}

async function describe(client: DynamoDBClient, TableName: string, deadline: Deadline) {
  const call = (options: { readonly abortSignal: AbortSignal }) =>
    client.send(new DescribeTableCommand({ TableName }), options)
  const { Table } = await deadline.ask<{ readonly Table?: TableDescription | undefined }>(call, (error) =>
    awsCodesOf(error).includes('ResourceNotFoundException') ? {} : undefined,
  )
  return Table
}

/** @returns false where somebody else was quicker, or DynamoDB makes as many as it can */
function create(client: DynamoDBClient, name: string, deadline: Deadline): Promise<boolean> {
  return deadline.ask<boolean>(
    async (options) => {
      await client.send(new CreateTableCommand(tableDefinition(name)), options)
      return true
    },
    (error) => (awsCodesOf(error).some((code) => NOT_NOW.includes(code)) ? false : undefined),
  )
}

const NOT_NOW = ['ResourceInUseException', 'TableAlreadyExistsException', 'LimitExceededException']

function isActive({ TableStatus, GlobalSecondaryIndexes = [] }: TableDescription): boolean {
  return (
    (TableStatus === 'ACTIVE' || TableStatus === 'UPDATING') &&
    GlobalSecondaryIndexes.filter(({ IndexName = '' }) => wantedIndex(IndexName) !== undefined).every(
      ({ IndexStatus = 'ACTIVE' }) => IndexStatus === 'ACTIVE' || IndexStatus === 'UPDATING',
    )
  )
}

/** Throws `INVALID_OPTION` where the store could not work with it. More indexes than are needed are no mistake. */
function fitting(table: TableDescription, name: string): TableDescription {
  const { KeySchema = [], GlobalSecondaryIndexes = [] } = tableDefinition(name)
  const wrong = (what: string) =>
    new BatonError('INVALID_OPTION', {
      field: 'table',
      message: `there is a table ${name} already, and ${what}`,
      hint: 'Use another name, or make this one anew by ensureInfrastructure() or the template. It was left as it is.',
    })
  if (!areKeys(table, table.KeySchema, KeySchema)) throw wrong(`its keys are not ${said(KeySchema)}`)
  for (const index of GlobalSecondaryIndexes) {
    const found = table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === index.IndexName)
    if (found === undefined) throw wrong(`it has no index ${index.IndexName}`)
    if (!areKeys(table, found.KeySchema, index.KeySchema)) {
      throw wrong(`the keys of its index ${index.IndexName} are not ${said(index.KeySchema)}`)
    }
    const missing = (index.Projection?.NonKeyAttributes ?? []).filter((attribute) => !projects(found, attribute))
    if (missing.length > 0) throw wrong(`its index ${index.IndexName} lacks ${missing.join(', ')}`)
  }
  return table
}

function areKeys(
  { AttributeDefinitions = [] }: TableDescription,
  keys: readonly KeySchemaElement[] = [],
  wanted: readonly KeySchemaElement[] = [],
): boolean {
  return keys.length === wanted.length && wanted.every((key) => keys.some(isSame(key)) && isTyped(key))

  function isSame(one: KeySchemaElement): (other: KeySchemaElement) => boolean {
    return (other) => other.AttributeName === one.AttributeName && other.KeyType === one.KeyType
  }

  function isTyped({ AttributeName }: KeySchemaElement): boolean {
    const definition = AttributeDefinitions.find((other) => other.AttributeName === AttributeName)
    return definition?.AttributeType === typeOf(AttributeName)
  }
}

function typeOf(attribute: string | undefined): string | undefined {
  const { AttributeDefinitions = [] } = tableDefinition('any')
  return AttributeDefinitions.find(({ AttributeName }) => AttributeName === attribute)?.AttributeType
}

/** For people: `pk (HASH, S) and sk (RANGE, S)`. */
function said(keys: readonly KeySchemaElement[] = []): string {
  return keys
    .map(({ AttributeName, KeyType }) => `${AttributeName} (${KeyType}, ${typeOf(AttributeName)})`)
    .join(' and ')
}

function wantedIndex(name: string) {
  return tableDefinition('any').GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === name)
}

function projects({ Projection }: GlobalSecondaryIndexDescription, attribute: string): boolean {
  return Projection?.ProjectionType === 'ALL' || (Projection?.NonKeyAttributes ?? []).includes(attribute)
}

/** Nothing relies on it, so whoever finds it off turns it on: who made the table may have died before. */
async function ensureTimeToLive(client: DynamoDBClient, TableName: string, deadline: Deadline): Promise<void> {
  for (;;) {
    const { TimeToLiveDescription: found = {} } = await deadline.ask((options) =>
      client.send(new DescribeTimeToLiveCommand({ TableName }), options),
    )
    const { TimeToLiveStatus: status = 'DISABLED', AttributeName = TTL_ATTRIBUTE } = found
    if (status !== 'DISABLED' && AttributeName !== TTL_ATTRIBUTE) {
      const message = `there is a table ${TableName} already, and its items expire by ${AttributeName}, not by ${TTL_ATTRIBUTE}`
      const hint = `Use another name, or turn that off and have them expire by ${TTL_ATTRIBUTE}. It was left as it is.`
      throw new BatonError('INVALID_OPTION', { field: 'table', message, hint })
    }
    if (status === 'ENABLED' || status === 'ENABLING') return
    if (status === 'DISABLED' && (await enableTimeToLive(client, TableName, deadline))) return
    await deadline.pause(`the items of the table ${TableName} cannot expire yet`)
  }
}

/** @returns false where somebody else is doing it */
function enableTimeToLive(client: DynamoDBClient, TableName: string, deadline: Deadline): Promise<boolean> {
  const TimeToLiveSpecification = { AttributeName: TTL_ATTRIBUTE, Enabled: true }
  return deadline.ask<boolean>(
    async (options) => {
      await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }), options)
      return true
    },
    (error) => {
      const isTaken = awsCodesOf(error).some((code) => code === 'ValidationException' || NOT_NOW.includes(code))
      return isTaken ? false : undefined
    },
  )
}
