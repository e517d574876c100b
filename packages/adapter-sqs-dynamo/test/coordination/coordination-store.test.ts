/** What the coordination store asks of DynamoDB, and what it makes of answers that get lost. */
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { startDynamo } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DynamoCoordinationStore, type DynamoCoordinationStoreOptions } from '../../src/index.ts'
import { createTable } from '../dynamo-world.ts'

const dynamo = await startDynamo({ kind: 'dynoxide', own: true })
afterAll(() => dynamo[Symbol.asyncDispose]())

describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? 'the coordination store on DynamoDB', () => {
  let client: DynamoDBClient
  let table: string
  let asked: string[]
  /** Answers that are lost on their way, so that the client asks again. */
  let lost = 0

  beforeEach(async () => {
    ;({ client, table } = await createTable(dynamo))
    asked = []
    lost = 0
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          asked.push(commandName)
          const answer = await next(args)
          if (lost === 0) return answer
          lost -= 1
          throw Object.assign(new Error('part of the test'), { name: 'TimeoutError', $metadata: {} })
        },
      { step: 'finalizeRequest', priority: 'low', name: 'lossy' },
    )
  })
  afterEach(() => client.destroy())

  const open = (options: DynamoCoordinationStoreOptions = {}) =>
    new DynamoCoordinationStore({ client, table, ...options })

  it('does each thing with one request', async () => {
    const store = open()
    const calls: [string, () => unknown][] = [
      ['PutItemCommand', () => store.setIfNotExist('k', 'v', { ttlMs: 60_000 })],
      ['PutItemCommand', () => store.setIfNotExist('k', 'w')],
      ['GetItemCommand', () => store.get('k')],
      ['PutItemCommand', () => store.compareAndSet('k', 'v', 'w')],
      ['UpdateItemCommand', () => store.extendTTL('k', 1_000)],
      ['DeleteItemCommand', () => store.compareAndDelete('k', 'v')],
      ['DeleteItemCommand', () => store.delete('k')],
      ['UpdateItemCommand', () => store.increment('n', 5, { ttlMs: 60_000 })],
      ['UpdateItemCommand', () => store.increment('n', -2)],
    ]

    for (const [name, call] of calls) {
      asked = []
      await call()
      expect(asked).toEqual([name])
    }
    expect(await store.get('n')).toBe('3')
  })

  it('knows again what it has set and counted when the answer was lost', async () => {
    const store = open()

    lost = 1
    expect(await store.setIfNotExist('lock', 'me')).toBe(true)
    lost = 1
    expect(await store.compareAndSet('lock', 'me', 'you')).toBe(true)
    lost = 2
    expect(await store.increment('n')).toBe(1)
    lost = 1
    expect(await store.increment('n', 41)).toBe(42)
    expect(await store.setIfNotExist('lock', 'me')).toBe(false)
    expect([await store.get('lock'), await store.get('n')]).toEqual(['you', '42'])
  })

  it('goes by the clock it is given, and leaves what DynamoDB may remove for later', async () => {
    let nowMs = 1_000_000
    const store = open({ clock: { now: () => nowMs } })
    await store.setIfNotExist('lock', 'me', { ttlMs: 500 })
    await store.increment('n', 7, { ttlMs: 500 })
    await store.setIfNotExist('for-good', 'v')

    nowMs += 499
    expect(await store.get('lock')).toBe('me')
    nowMs += 1
    expect([await store.get('lock'), await store.get('n'), await store.get('for-good')]).toEqual([
      undefined,
      undefined,
      'v',
    ])
    expect(await store.delete('lock')).toBe(false)
    expect(await store.increment('n', 1, { ttlMs: 500 })).toBe(1)

    const Key = { pk: { S: 'baton#C#n' }, sk: { S: 'C' } }
    const { Item = {} } = await client.send(new GetItemCommand({ TableName: table, Key }))
    expect(Number(Item.ttl?.N)).toBeGreaterThan(nowMs / 1_000 + 1)
  })

  it('adds exactly up to where numbers are exact, and no further', async () => {
    const store = open()
    const most = Number.MAX_SAFE_INTEGER
    await store.setIfNotExist('n', String(most - 1))

    expect(await store.increment('n')).toBe(most)
    await expect(store.increment('n')).rejects.toMatchObject({ code: 'DELTA_CONFLICT' })
    expect(await store.increment('n', -most)).toBe(0)
    expect(await store.increment('n', -most)).toBe(-most)
    await expect(store.increment('n', -1)).rejects.toMatchObject({ code: 'DELTA_CONFLICT' })
    await expect(store.increment('n', 0.5)).rejects.toMatchObject({ code: 'DELTA_CONFLICT' })
    expect(await store.compareAndSet('n', String(-most), 'text')).toBe(true)
  })

  it('keeps the stores of one table apart by their prefixes', async () => {
    const one = open({ prefix: 'one' })
    await one.setIfNotExist('k', 'v')

    expect(await open({ prefix: 'other' }).get('k')).toBeUndefined()
  })

  it.each([
    ['a missing table', { table: 'missing' }, { code: 'INVALID_OPTION', field: 'table' }],
    [
      'a server that is not there',
      {
        client: {
          endpoint: 'http://127.0.0.1:1',
          region: 'eu-west-1',
          maxAttempts: 1,
          credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        },
      },
      { code: 'STORE_UNAVAILABLE' },
    ],
  ])('says what is wrong with %s', async (_name, options, error) => {
    await expect(open(options).get('k')).rejects.toMatchObject(error)
    await expect(open(options).increment('k')).rejects.toMatchObject(error)
  })

  it('refuses a value that is too large, and a time to live that is none', async () => {
    await expect(open().setIfNotExist('k', 'x'.repeat(420_000))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(open().setIfNotExist('k', 'v', { ttlMs })).rejects.toMatchObject({ field: 'ttlMs' })
    }
  })

  it('gives up in time on a server that does not answer, and when it is closed', { timeout: 20_000 }, async () => {
    const store = open({ timeoutMs: 300 })
    dynamo.freeze()
    try {
      await expect(store.get('k')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      const asking = open().get('k')
      const closed = open()
      const late = closed.get('k')
      await closed.close()
      await expect(late).rejects.toMatchObject({ code: 'CLOSED' })
      dynamo.thaw()
      expect(await asking).toBeUndefined()
    } finally {
      dynamo.thaw()
    }
    await store.close()
    await expect(store.get('k')).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
