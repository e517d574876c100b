/** Where the demo's run is kept: in a folder, or on a Redis that is named or started for it. */
import { join } from 'node:path'
import { addressesOf, checkPorts, maskedUrl } from '@baton/compose'
import { isOnPath, startRedis, whatToType } from '@baton/services'
import { Mistake } from './mistake.ts'

export const kinds = ['files', 'redis'] as const
export type StoreKind = (typeof kinds)[number]

export function isKind(text: string): text is StoreKind {
  return (kinds as readonly string[]).includes(text)
}

export interface DemoStore {
  /** As the processes are told. */
  readonly url: string
  /** In a sentence. */
  readonly told: string
  /** Where the run can be looked at afterwards, without a password; absent: it goes with the demo. */
  readonly shown?: string
  close(): Promise<void>
}

/** Throws a `Mistake` where the store cannot be had: before anything is started, and nothing is written. */
export async function checkStore(kind: StoreKind): Promise<void> {
  if (kind === 'files') return
  const url = given()
  if (url === undefined) {
    if (isOnPath('redis-server')) return
    const what = whatToType('redis-server', 'redis-server', 'BATON_STORE')
    throw new Mistake('There is no redis-server here', `${what[0]?.toUpperCase()}${what.slice(1)}.`)
  }
  if (!/^rediss?:/i.test(url)) {
    throw new Mistake(
      `BATON_STORE=${maskedUrl(url)} is no Redis`,
      'Set it to redis://…, or leave it out: then a Redis is started for the demo.',
    )
  }
  const [found] = await checkPorts({ BATON_STORE: url })
  if (found !== undefined) throw new Mistake(found.message.replaceAll('\n', ' '), found.hint)
}

/** @param home the folder of this demo */
export async function openStore(kind: StoreKind, home: string): Promise<DemoStore> {
  if (kind === 'files') {
    const url = `file:${join(home, 'store')}`
    return { url, told: 'No server: the store is a folder.', shown: url, close: async () => {} }
  }
  const url = given()
  if (url !== undefined) {
    return { url, told: `Their runs are on ${maskedUrl(url)}.`, shown: maskedUrl(url), close: async () => {} }
  }
  const redis = await startRedis({ appendOnly: true })
  return {
    url: redis.url,
    told: `Their runs are on a Redis of their own, ${redis.url}.`,
    close: () => redis[Symbol.asyncDispose](),
  }
}

/** The Redis that the environment names, with a prefix of the demo's own unless it names one: its workers know one flow. */
function given(): string | undefined {
  const { BATON_STORE, BATON_REDIS_URL } = process.env
  const values = {
    ...(BATON_STORE === undefined || BATON_STORE === '' ? {} : { BATON_STORE }),
    ...(BATON_REDIS_URL === undefined || BATON_REDIS_URL === '' ? {} : { BATON_REDIS_URL }),
  }
  if (Object.keys(values).length === 0) return undefined
  const { url } = addressesOf(values).store
  if (/[?&]prefix=/.test(url)) return url
  return `${url}${url.includes('?') ? '&' : '?'}prefix=baton-demo`
}
