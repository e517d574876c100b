/** What clients ask of DynamoDB, counted at the clients: requests, units as the server bills them, and bytes. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

const READS = ['GetItem', 'Query', 'BatchGetItem', 'Scan']

function valuesAlone(this: unknown, name: string, value: unknown): unknown {
  if (/Expression$|^ReturnValues|^TableName$/.test(name)) return undefined
  // As it was before its `toJSON`: a buffer would become a list of numbers, and go as Base64.
  const own = (this as Readonly<Record<string, unknown>>)[name]
  return ArrayBuffer.isView(own) ? Buffer.from(own.buffer, own.byteOffset, own.byteLength).toString('base64') : value
}

interface Billed {
  readonly CapacityUnits?: number
}

export class DynamoSpending {
  readonly #clients: DynamoDBClient[] = []
  /** Several may watch one client. */
  readonly #name = `spending${Math.random()}`
  /** By the name of the operation. */
  readonly requests = new Map<string, number>()
  readUnits = 0
  writeUnits = 0
  /** Of values and keys, without what is always the same: expressions, and the name of the table. */
  writtenBytes = 0
  /** Writes that had no effect, because of a condition or of somebody in the way. */
  refused = 0
  /** Asked, and not answered yet. */
  underWay = 0

  constructor(...clients: readonly DynamoDBClient[]) {
    for (const client of clients) this.watch(client)
  }

  watch(client: DynamoDBClient): void {
    this.#clients.push(client)
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const { commandName = '' } = context as { readonly commandName?: string }
        const operation = commandName.replace('Command', '')
        this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1)
        const isRead = READS.includes(operation)
        if (!isRead) this.writtenBytes += JSON.stringify(args.input, valuesAlone).length
        const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' }
        this.underWay += 1
        try {
          const result = await next({ ...args, input })
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
        } finally {
          this.underWay -= 1
        }
      },
      { step: 'initialize', name: this.#name },
    )
  }

  get reads(): number {
    return this.#count((operation) => READS.includes(operation))
  }

  get writes(): number {
    return this.#count((operation) => !READS.includes(operation))
  }

  /** Resolves when nothing has been asked for a moment. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 5; calm = this.underWay === 0 ? calm + 1 : 0) {
      await new Promise((resolve) => setTimeout(resolve, 4))
    }
  }

  /** Begins to count again. */
  reset(): void {
    this.requests.clear()
    this.readUnits = 0
    this.writeUnits = 0
    this.writtenBytes = 0
    this.refused = 0
  }

  stop(): void {
    for (const client of this.#clients) client.middlewareStack.remove(this.#name)
  }

  #count(isMeant: (operation: string) => boolean): number {
    return [...this.requests].reduce((sum, [operation, count]) => (isMeant(operation) ? sum + count : sum), 0)
  }
}
