/**
 * From URLs to ports: the only place that knows which package serves which kind of store and queue. A package is
 * loaded when it is asked for, so that nobody installs a client library that they do not use.
 */
import { BatonError, type ILogger, silentLogger } from '@baton/core'
import { remindersFor } from '@baton/core/adapter'
import { type Address, addressesOf, checkUrl, packages, schemeOf } from './addresses.ts'
import type { Backend, Look, Ports, Settings } from './backends/backend.ts'
import { dynamo } from './backends/dynamo.ts'
import { files } from './backends/files.ts'
import { kafka } from './backends/kafka.ts'
import { memory } from './backends/memory.ts'
import { redis } from './backends/redis.ts'
import { sqs } from './backends/sqs.ts'
import type { Values } from './environment.ts'
import { checkJournalApart } from './kafka-url.ts'
import { missingAdapter } from './missing-adapter.ts'

/** By the part of a URL before the colon. */
const backends: ReadonlyMap<string, Backend> = new Map([
  ['memory', memory],
  ['file', files],
  ['redis', redis],
  ['rediss', redis],
  ['dynamodb', dynamo],
  ['sqs', sqs],
  ['kafka', kafka],
])

export interface OpenOptions {
  /** Default: nothing is logged. */
  readonly logger?: ILogger
}

export interface CheckOptions {
  /** For whoever only looks: a store that is not there yet is a mistake, and is not made. */
  readonly mustExist?: boolean
}

/**
 * All that stands in the way of `openPorts` and can be seen without writing anything: `INVALID_OPTION` for a URL that
 * nobody serves or that names no folder, `MISSING_ADAPTER` for a package to install, `STORE_UNAVAILABLE` for a server
 * that does not answer.
 */
export async function checkPorts(values: Values, { mustExist = false }: CheckOptions = {}): Promise<BatonError[]> {
  const { store, queue, journal } = addressesOf(values)
  const look = { mustExist, durability: values.BATON_DURABILITY }
  const checks = [
    checkPart(store, { ...look, part: 'store' }),
    checkPart(queue, { ...look, part: 'queue' }),
    ...(journal === undefined ? [] : [checkJournal(journal, queue, look)]),
  ]
  const found = (await Promise.all(checks)).flatMap((each) => each ?? [])
  // A store and its own queue have the same things against them.
  return found.filter(({ message }, at) => found.findIndex((other) => other.message === message) === at)
}

async function checkJournal(
  journal: Address,
  queue: Address,
  look: Omit<Look, 'part'>,
): Promise<BatonError | undefined> {
  const found = await checkPart(journal, { ...look, part: 'journal' })
  if (found !== undefined || schemeOf(queue) !== schemeOf(journal)) return found
  return refusalOf(() => checkJournalApart(journal, queue))
}

async function checkPart(address: Address, look: Look): Promise<BatonError | undefined> {
  return refusalOf(() => backendOf(address).check(address, look))
}

async function refusalOf(check: () => unknown): Promise<BatonError | undefined> {
  try {
    await check()
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
  const { BATON_DURABILITY: durability, BATON_LEASE_MS: leaseMs } = values
  // As long as a lease, so that what a dead worker held is not late.
  const settings: Settings = { durability, reminders: remindersFor(leaseMs === undefined ? {} : { leaseMs }), logger }
  const queue = await backendOf(addresses.queue).queue(addresses.queue, settings)
  try {
    const journal = await openJournal(addresses.journal, settings)
    try {
      return { queue, ...journal, ...(await backendOf(addresses.store).store(addresses.store, settings)) }
    } catch (error) {
      await journal.journalSink?.close()
      throw error
    }
  } catch (error) {
    await queue.close()
    throw error
  }
}

async function openJournal(address: Address | undefined, settings: Settings): Promise<Pick<Ports, 'journalSink'>> {
  if (address === undefined) return {}
  const journalSink = await backendOf(address).journal?.(address, settings)
  return journalSink === undefined ? {} : { journalSink }
}

function backendOf(address: Address): Backend {
  checkUrl(address)
  const scheme = schemeOf(address)
  const backend = backends.get(scheme)
  if (backend === undefined) throw missingAdapter(address, [packages.get(scheme) ?? ''])
  return backend
}
