/**
 * From URLs to ports: the only place that knows which package serves which kind of store and queue. A package is
 * loaded when it is asked for, so that nobody installs a client library that they do not use.
 */
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
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
import { type Address, addressesOf, checkUrl, directoryOf, packages, schemeOf } from './addresses.ts'
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

/** One technology. */
interface Backend {
  /** Throws what stands in the way, as far as it can be seen without writing anything. */
  check(address: Address, part: 'store' | 'queue', mustExist: boolean): Promise<void>
  store(address: Address, settings: Settings): Promise<Omit<Ports, 'queue'>>
  queue(address: Address, settings: Settings): Promise<IJobQueue>
}

export interface CheckOptions {
  /** For whoever only looks: a folder that is not there yet is a mistake, and is not made. */
  readonly mustExist?: boolean
}

/**
 * All that stands in the way of `openPorts` and can be seen without writing anything: `INVALID_OPTION` for a URL that
 * nobody serves or that names no folder, `MISSING_ADAPTER` for a package to install.
 */
export async function checkPorts(values: Values, { mustExist = false }: CheckOptions = {}): Promise<BatonError[]> {
  const { store, queue } = addressesOf(values)
  const checks = [checkPart(store, 'store', mustExist), checkPart(queue, 'queue', mustExist)]
  const found = (await Promise.all(checks)).flatMap((each) => each ?? [])
  // A store and its own queue have the same things against them.
  return found.filter(({ message }, at) => found.findIndex((other) => other.message === message) === at)
}

async function checkPart(
  address: Address,
  part: 'store' | 'queue',
  mustExist: boolean,
): Promise<BatonError | undefined> {
  try {
    await backendOf(address).check(address, part, mustExist)
    return undefined
  } catch (error) {
    if (BatonError.is(error)) return error
    throw error
  }
}

/**
 * Opens the ports. Throws the first thing that `checkPorts` finds, before anything is written. The ports are the
 * caller's to close; if one cannot be opened, none is left open.
 */
export async function openPorts(values: Values, { logger = silentLogger }: OpenOptions = {}): Promise<Ports> {
  const [first] = await checkPorts(values)
  if (first !== undefined) throw first
  const addresses = addressesOf(values)
  const settings: Settings = { durability: values.BATON_DURABILITY, logger }
  const queue = await backendOf(addresses.queue).queue(addresses.queue, settings)
  try {
    return { queue, ...(await backendOf(addresses.store).store(addresses.store, settings)) }
  } catch (error) {
    await queue.close()
    throw error
  }
}

const memory: Backend = {
  check: async () => {},
  store: async () => ({ store: new InMemoryRunStore(), coordinationStore: new InMemoryCoordinationStore() }),
  queue: async (_address, { logger }) => new InMemoryJobQueue({ logger }),
}

const files: Backend = {
  async check(address, part, mustExist) {
    await importFiles(address)
    checkFolder(address, part, mustExist)
  },
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

function backendOf(address: Address): Backend {
  checkUrl(address)
  const scheme = schemeOf(address)
  const backend = backends.get(scheme)
  if (backend === undefined) throw missingAdapter(address, packages.get(scheme) ?? '')
  return backend
}

/** Looks, and makes nothing. */
function checkFolder(address: Address, part: 'store' | 'queue', mustExist: boolean): void {
  const { field } = address
  const directory = resolve(directoryOf(address))
  const isFolder = folderAt(directory)
  if (isFolder === false) throw mistake(field, `${directory} is not a folder`, 'Name a folder; it may be a new one.')
  if (!mustExist) return
  // Whoever opens a store leaves this file in it, as its last step.
  const isThere = part === 'store' ? existsSync(join(directory, 'store.json')) : isFolder === true
  if (isThere) return
  throw mistake(field, `there is no store in ${directory}`, 'Name the folder that the run was started in: file:./data.')
}

/** @returns undefined where there is nothing yet */
function folderAt(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    // One of the folders above is a file.
    if (code === 'ENOTDIR') return false
    // What else is wrong is for whoever opens it to say.
    return true
  }
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
