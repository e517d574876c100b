/** The one Redis that all contenders of a run of the suite share. */
import { startRedis } from '@baton/services'
import { Redis } from 'ioredis'
import type { Place } from '../suite.ts'
import { SEAT_VARIABLE } from '../turns.ts'

const URL_VARIABLE = 'BATON_BENCH_REDIS_URL'
/** Contenders that take turns have a database each. */
const DATABASES = 16

/** In the process that takes the samples: a server of our own, that keeps what it is told about once a second. */
export async function openRedis(): Promise<Place> {
  const redis = await startRedis({ appendOnly: true, settings: { appendfsync: 'everysec' } })
  if (redis.skipReason !== undefined) throw new Error(redis.skipReason)
  return {
    env: { [URL_VARIABLE]: redis.url },
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  }
}

/** In a sample: a database of the server, with nothing in it. */
export async function emptyRedis(): Promise<{ readonly url: string; readonly redis: Redis }> {
  const server = process.env[URL_VARIABLE]
  if (server === undefined) throw new Error(`${URL_VARIABLE} does not say which`)
  const url = `${server}/${Number(process.env[SEAT_VARIABLE] ?? 0) % DATABASES}`
  const redis = new Redis(url)
  await redis.flushdb()
  return { url, redis }
}
