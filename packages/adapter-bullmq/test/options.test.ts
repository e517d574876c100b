/** What can be seen to be wrong before anything is opened. */
import { BatonError } from '@baton/core'
import { Cluster } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { BullMQAdapter, BullMQJobQueue, RedisCoordinationStore, RedisRunStore } from '../src/index.ts'

const connection = 'redis://127.0.0.1:1'

function refusalOf(make: () => unknown): BatonError {
  try {
    make()
  } catch (error) {
    if (BatonError.is(error, 'INVALID_OPTION')) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('a port that lacks methods', () => {
  it.each([
    ['queue', { enqueue: () => {} }],
    ['queue', {}],
    ['queue', 'redis://elsewhere'],
    ['coordinationStore', {}],
  ])('is refused as a %s when the adapter is made', (field, port) => {
    const make = () => new BullMQAdapter({ connection, runtimeOptions: {}, [field]: port })

    expect(refusalOf(make)).toMatchObject({ field, message: expect.stringContaining('it has no') })
  })
})

describe('braces in a prefix', () => {
  const prefixes = ['a{}', '{a}', 'a{', '}a']

  it.each(prefixes)('are refused for a store: %s', (prefix) => {
    for (const make of [
      () => new RedisRunStore({ connection, prefix }),
      () => new RedisCoordinationStore(connection, { prefix }),
      () => new BullMQAdapter({ connection, prefix, runtimeOptions: {} }),
    ]) {
      expect(refusalOf(make)).toMatchObject({ field: 'prefix', hint: expect.stringContaining('hash tags') })
    }
  })

  it.each(['a{}', '{}{a}', 'a{', 'a}{'])('must make a hash tag for a queue on a cluster: %s', (prefix) => {
    const cluster = new Cluster([connection], { lazyConnect: true })

    expect(refusalOf(() => new BullMQJobQueue({ connection: cluster, prefix }))).toMatchObject({ field: 'prefix' })
  })
})
