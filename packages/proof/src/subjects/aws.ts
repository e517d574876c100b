/** Runs in DynamoDB and jobs in SQS, on servers that play them: a prefix per world in one table, and queues of its own. */
import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { DynamoCoordinationStore, DynamoRunStore, ensureInfrastructure, SqsJobQueue } from '@baton/adapter-sqs-dynamo'
import type { Emulator } from '@baton/services'
import type { Subject } from '@baton/testing'
import { pairSubject, type QueuePart, type StorePart } from './pair.ts'

// SQS counts in seconds, and rounds a time up.
const TICK_MS = 50

export function dynamoStore({ clientOptions }: Emulator): StorePart {
  const table = `proof-${randomUUID().slice(0, 8)}`
  return {
    name: 'DynamoDB',
    durability: 'replicated',
    tickMs: TICK_MS,
    async begin(prefix) {
      const client = new DynamoDBClient(clientOptions)
      await ensureInfrastructure({ table, queueName: false, dynamo: client })
      return {
        open: async ({ redispatchMs, redispatchMaxMs }) => ({
          store: await DynamoRunStore.connect({ client, table, prefix, pollMs: 200, redispatchMs, redispatchMaxMs }),
          coordinationStore: new DynamoCoordinationStore({ client, table, prefix }),
        }),
        end: () => client.destroy(),
      }
    },
  }
}

export function sqsQueue({ clientOptions }: Emulator): QueuePart {
  return {
    name: 'SQS',
    tickMs: TICK_MS,
    async begin(queue) {
      const client = new SQSClient(clientOptions)
      await ensureInfrastructure({ table: false, queueName: queue, sqs: client })
      return {
        open: ({ visibilityMs }) =>
          new SqsJobQueue({
            client,
            queue,
            deadLetterQueue: `${queue}-dead`,
            visibilityMs: Math.max(1_000, visibilityMs),
            waitMs: 2_000,
          }),
        end: () => client.destroy(),
      }
    },
  }
}

export function awsSubject(name: string, servers: { readonly dynamo: Emulator; readonly sqs: Emulator }): Subject {
  return pairSubject(dynamoStore(servers.dynamo), sqsQueue(servers.sqs), name)
}
