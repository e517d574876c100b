import {
  type AttributeValue,
  type ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { BatonError } from '@baton/core'
import { checkCoordinationKey, checkedSum, type ExpiryOptions, type ICoordinationStore } from '@baton/core/adapter'
import { ask } from './asking.ts'
import { isClient } from './aws-client.ts'
import { awsCodesOf, storeFailure } from './aws-errors.ts'
import { endOf, type Item, isLive, textOf, valueAs } from './coordination-item.ts'
import {
  type CheckedCoordinationStoreOptions,
  checkCoordinationStoreOptions,
  type DynamoCoordinationStoreOptions,
} from './coordination-store-options.ts'

const ABSENT = 'attribute_not_exists(pk) OR expiresAt <= :now'
const IS_EXPECTED = 'expiresAt > :now AND #value = :expected'
const VALUE = { '#value': 'value' }
const TRIES = 10

interface Refused {
  /** What stands there. */
  readonly refusedBy: Item | undefined
}

/**
 * Locks, counters and marks in a table of DynamoDB: one item each. Each call is one request, but the first `increment` of a counter whose
 * time was up, which is two.
 *
 * The client asks again by itself when an answer was lost. A key that was set, or counted up, by the first of its requests is known
 * again as long as nobody else has written it since: otherwise a key that was set is told as not set, or set again where it was removed
 * meanwhile, and a counter on which others have counted is counted up twice. A removal may answer that there was nothing to remove,
 * when it has just removed it.
 */
export class DynamoCoordinationStore implements ICoordinationStore {
  readonly #options: CheckedCoordinationStoreOptions
  readonly #client: DynamoDBClient
  readonly #closed = new AbortController()
  #hasAnswered = false

  constructor(options: DynamoCoordinationStoreOptions = {}) {
    this.#options = checkCoordinationStoreOptions(options)
    const { client = {} } = this.#options
    this.#client = isClient<DynamoDBClient>(client) ? client : new DynamoDBClient(client)
  }

  async get(key: string): Promise<string | undefined> {
    const Key = this.#keyOf(key)
    const command = new GetItemCommand({ TableName: this.#options.table, Key, ConsistentRead: true })
    const answer = await this.#ask((options) => this.#client.send(command, options))
    const { Item } = isRefused(answer) ? {} : answer
    return isLive(Item, this.#now()) ? textOf(Item) : undefined
  }

  async setIfNotExist(key: string, value: string, { ttlMs }: ExpiryOptions = {}): Promise<boolean> {
    return this.#put(key, value, ttlMs, ABSENT)
  }

  async compareAndSet(key: string, expected: string, value: string, { ttlMs }: ExpiryOptions = {}): Promise<boolean> {
    return this.#put(key, value, ttlMs, IS_EXPECTED, expected)
  }

  async compareAndDelete(key: string, expected: string): Promise<boolean> {
    const command = new DeleteItemCommand({
      TableName: this.#options.table,
      Key: this.#keyOf(key),
      ConditionExpression: IS_EXPECTED,
      ExpressionAttributeNames: VALUE,
      ExpressionAttributeValues: { ...this.#atNow(), ':expected': valueAs(expected) },
    })
    return !isRefused(await this.#ask((options) => this.#client.send(command, options)))
  }

  async increment(key: string, by = 1, { ttlMs }: ExpiryOptions = {}): Promise<number> {
    if (!Number.isSafeInteger(by)) return checkedSum(key, '0', by)
    for (let tries = 0; tries < TRIES; tries++) {
      const added = await this.#add(key, by, ttlMs)
      if (!isRefused(added)) return Number(added.value?.N)
      const { refusedBy } = added
      // It was removed just now, or it is a counter by now: the next try will tell.
      if (isLive(refusedBy, this.#now())) checkedSum(key, textOf(refusedBy) ?? '', by)
      else if (await this.#put(key, String(by), ttlMs, ABSENT)) return by
    }
    throw new BatonError('STORE_UNAVAILABLE', { message: `too many write to the key ${key} at the same time` })
  }

  async extendTTL(key: string, ttlMs: number): Promise<boolean> {
    const { expiresAt, ttl } = endOf(this.#now(), ttlMs)
    const command = new UpdateItemCommand({
      TableName: this.#options.table,
      Key: this.#keyOf(key),
      UpdateExpression: 'SET expiresAt = :expiresAt, #ttl = :ttl',
      ConditionExpression: 'expiresAt > :now',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ...this.#atNow(), ':expiresAt': expiresAt, ':ttl': ttl },
    })
    return !isRefused(await this.#ask((options) => this.#client.send(command, options)))
  }

  async delete(key: string): Promise<boolean> {
    const Key = this.#keyOf(key)
    const command = new DeleteItemCommand({ TableName: this.#options.table, Key, ReturnValues: 'ALL_OLD' })
    const answer = await this.#ask((options) => this.#client.send(command, options))
    return !isRefused(answer) && isLive(answer.Attributes, this.#now())
  }

  /** A client that was given stays as it is. */
  async close(): Promise<void> {
    this.#closed.abort()
    if (this.#options.client === undefined || !isClient(this.#options.client)) this.#client.destroy()
  }

  /** @returns whether the condition held */
  async #put(
    key: string,
    value: string,
    ttlMs: number | undefined,
    condition: string,
    expected?: string,
  ): Promise<boolean> {
    const call = crypto.randomUUID()
    const compared = expected === undefined ? {} : { ':expected': valueAs(expected) }
    const command = new PutItemCommand({
      TableName: this.#options.table,
      Item: { ...this.#keyOf(key), value: valueAs(value), call: { S: call }, ...endOf(this.#now(), ttlMs) },
      ConditionExpression: condition,
      ...(expected === undefined ? {} : { ExpressionAttributeNames: VALUE }),
      ExpressionAttributeValues: { ...this.#atNow(), ...compared },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
    const answer = await this.#ask((options) => this.#client.send(command, options))
    return !isRefused(answer) || answer.refusedBy?.call?.S === call
  }

  /** Adds to a counter that is there, or makes one. @returns the counter */
  async #add(key: string, by: number, ttlMs: number | undefined): Promise<Item | Refused> {
    const call = crypto.randomUUID()
    const { expiresAt, ttl } = endOf(this.#now(), ttlMs)
    const command = new UpdateItemCommand({
      TableName: this.#options.table,
      Key: this.#keyOf(key),
      UpdateExpression:
        'SET #value = if_not_exists(#value, :zero) + :by, expiresAt = if_not_exists(expiresAt, :expiresAt), #ttl = if_not_exists(#ttl, :ttl), #call = :call',
      ConditionExpression:
        'attribute_not_exists(pk) OR (expiresAt > :now AND #call <> :call AND attribute_type(#value, :number) AND #value BETWEEN :least AND :most)',
      ExpressionAttributeNames: { ...VALUE, '#ttl': 'ttl', '#call': 'call' },
      ExpressionAttributeValues: {
        ...this.#atNow(),
        ':zero': { N: '0' },
        ':by': { N: String(by) },
        ':expiresAt': expiresAt,
        ':ttl': ttl,
        ':call': { S: call },
        ':number': { S: 'N' },
        // What the sum would not be exact for is refused, as one number or the other.
        ':least': { N: String(Number.MIN_SAFE_INTEGER - Math.min(0, by)) },
        ':most': { N: String(Number.MAX_SAFE_INTEGER - Math.max(0, by)) },
      },
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
    const answer = await this.#ask((options) => this.#client.send(command, options))
    if (!isRefused(answer)) return answer.Attributes ?? {}
    return answer.refusedBy?.call?.S === call ? answer.refusedBy : answer
  }

  #keyOf(key: string): { readonly pk: AttributeValue; readonly sk: AttributeValue } {
    checkCoordinationKey(key)
    return { pk: { S: `${this.#options.prefix}#C#${key}` }, sk: { S: 'C' } }
  }

  #atNow(): { readonly ':now': AttributeValue } {
    return { ':now': { N: String(this.#now()) } }
  }

  #now(): number {
    return this.#options.clock.now()
  }

  async #ask<Answer>(
    call: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer | Refused> {
    if (this.#closed.signal.aborted) throw new BatonError('CLOSED')
    try {
      const answer = await ask(call, { withinMs: this.#options.timeoutMs, signal: this.#closed.signal })
      this.#hasAnswered = true
      return answer
    } catch (error) {
      if (awsCodesOf(error).includes('ConditionalCheckFailedException')) {
        return { refusedBy: (error as ConditionalCheckFailedException).Item }
      }
      if (this.#closed.signal.aborted) throw new BatonError('CLOSED')
      throw storeFailure(error, { hasAnswered: this.#hasAnswered })
    }
  }
}

function isRefused(answer: object): answer is Refused {
  return 'refusedBy' in answer
}
