/** What clients ask of AWS: requests, DynamoDB's units as the server bills them, and writes in vain. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { SQSClient } from '@aws-sdk/client-sqs'

const READS = ['GetItemCommand', 'QueryCommand', 'BatchGetItemCommand']

interface Billed {
  readonly CapacityUnits?: number
}

export class Spending {
  reads = 0
  writes = 0
  writeUnits = 0
  readUnits = 0
  refused = 0
  queueRequests = 0

  watch(client: DynamoDBClient): void {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const { commandName = '' } = context as { readonly commandName?: string }
        const isRead = READS.includes(commandName)
        if (isRead) this.reads += 1
        else this.writes += 1
        try {
          const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } })
          const { ConsumedCapacity: billed } = result.output as {
            readonly ConsumedCapacity?: Billed | readonly Billed[]
          }
          const units = [billed ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)
          if (isRead) this.readUnits += units
          else this.writeUnits += units
          return result
        } catch (error) {
          if (!isRead) this.refused += 1
          throw error
        }
      },
      { step: 'initialize', name: 'spending' },
    )
  }

  watchQueue(client: SQSClient): void {
    client.middlewareStack.add(
      (next) => (args) => {
        this.queueRequests += 1
        return next(args)
      },
      { step: 'initialize', name: 'spending' },
    )
  }

  reset(): void {
    this.reads = 0
    this.writes = 0
    this.writeUnits = 0
    this.readUnits = 0
    this.refused = 0
    this.queueRequests = 0
  }
}
