/** What clients ask of DynamoDB: requests, write units as the server bills them, and writes in vain. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

const READS = ['GetItemCommand', 'QueryCommand', 'BatchGetItemCommand']

interface Billed {
  readonly CapacityUnits?: number
}

export class Spending {
  reads = 0
  writes = 0
  writeUnits = 0
  refused = 0

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
          if (!isRead) for (const { CapacityUnits = 0 } of [billed ?? []].flat()) this.writeUnits += CapacityUnits
          return result
        } catch (error) {
          if (!isRead) this.refused += 1
          throw error
        }
      },
      { step: 'initialize', name: 'spending' },
    )
  }

  reset(): void {
    this.reads = 0
    this.writes = 0
    this.writeUnits = 0
    this.refused = 0
  }
}
