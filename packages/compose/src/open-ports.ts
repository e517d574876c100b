/**
 * From URLs to ports: the only place that knows which package serves which kind of store and queue. A package is
 * loaded when it is asked for, so that nobody installs a client library that they do not use.
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
  silentLogger,
} from '@baton/core'
import { type Address, addressesOf, schemeOf } from './addresses.ts'
import type { Values } from './environment.ts'
import { mistake } from './mistake.ts'

/** What workers and clients are made of. */
export interface Ports {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly coordinationStore: ICoordinationStore
}

export interface OpenOptions {
  /** Default: nothing is logged. */
  readonly logger?: ILogger
}

interface Settings {
  readonly durability: Values['BATON_DURABILITY'] | undefined
  readonly logger: ILogger
}

/** One technology. What it does not offer is absent. */
interface Backend {
  readonly store?: (address: Address, settings: Settings) => Promise<Omit<Ports, 'queue'>>
  readonly queue?: (address: Address, settings: Settings) => Promise<IJobQueue>
}

/**
 * Opens the ports. Throws `INVALID_OPTION` for a URL that nobody serves, `MISSING_ADAPTER` for a package to install.
 * The ports are the caller's to close; if one cannot be opened, none is left open.
 */
export async function openPorts(values: Values, { logger = silentLogger }: OpenOptions = {}): Promise<Ports> {
  const addresses = addressesOf(values)
  const openStore = backendOf(addresses.store).store
  const openQueue = backendOf(addresses.queue).queue
  if (openStore === undefined)
    throw mistake(addresses.store.field, `${schemeOf(addresses.store)}: is a queue, no store`, 'Keep runs elsewhere.')
  if (openQueue === undefined) {
    throw mistake(addresses.queue.field, `${schemeOf(addresses.queue)}: is no queue`, 'Name one with BATON_QUEUE.')
  }
  const settings: Settings = { durability: values.BATON_DURABILITY, logger }
  const queue = await openQueue(addresses.queue, settings)
  try {
    return { queue, ...(await openStore(addresses.store, settings)) }
  } catch (error) {
    await queue.close()
    throw error
  }
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

function directoryOf({ field, url }: Address): string {
  try {
    const directory = url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length)
    if (directory !== '') return directory
  } catch {
    // What stands behind `//` would be a machine, and files of another machine are no store.
  }
  throw mistake(field, `${url} names no folder`, 'Write file:./data, or file:/srv/baton.')
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
