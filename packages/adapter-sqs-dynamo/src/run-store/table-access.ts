/**
 * What the store asks of DynamoDB: each call with a limit to how long it may take, and failures in Baton's words. Two who write the
 * same item at once get in each other's way where one of them does it in a transaction; that is no answer, and is tried again. So is a
 * transaction that is throttled.
 */
import { randomUUID } from 'node:crypto'
import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb'
import { BatonError } from '@baton/core'
import { ask } from '../asking.ts'
import { awsCodesOf, storeFailure } from '../aws-errors.ts'
import type { Item, ItemKey } from '../keys.ts'

export interface TableAccessOptions {
  readonly client: DynamoDBClient
  readonly table: string
  /** How long an answer may take, over all tries of the client. */
  readonly timeoutMs: number
}

/** A write that was not done because its condition did not hold, with the item as it is. */
export interface Refused {
  readonly refused: true
  readonly item: Item | undefined
}

export type Write<Input> = Omit<Input, 'TableName'>

/** One write of a transaction. */
export type Part =
  | { readonly Put: Omit<NonNullable<TransactWriteItem['Put']>, 'TableName'> }
  | { readonly Update: Omit<NonNullable<TransactWriteItem['Update']>, 'TableName'> }
  | { readonly Delete: Omit<NonNullable<TransactWriteItem['Delete']>, 'TableName'> }

/** DynamoDB takes that many at once. */
const MOST_WRITES = 25
const MOST_READS = 100
/** How often others may get in the way, and how long to wait for them, twice as long each time. */
const MOST_CONFLICTS = 10
const CONFLICT_MS = 10
const CONFLICT_MOST_MS = 1_000
/** After what was left over of a batch. */
const REST_MS = 50
/** Reasons of a transaction that was cancelled. Such a one the client does not ask again, as it does with other throttled requests. */
const THROTTLED = ['ThrottlingError', 'ProvisionedThroughputExceeded']
const THROTTLED_MS = 50
const IN_THE_WAY = ['TransactionConflict', 'TransactionConflictException', 'TransactionInProgressException']

export class TableAccess {
  readonly #options: TableAccessOptions
  readonly #underWay = new Set<Promise<unknown>>()
  #hasAnswered = false

  constructor(options: TableAccessOptions) {
    this.#options = options
  }

  async get(Key: ItemKey): Promise<Item | undefined> {
    const input = { TableName: this.#options.table, Key, ConsistentRead: true }
    const { client } = this.#options
    return (await this.#send((abort) => client.send(new GetItemCommand(input), abort))).Item
  }

  /** In any order; those that are not there are left out. */
  async getAll(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    const { client, table } = this.#options
    const items: Item[] = []
    for (let at = 0; at < keys.length; at += MOST_READS) {
      let Keys: Record<string, AttributeValue>[] = keys.slice(at, at + MOST_READS)
      for (let tries = 0; Keys.length > 0; tries++) {
        if (tries > 0) await pause(tries, REST_MS)
        const input = { RequestItems: { [table]: { Keys, ConsistentRead: true } } }
        const answer: BatchGetItemCommandOutput = await this.#send((abort) =>
          client.send(new BatchGetItemCommand(input), abort),
        )
        items.push(...(answer.Responses?.[table] ?? []))
        Keys = answer.UnprocessedKeys?.[table]?.Keys ?? []
      }
    }
    return items
  }

  query(input: Write<QueryCommandInput>): Promise<QueryCommandOutput> {
    const { client, table } = this.#options
    return this.#send((abort) => client.send(new QueryCommand({ ...input, TableName: table }), abort))
  }

  /** All pages of it. */
  async queryAll(input: Write<QueryCommandInput>): Promise<readonly Item[]> {
    const items: Item[] = []
    for (let from: Item | undefined; ; ) {
      const page = await this.query(from === undefined ? input : { ...input, ExclusiveStartKey: from })
      items.push(...(page.Items ?? []))
      from = page.LastEvaluatedKey
      if (from === undefined) return items
    }
  }

  /** @returns the attributes that were asked for by `ReturnValues` */
  update(input: Write<UpdateItemCommandInput>): Promise<Item | Refused> {
    const { client, table: TableName } = this.#options
    const whole = { ...input, TableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }
    return this.#unlessRefused(async (abort) => {
      const { Attributes = {} } = await client.send(new UpdateItemCommand(whole), abort)
      return Attributes
    })
  }

  put(input: Write<PutItemCommandInput>): Promise<Item | Refused> {
    const { client, table: TableName } = this.#options
    const whole = { ...input, TableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }
    return this.#unlessRefused(async (abort) => {
      await client.send(new PutItemCommand(whole), abort)
      return {}
    })
  }

  /** All of it or nothing. @returns undefined when it was done; else what became of each part: undefined for one that would have been */
  async transact(parts: readonly Part[]): Promise<readonly (Refused | undefined)[] | undefined> {
    const { client, table: TableName } = this.#options
    const TransactItems = parts.map((part): TransactWriteItem => {
      const [[name, write]] = Object.entries(part) as [[string, object]]
      return { [name]: { ...write, TableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } }
    })
    for (let tries = 1; ; tries++) {
      try {
        const input = { TransactItems, ClientRequestToken: randomUUID() }
        await this.#tell((abort) => client.send(new TransactWriteItemsCommand(input), abort))
        return undefined
      } catch (error) {
        const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : []
        // Others in the way and a condition that did not hold may come together: the condition is an answer.
        if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) {
          return reasons.map(({ Code, Item: item }) =>
            Code === 'ConditionalCheckFailed' ? { refused: true, item } : undefined,
          )
        }
        await this.#afterConflict(
          error,
          reasons.map(({ Code }) => Code ?? ''),
          tries,
        )
      }
    }
  }

  /** Writes and removes many, not all at once. */
  async writeAll(requests: readonly WriteRequest[]): Promise<void> {
    const { client, table } = this.#options
    for (let at = 0; at < requests.length; at += MOST_WRITES) {
      let rest: WriteRequest[] = requests.slice(at, at + MOST_WRITES)
      for (let tries = 0; rest.length > 0; tries++) {
        if (tries > 0) await pause(tries, REST_MS)
        const input = { RequestItems: { [table]: rest } }
        const answer = await this.#send((abort) => client.send(new BatchWriteItemCommand(input), abort))
        rest = answer.UnprocessedItems?.[table] ?? []
      }
    }
  }

  /** Resolves when what was asked before is answered. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#underWay])
  }

  async #unlessRefused(call: Call<Item>): Promise<Item | Refused> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tell(call)
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return { refused: true, item: error.Item }
        await this.#afterConflict(error, awsCodesOf(error), tries)
      }
    }
  }

  /** Waits for those who are in the way, or throws what is no matter of them. */
  async #afterConflict(error: unknown, codes: readonly string[], tries: number): Promise<void> {
    const isThrottled = codes.some((code) => THROTTLED.includes(code))
    if (!isThrottled && !codes.some((code) => IN_THE_WAY.includes(code))) throw this.#failure(error)
    if (tries >= MOST_CONFLICTS) {
      const what = isThrottled ? 'it throttled a transaction' : 'others were writing the same item'
      const message = `DynamoDB: ${what}, ${MOST_CONFLICTS} times one after the other`
      throw new BatonError('STORE_UNAVAILABLE', { message, cause: error })
    }
    await pause(tries, isThrottled ? THROTTLED_MS : CONFLICT_MS)
  }

  async #send<Answer>(call: Call<Answer>): Promise<Answer> {
    try {
      return await this.#tell(call)
    } catch (error) {
      throw this.#failure(error)
    }
  }

  #failure(error: unknown): BatonError {
    return storeFailure(error, { hasAnswered: this.#hasAnswered })
  }

  /** Throws what the client throws. */
  async #tell<Answer>(call: Call<Answer>): Promise<Answer> {
    const answer = ask(call, { withinMs: this.#options.timeoutMs })
    this.#underWay.add(answer)
    try {
      await answer
      this.#hasAnswered = true
      return await answer
    } finally {
      this.#underWay.delete(answer)
    }
  }
}

type Call<Answer> = (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>

export function isRefused(answer: Item | Refused): answer is Refused {
  return answer.refused === true
}

/** Anything up to a time that doubles, so that those who met do not meet again. */
function pause(tries: number, baseMs: number): Promise<void> {
  const mostMs = Math.min(CONFLICT_MOST_MS, baseMs * 2 ** tries)
  return new Promise((resolve) => setTimeout(resolve, Math.random() * mostMs))
}
