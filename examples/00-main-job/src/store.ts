/** Where the demo's run is kept: in a folder, or on a server that is named or started for it. */
import { join } from 'node:path'
import { addressesOf, checkPorts, maskedUrl } from '@baton/compose'
import { type Emulator, isOnPath, startDynamo, startRedis, startSqs, whatToType } from '@baton/services'
import { Mistake } from './mistake.ts'
import type { DemoPlace } from './places.ts'

/** Each with what such a store is called in a URL. */
export const examples = { files: 'file:./data', redis: 'redis://…', dynamo: 'dynamodb://…' } as const
export type StoreKind = keyof typeof examples
export const kinds = Object.keys(examples)

export function isKind(text: string): text is StoreKind {
  return kinds.includes(text)
}

export interface StoreOptions {
  /** Jobs are elsewhere: the store's own queue is not used. */
  readonly isQueueElsewhere: boolean
}

type ServerKind = Exclude<StoreKind, 'files'>

const schemes = { redis: /^rediss?:/i, dynamo: /^dynamodb:/i } as const
const names = { redis: 'Redis', dynamo: 'table of DynamoDB' } as const
const instead = { redis: 'a Redis is', dynamo: 'servers that play DynamoDB and SQS are' } as const

/** Throws a `Mistake` where the store cannot be had: before anything is started, and nothing is written. */
export async function checkStore(kind: StoreKind, options: StoreOptions): Promise<void> {
  if (kind === 'files') return
  const values = given(kind, options)
  if (values === undefined) return checkOwn(kind)
  const url = values.BATON_STORE
  if (!schemes[kind].test(url)) {
    throw new Mistake(
      `BATON_STORE=${maskedUrl(url)} is no ${names[kind]}`,
      `Set it to ${examples[kind]}, or leave it out: then ${instead[kind]} started for the demo.`,
    )
  }
  const [found] = await checkPorts(options.isQueueElsewhere ? { ...values, BATON_QUEUE: 'memory:' } : values)
  if (found !== undefined) throw new Mistake(found.message.replaceAll('\n', ' '), found.hint)
}

function checkOwn(kind: ServerKind): void {
  if (kind !== 'redis' || isOnPath('redis-server')) return
  const what = whatToType('redis-server', 'redis-server', 'BATON_STORE')
  throw new Mistake('There is no redis-server here', `${what[0]?.toUpperCase()}${what.slice(1)}.`)
}

/** @param home the folder of this demo */
export async function openStore(kind: StoreKind, home: string, options: StoreOptions): Promise<DemoPlace> {
  const close = async () => {}
  if (kind === 'files') {
    const env = { BATON_STORE: `file:${join(home, 'store')}` }
    return { env, told: 'No server: the store is a folder.', shown: shownAs(env), close }
  }
  const env = given(kind, options)
  if (env === undefined) return kind === 'redis' ? ownRedis() : ownAws(options)
  return { env, told: `Their runs are on ${maskedUrl(env.BATON_STORE)}.`, shown: shownAs(env), close }
}

async function ownRedis(): Promise<DemoPlace> {
  const redis = await startRedis({ appendOnly: true })
  return {
    env: { BATON_STORE: redis.url },
    told: `Their runs are on a Redis of their own, ${redis.url}.`,
    close: () => redis[Symbol.asyncDispose](),
  }
}

// Servers that play DynamoDB and SQS take anybody. A profile would go before these.
const ANYBODY = { AWS_ACCESS_KEY_ID: 'demo', AWS_SECRET_ACCESS_KEY: 'demo', AWS_PROFILE: '' }

/** DynamoDB and SQS as they are played by servers of this machine: no account, and nothing to pay. */
async function ownAws({ isQueueElsewhere }: StoreOptions): Promise<DemoPlace> {
  const dynamo = await ownDynamo()
  const place = (endpoint: string) => `demo?region=us-east-1&endpoint=${endpoint}&create=true`
  const env = { ...ANYBODY, BATON_STORE: `dynamodb://${place(dynamo.endpoint)}` }
  const told = `Their runs are in a DynamoDB of their own, ${dynamo.endpoint}`
  if (isQueueElsewhere) return { env, told: `${told}.`, close: () => dynamo[Symbol.asyncDispose]() }
  const sqs = await startSqs({ kind: 'fauxqs', own: true })
  return {
    env: { ...env, BATON_QUEUE: `sqs://${place(sqs.endpoint)}` },
    told: `${told}, and their jobs in an SQS, ${sqs.endpoint}.`,
    async close() {
      await dynamo[Symbol.asyncDispose]()
      await sqs[Symbol.asyncDispose]()
    },
  }
}

/** The one that is there in an instant, where it can be had. */
async function ownDynamo(): Promise<Emulator> {
  for (const kind of ['dynoxide', 'dynamodb-local'] as const) {
    const dynamo = await startDynamo({ kind, own: true })
    if (dynamo.skipReason === undefined) return dynamo
    if (kind === 'dynoxide') continue
    const [why] = dynamo.skipReason.split(', or set ')
    throw new Error(`${why}, or set BATON_STORE=${examples.dynamo} to a table of yours`)
  }
  throw new Error('there is no server that plays DynamoDB')
}

function shownAs({ BATON_STORE, BATON_QUEUE }: Given): string {
  const queue = BATON_QUEUE === undefined ? '' : ` BATON_QUEUE='${maskedUrl(BATON_QUEUE)}'`
  return `BATON_STORE='${maskedUrl(BATON_STORE)}'${queue}`
}

type Given = { readonly BATON_STORE: string; readonly BATON_QUEUE?: string }

/** The store that the environment names, with a prefix of the demo's own unless it names one: its workers know one flow. */
function given(kind: ServerKind, { isQueueElsewhere }: StoreOptions): Given | undefined {
  const { BATON_STORE = '', BATON_QUEUE = '', BATON_REDIS_URL = '' } = process.env
  const values = {
    ...(BATON_STORE === '' ? {} : { BATON_STORE }),
    ...(BATON_REDIS_URL === '' || kind !== 'redis' ? {} : { BATON_REDIS_URL }),
  }
  if (Object.keys(values).length === 0) return undefined
  const { url } = addressesOf(values).store
  const own = /[?&]prefix=/.test(url) ? url : `${url}${url.includes('?') ? '&' : '?'}prefix=baton-demo`
  const hasQueue = kind === 'dynamo' && BATON_QUEUE !== '' && !isQueueElsewhere
  return { BATON_STORE: own, ...(hasQueue ? { BATON_QUEUE } : {}) }
}
