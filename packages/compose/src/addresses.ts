/** Where the ports are: URLs, and the variables that they come from. */
import { fileURLToPath } from 'node:url'
import { queuePlaceOf, tablePlaceOf } from './aws-url.ts'
import type { Values } from './environment.ts'
import { JOURNAL, kafkaPlaceOf } from './kafka-url.ts'
import { maskedUrl } from './masked-url.ts'
import { mistake } from './mistake.ts'
import { redisPlaceOf } from './redis-url.ts'

/** Where a port is, and from which variable we know. */
export interface Address {
  readonly field: string
  readonly url: string
}

const URL_EXAMPLE = 'file:./data'
const DEFAULT_STORE = 'file:.baton'

/** The addresses that the environment names. The queue is the store's own unless it has one of its own. */
export function addressesOf(values: Values): {
  readonly store: Address
  readonly queue: Address
  readonly journal: Address | undefined
} {
  const store: Address =
    values.BATON_STORE === undefined && values.BATON_REDIS_URL !== undefined
      ? { field: 'BATON_REDIS_URL', url: values.BATON_REDIS_URL }
      : { field: 'BATON_STORE', url: values.BATON_STORE ?? DEFAULT_STORE }
  const queue = values.BATON_QUEUE === undefined ? store : { field: 'BATON_QUEUE', url: values.BATON_QUEUE }
  const { BATON_JOURNAL: url } = values
  return { store, queue, journal: url === undefined ? undefined : { field: JOURNAL, url } }
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i

/** What URLs may begin with, and the package that serves each; it may not be installed here. */
export const packages: ReadonlyMap<string, string> = new Map([
  ['memory', '@baton/core'],
  ['file', '@baton/store-file'],
  ['sqlite', '@baton/adapter-sqlite'],
  ['redis', '@baton/adapter-bullmq'],
  ['rediss', '@baton/adapter-bullmq'],
  ['dynamodb', '@baton/adapter-sqs-dynamo'],
  ['sqs', '@baton/adapter-sqs-dynamo'],
  ['kafka', '@baton/adapter-kafka'],
])

/** Throws `INVALID_OPTION` for what cannot be a URL of ours, wherever it is opened. */
export function checkUrl(address: Address): void {
  const { field, url } = address
  const scheme = schemeOf(address)
  if (field === JOURNAL && scheme !== 'kafka') {
    throw mistake(field, `journals are not published to ${scheme}: URLs`, 'Write kafka://localhost:9092/baton-journal.')
  }
  if (!packages.has(scheme)) {
    const known = [...packages.keys()].map((name) => `${name}:`).join(', ')
    throw mistake(field, `nobody serves ${scheme}: URLs`, `Known are: ${known}.`)
  }
  if (scheme === 'memory' && url.slice('memory:'.length) !== '') {
    throw mistake(field, `${JSON.stringify(url)} says more than memory: can tell apart`, 'Write memory: and no more.')
  }
  if (scheme === 'file') directoryOf(address)
  if (scheme === 'redis' || scheme === 'rediss') redisPlaceOf(address)
  if (scheme === 'dynamodb') tablePlaceOf(address)
  if (scheme === 'sqs') queuePlaceOf(address)
  if (scheme === 'kafka') kafkaPlaceOf(address)
}

/** The part before the colon. */
export function schemeOf({ field, url }: Address): string {
  const scheme = SCHEME.exec(url)?.[1]
  if (scheme !== undefined) return scheme.toLowerCase()
  throw mistake(field, `must be a URL, not ${JSON.stringify(maskedUrl(url))}`, `Write something like ${URL_EXAMPLE}.`)
}

/** The folder that a `file:` URL names. */
export function directoryOf({ field, url }: Address): string {
  const extra = /[?#]/.exec(url)?.[0]
  if (extra !== undefined) {
    const hint = 'Write the folder alone; BATON_DURABILITY says what a commit survives.'
    throw mistake(field, `a file: URL takes nothing after ${extra}: ${JSON.stringify(url)}`, hint)
  }
  try {
    const directory = /^file:\/\//i.test(url) ? fileURLToPath(url) : url.slice('file:'.length)
    if (directory !== '') return directory
  } catch {
    // What stands behind `//` would be a machine, and files of another machine are no store.
  }
  throw mistake(field, `${JSON.stringify(url)} names no folder`, 'Write file:./data, or file:/srv/baton.')
}
