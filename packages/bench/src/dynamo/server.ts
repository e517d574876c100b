/** The servers that play DynamoDB and SQS, for all contenders of a run of the suite. */
import { randomUUID } from 'node:crypto'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { tableDefinition } from '@baton/adapter-sqs-dynamo'
import { startDynamo, startSqs } from '@baton/services'
import type { Place } from '../suite.ts'

const DYNAMO_VARIABLE = 'BATON_BENCH_DYNAMODB_URL'
const SQS_VARIABLE = 'BATON_BENCH_SQS_URL'

/** In the process that takes the samples. */
export async function openAws(): Promise<Place> {
  const servers = [
    await startDynamo({ kind: 'dynoxide', own: true }),
    await startSqs({ kind: 'fauxqs', own: true }),
  ] as const
  const [dynamo, sqs] = servers
  const missing = dynamo.skipReason ?? sqs.skipReason
  if (missing !== undefined) throw new Error(missing)
  return {
    env: { [DYNAMO_VARIABLE]: dynamo.endpoint, [SQS_VARIABLE]: sqs.endpoint },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]()
    },
  }
}

/** In a sample: a table and a queue of its own. */
export async function emptyAws() {
  const name = `bench-${randomUUID().slice(0, 8)}`
  await new DynamoDBClient(dynamoOptions()).send(new CreateTableCommand(tableDefinition(name)))
  await new SQSClient(sqsOptions()).send(new CreateQueueCommand({ QueueName: name }))
  return { table: name, queueName: name }
}

export function dynamoOptions() {
  return optionsOf(DYNAMO_VARIABLE)
}

export function sqsOptions() {
  return optionsOf(SQS_VARIABLE)
}

function optionsOf(variable: string) {
  const endpoint = process.env[variable]
  if (endpoint === undefined) throw new Error(`${variable} does not say which`)
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } }
}
