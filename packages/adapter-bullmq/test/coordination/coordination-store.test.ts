import { checkedSum } from '@baton/core/adapter'
import { type RedisService, startRedis } from '@baton/services'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RedisCoordinationStore, type RedisCoordinationStoreOptions, type RedisSource } from '../../src/index.ts'
import { newPrefix } from '../redis-world.ts'
import { Wire } from '../wire.ts'

const shared = await startRedis()
afterAll(() => shared[Symbol.asyncDispose]())

let disposers: (() => unknown)[] = []
let redis: Redis
let prefix: string

function storeOn(source: RedisSource, options: RedisCoordinationStoreOptions = {}): RedisCoordinationStore {
  const store = new RedisCoordinationStore(source, { prefix, ...options })
  disposers.push(() => store.close())
  return store
}

function clientOf(service: RedisService): Redis {
  const client = new Redis(service.url)
  client.on('error', () => {})
  disposers.push(() => client.disconnect())
  return client
}

describe.skipIf(shared.skipReason !== undefined)(shared.skipReason ?? 'the coordination store on Redis', () => {
  beforeEach(() => {
    prefix = newPrefix()
    redis = clientOf(shared)
  })
  afterEach(async () => {
    for (const dispose of disposers) await dispose()
    disposers = []
  })

  it('takes a client, and leaves it as it was', async () => {
    const store = storeOn(redis)
    await store.setIfNotExist('k', 'v')
    await store.close()

    expect(await redis.get(`${prefix}:coordination:{}k`)).toBe('v')
  })

  it('opens no connection before it is used, and one then', async () => {
    await using own = await startRedis({ settings: { loglevel: 'notice' } })
    const client = clientOf(own)
    const connections = async () => Number(/connected_clients:(\d+)/.exec(await client.info('clients'))?.[1])
    expect(await connections()).toBe(1)

    const store = storeOn(client)

    expect(await connections()).toBe(1)
    await store.get('k')
    expect(await connections()).toBe(2)
  })

  it('keeps to its prefix', async () => {
    const other = new RedisCoordinationStore(redis, { prefix: `${prefix}-other` })
    disposers.push(() => other.close())
    await storeOn(redis).setIfNotExist('k', 'mine')

    expect(await other.get('k')).toBeUndefined()
    expect(await other.setIfNotExist('k', 'theirs')).toBe(true)
    expect(await storeOn(redis).get('k')).toBe('mine')
  })

  it('adds where core would add, and refuses where core would refuse', async () => {
    const store = storeOn(redis)
    const most = Number.MAX_SAFE_INTEGER
    const edge = fc.constantFrom(most, -most, most - 1, 0, -1, 1, 2 ** 31, 10 ** 15)
    const whole = fc.oneof(edge, fc.integer({ min: -most, max: most }))
    const odd = fc.constantFrom(
      '-0',
      '00',
      '+1',
      '1e3',
      '9007199254740992',
      '-9007199254740992',
      '9'.repeat(30),
      ' ',
      '1.0',
      'nan',
    )
    const value = fc.oneof(whole.map(String), odd)
    let index = 0
    await fc.assert(
      fc.asyncProperty(value, whole, async (have, by) => {
        const key = `n${index++}`
        await store.setIfNotExist(key, have)
        let wanted: number | undefined
        try {
          wanted = checkedSum(key, have, by)
        } catch {
          await expect(store.increment(key, by)).rejects.toMatchObject({ code: 'DELTA_CONFLICT', field: key })
          expect(await store.get(key)).toBe(have)
          return
        }
        expect(await store.increment(key, by)).toBe(wanted)
        expect(await store.get(key)).toBe(String(wanted))
      }),
      { numRuns: 300 },
    )
    for (const by of [1.5, Number.NaN, 2 ** 53]) {
      await expect(store.increment('none', by)).rejects.toMatchObject({ code: 'DELTA_CONFLICT' })
      expect(await store.get('none')).toBeUndefined()
    }
  })

  it('does not notice that the scripts of the server were flushed', async () => {
    const store = storeOn(redis)
    await store.increment('n')

    await redis.script('FLUSH')

    expect(await store.increment('n')).toBe(2)
    await redis.script('FLUSH')
    expect(await store.compareAndSet('n', '2', '7')).toBe(true)
    await redis.script('FLUSH')
    expect(await store.compareAndDelete('n', '7')).toBe(true)
  })

  it('answers for itself what it takes for a time to live', async () => {
    const store = storeOn(redis)
    for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      await expect(store.setIfNotExist('k', 'v', { ttlMs })).rejects.toMatchObject({ field: 'ttlMs' })
      await expect(store.extendTTL('k', ttlMs)).rejects.toMatchObject({ field: 'ttlMs' })
    }
    expect(await store.setIfNotExist('k', 'v', { ttlMs: 60_000.4 })).toBe(true)
    expect(await redis.pttl(`${prefix}:coordination:{}k`)).toBeGreaterThan(59_000)
  })

  it('fails soon while its server is down, and goes on when it is back', async () => {
    await using own = await startRedis({ appendOnly: true })
    const store = storeOn(own.url)
    await store.setIfNotExist('k', 'v')
    await own.kill()

    await expect(store.get('k')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(store.increment('n')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await own.restart()

    await expect.poll(() => store.get('k').catch(() => 'down'), { timeout: 10_000 }).toBe('v')
  })

  it('never says "not you" to who has won and lost the answer: it sends nothing a second time', async () => {
    await using wire = await Wire.to(shared.url)
    const store = storeOn(wire.url)
    await store.increment('n')

    wire.cutAtNextAnswer()
    await expect(store.increment('n')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect.poll(() => store.get('n').catch(() => 'down')).toBe('2')
    wire.cutAtNextAnswer()
    await expect(store.setIfNotExist('lock', 'me')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })

    expect(await storeOn(redis).get('n')).toBe('2')
    expect(await storeOn(redis).get('lock')).toBe('me')
    await expect.poll(() => store.increment('n').catch(() => 0)).toBe(3)
  })

  it('gives up on a server that is there and does not answer', async () => {
    await using own = await startRedis({ appendOnly: false })
    const store = storeOn(own.url, { timeoutMs: 200 })
    await store.setIfNotExist('k', 'v')
    own.freeze()

    await expect(store.get('k')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('200 ms'),
    })

    own.thaw()
    await expect.poll(() => store.get('k').catch(() => 'down')).toBe('v')
  })

  it('makes a new connection in the place of one whose other end is gone without a word', async () => {
    await using wire = await Wire.to(shared.url)
    const store = storeOn(wire.url, { timeoutMs: 300 })
    await store.setIfNotExist('k', 'v')

    wire.goSilent()

    await expect(store.get('k')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect.poll(() => store.get('k').catch(() => 'silent'), { timeout: 10_000 }).toBe('v')
  })

  it('works with a client that is set up for other things', async () => {
    const odd = new Redis(shared.url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      stringNumbers: true,
      commandTimeout: 1,
      retryStrategy: () => null,
      autoResendUnfulfilledCommands: false,
    })
    disposers.push(() => odd.disconnect())
    const store = storeOn(odd)

    expect(await store.setIfNotExist('k', 'v')).toBe(true)
    expect(await store.extendTTL('k', 60_000)).toBe(true)
    expect(await store.compareAndSet('k', 'v', 'w')).toBe(true)
    expect(await store.increment('n')).toBe(1)
    expect(await store.delete('k')).toBe(true)
  })

  it('refuses what is no client and no URL, and options that nobody knows', () => {
    for (const source of [undefined, null, {}, 'localhost:6379', 'http://x']) {
      const make = () => new RedisCoordinationStore(source as unknown as string)
      expect(make, String(source)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field: 'redis' }))
    }
    expect(() => storeOn(redis, { prefx: 'x' } as object)).toThrow('options.prefx')
    expect(() => storeOn(redis, { prefix: 'a b' })).toThrow(expect.objectContaining({ field: 'prefix' }))
    expect(() => storeOn(redis, { timeoutMs: 0 })).toThrow(expect.objectContaining({ field: 'timeoutMs' }))
  })

  it('says that it is closed', async () => {
    const store = storeOn(redis)
    await store.close()
    await store.close()

    await expect(store.get('k')).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
