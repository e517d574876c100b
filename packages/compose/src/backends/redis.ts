/** `redis:` and `rediss:` URLs: runs and locks in Redis, jobs in BullMQ. */
import { BatonError } from '@baton/core'
import type { Cluster, Redis } from 'ioredis'
import type { Address } from '../addresses.ts'
import { loadAdapter } from '../missing-adapter.ts'
import { mistake } from '../mistake.ts'
import { type RedisPlace, redisPlaceOf } from '../redis-url.ts'
import type { Backend, Look } from './backend.ts'

export const redis: Backend = {
  async check(address, look) {
    const { adapter, place, connection } = await load(address)
    // A queue that is down for a while is nobody's mistake.
    if (look.part === 'queue') return
    const { prefix, allowEphemeral } = place
    const found = await adapter.lookAtRedis({ connection, prefix, allowEphemeral }).catch((error: unknown) => {
      throw inWordsOfUrl(error, address, place)
    })
    checkDurability(found.durability, look)
    if (!look.mustExist || found.hasStore) return
    throw mistake(
      address.field,
      `there is no store with the prefix ${prefix} on this Redis`,
      'Name the one that the run was started on, with its ?prefix= and its database.',
    )
  },
  async store(address, { reminders, logger }) {
    const { adapter, place, connection } = await load(address)
    const { prefix, allowEphemeral } = place
    return {
      store: await adapter.RedisRunStore.connect({ connection, prefix, allowEphemeral, logger, ...reminders }),
      coordinationStore: new adapter.RedisCoordinationStore(connection, { prefix, logger }),
    }
  },
  async queue(address, { logger }) {
    const { adapter, place, connection } = await load(address)
    return new adapter.BullMQJobQueue({ connection, name: place.prefix, logger })
  },
}

const PACKAGES = ['@baton/adapter-bullmq', 'bullmq', 'ioredis']

async function load(address: Address) {
  const [adapter, client] = await loadAdapter(address, PACKAGES, () =>
    Promise.all([import('@baton/adapter-bullmq'), import('ioredis')]),
  )
  const place = redisPlaceOf(address)
  return { adapter, place, connection: clientOf(place, client) }
}

/** Never connects: the ports open connections of their own that are made like it. */
function clientOf(place: RedisPlace, client: Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>): Redis | Cluster {
  const { nodes, isCluster, isEncrypted, username, password, database } = place
  const options = {
    lazyConnect: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isEncrypted ? { tls: {} } : {}),
  }
  if (!isCluster) return new client.Redis({ ...nodes[0], ...options, db: database })
  return new client.Cluster([...nodes], { lazyConnect: true, redisOptions: options })
}

/** The adapter speaks of its options; here they stand in a URL. */
function inWordsOfUrl(error: unknown, { field }: Address, { nodes }: RedisPlace): unknown {
  if (!BatonError.is(error)) return error
  const message = error.message.replace(/^connection: /, '')
  if (/\b(NOAUTH|WRONGPASS)\b/.test(message)) {
    return mistake(field, `this Redis does not let us in: ${message}`, 'Write redis://user:password@host.')
  }
  if (error.code === 'INVALID_OPTION') return mistake(field, message, hintFor(error))
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
  const [said] = message.split('. ')
  return new BatonError(error.code, {
    field,
    message: `no Redis to work with at ${hosts} (${said})`,
    hint: 'See that it runs and that the address is right; then start again.',
    cause: error,
  })
}

function hintFor({ hint }: BatonError): string {
  return hint
    .replace('pass allowEphemeral: true', 'add ?allowEphemeral=true to the URL')
    .replace('Give it as a cluster', 'Add ?cluster=true to the URL')
}

function checkDurability(given: 'none' | 'process' | 'power' | 'replicated', { durability }: Look): void {
  if (durability === undefined || given === 'power' || given === 'replicated' || given === durability) return
  throw mistake(
    'BATON_DURABILITY',
    `this Redis gives ${given} and not ${durability}`,
    given === 'none'
      ? 'Leave it out: nothing is kept for sure.'
      : 'Type CONFIG SET appendfsync always, or leave it out.',
  )
}
