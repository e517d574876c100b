/**
 * From URLs to ports: the only place that knows which package serves which kind of store and queue. A package is
 * loaded when it is asked for, so that nobody installs a client library that they do not use.
 *
 * `apps/worker` and `apps/client` hold the same copy of this file; a test compares them.
 */
import { fileURLToPath } from 'node:url'
import {
  BatonError,
  type ICoordinationStore,
  type IJobQueue,
  type ILogger,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  InMemoryRunStore,
  type IRunStore,
} from '@baton/core'
import { mistake, type Values } from './environment.ts'

export interface Ports {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
}

/** Where a port is, and from which variable we know. */
interface Address {
  readonly field: string
  readonly url: string
}

interface OpenOptions {
  readonly durability: 'process' | 'power' | undefined
  readonly logger: ILogger
}

/** One technology. What it does not offer is absent. */
interface Backend {
  readonly store?: (address: Address, options: OpenOptions) => Promise<Omit<Ports, 'queue'>>
  readonly queue?: (address: Address, options: OpenOptions) => Promise<IJobQueue>
}

const DEFAULT_STORE = 'file:.baton'

/** The addresses that the environment names. The queue is the store's own unless it has one of its own. */
export function addressesOf(values: Values): { readonly store: Address; readonly queue: Address } {
  const store: Address =
    values.BATON_STORE === undefined && values.BATON_REDIS_URL !== undefined
      ? { field: 'BATON_REDIS_URL', url: values.BATON_REDIS_URL }
      : { field: 'BATON_STORE', url: values.BATON_STORE ?? DEFAULT_STORE }
  const queue = values.BATON_QUEUE === undefined ? store : { field: 'BATON_QUEUE', url: values.BATON_QUEUE }
  return { store, queue }
}

/** Opens the ports. Throws `INVALID_OPTION` for a URL that nobody serves, `MISSING_ADAPTER` for a package to install. */
export async function openPorts(values: Values, logger: ILogger): Promise<Ports> {
  const addresses = addressesOf(values)
  const openStore = backendOf(addresses.store).store
  const openQueue = backendOf(addresses.queue).queue
  if (openStore === undefined) throw mistake(addresses.store.field, `${schemeOf(addresses.store)} is a queue, no store`)
  if (openQueue === undefined) {
    throw mistake(addresses.queue.field, `${schemeOf(addresses.queue)} is no queue`, 'Name one with BATON_QUEUE.')
  }
  const options: OpenOptions = { durability: values.BATON_DURABILITY, logger }
  const queue = await openQueue(addresses.queue, options)
  return { queue, ...(await openStore(addresses.store, options)) }
}

const memory: Backend = {
  store: async () => ({ store: new InMemoryRunStore(), coordinationStore: new InMemoryCoordinationStore() }),
  queue: async (_address, { logger }) => new InMemoryJobQueue({ logger }),
}

const files: Backend = {
  async store(address, { durability, logger }) {
    const { FileCoordinationStore, FileRunStore } = await importFiles(address)
    const options = { directory: directoryOf(address), logger, ...(durability === undefined ? {} : { durability }) }
    return { store: new FileRunStore(options), coordinationStore: new FileCoordinationStore(options) }
  },
  async queue(address, { logger }) {
    const { FileJobQueue } = await importFiles(address)
    return new FileJobQueue({ directory: directoryOf(address), logger })
  },
}

/** By the part of a URL before the colon. */
const backends: ReadonlyMap<string, Backend> = new Map([
  ['memory', memory],
  ['file', files],
])

/** The packages for what we know by name and cannot open without them. */
const packages: ReadonlyMap<string, string> = new Map([
  ['sqlite', '@baton/adapter-sqlite'],
  ['redis', '@baton/adapter-bullmq'],
  ['rediss', '@baton/adapter-bullmq'],
  ['dynamodb', '@baton/adapter-sqs-dynamo'],
  ['sqs', '@baton/adapter-sqs-dynamo'],
  ['kafka', '@baton/adapter-kafka'],
])

function backendOf(address: Address): Backend {
  const scheme = schemeOf(address)
  const backend = backends.get(scheme)
  if (backend !== undefined) return backend
  const missing = packages.get(scheme)
  if (missing !== undefined) throw missingAdapter(address, missing)
  const known = [...backends.keys(), ...packages.keys()].map((name) => `${name}:`).join(', ')
  throw mistake(address.field, `nobody serves ${scheme}: URLs`, `Known are: ${known}.`)
}

function schemeOf({ url }: Address): string {
  return url.slice(0, url.indexOf(':')).toLowerCase()
}

function directoryOf({ field, url }: Address): string {
  const directory = url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length)
  if (directory !== '') return directory
  throw mistake(field, 'names no folder', 'Write file:./data, or file:/srv/baton.')
}

async function importFiles(address: Address) {
  try {
    return await import('@baton/store-file')
  } catch (error) {
    throw isMissing(error, '@baton/store-file') ? missingAdapter(address, '@baton/store-file', error) : error
  }
}

/** Told apart from a package that is there and lacks something itself. */
function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  )
}

function missingAdapter(address: Address, name: string, cause?: unknown): BatonError {
  return new BatonError('MISSING_ADAPTER', {
    field: address.field,
    message: `${schemeOf(address)}: URLs need ${name}`,
    hint: `Install it: npm install ${name}`,
    cause,
  })
}
