/** What a server keeps of what it has confirmed, by its own settings; and whether we may use its channels. */
import { BatonError, type ILogger } from '@baton/core'
import { type Durability, silentLogger, within } from '@baton/core/adapter'
import type { Cluster, Redis } from 'ioredis'
import { isCluster, openListener, type RedisSource } from './connection.ts'
import { redisMessageOf } from './errors.ts'
import { Keys } from './keys.ts'

export interface ServerCheckOptions {
  readonly allowEphemeral: boolean
  readonly logger: ILogger
}

export interface ChannelCheckOptions {
  readonly connection: RedisSource
  readonly prefix: string
  readonly timeoutMs: number
}

interface Fault {
  readonly message: string
  readonly hint: string
}

/**
 * Reads `appendonly`, `appendfsync` and `maxmemory-policy`. Throws `INVALID_OPTION` for a server that would lose runs,
 * unless that is allowed; then it says so aloud. A server that hides its settings is taken at its operator's word.
 */
export async function checkServer(
  redis: Redis | Cluster,
  { allowEphemeral, logger }: ServerCheckOptions,
): Promise<Durability> {
  const nodes = await mastersOf(redis)
  const levels = await Promise.all(nodes.map((node) => checkNode(node, allowEphemeral, logger)))
  return levels.includes('none') ? 'none' : levels.includes('process') ? 'process' : 'power'
}

async function mastersOf(redis: Redis | Cluster): Promise<readonly Redis[]> {
  if (!isCluster(redis)) return [redis]
  // It knows its nodes when it is connected.
  if (redis.status === 'wait') await redis.connect()
  return redis.nodes('master')
}

async function checkNode(node: Redis, allowEphemeral: boolean, logger: ILogger): Promise<Durability> {
  let settings: ReadonlyMap<string, string>
  try {
    settings = await readSettings(node)
  } catch (error) {
    if (!isRefusal(error)) throw error
    logger.log('warn', 'this Redis does not tell its settings: see that it appends to a file and evicts nothing', {
      error: redisMessageOf(error),
    })
    return 'process'
  }
  const faults = faultsOf(settings)
  const [first] = faults
  if (first === undefined) return settings.get('appendfsync') === 'always' ? 'power' : 'process'
  if (!allowEphemeral) {
    const message = faults.map((fault) => fault.message).join('; ')
    const hint = `${faults.map((fault) => fault.hint).join(' ')} Or pass allowEphemeral: true, and lose runs.`
    throw new BatonError('INVALID_OPTION', { field: 'connection', message: `this Redis loses runs: ${message}`, hint })
  }
  for (const { message, hint } of faults) logger.log('error', `runs will be lost: ${message}`, { hint })
  return 'none'
}

/**
 * Listens and speaks on a channel of the store's for a moment. Who may not would find out when a run has been written already: the
 * script that writes also tells.
 */
export async function checkChannels(redis: Redis | Cluster, options: ChannelCheckOptions): Promise<void> {
  const { connection, prefix, timeoutMs } = options
  const listener = openListener(connection, silentLogger)
  const channel = new Keys(prefix, 1).waitingNews('')
  try {
    await within(timeoutMs, isCluster(redis) ? redis.spublish(channel, '') : redis.publish(channel, ''))
    // It would wait for an outage to end.
    await within(timeoutMs, isCluster(listener) ? listener.ssubscribe(channel) : listener.subscribe(channel))
  } finally {
    listener.disconnect()
  }
}

function faultsOf(settings: ReadonlyMap<string, string>): readonly Fault[] {
  const faults: Fault[] = []
  if (settings.get('appendonly') !== 'yes') {
    faults.push({
      message: 'it does not write what it confirms to its append-only file',
      hint: 'Type CONFIG SET appendonly yes, and write "appendonly yes" into redis.conf.',
    })
  } else if (settings.get('appendfsync') === 'no') {
    faults.push({
      message: 'it leaves it to the system when its append-only file reaches the disk',
      hint: 'Type CONFIG SET appendfsync everysec, and write it into redis.conf.',
    })
  }
  const policy = settings.get('maxmemory-policy') ?? 'noeviction'
  if (policy !== 'noeviction') {
    faults.push({
      message: `it throws keys away when its memory is full (${policy})`,
      hint: 'Type CONFIG SET maxmemory-policy noeviction, and write it into redis.conf.',
    })
  }
  return faults
}

async function readSettings(node: Redis): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>()
  for (const name of ['appendonly', 'appendfsync', 'maxmemory-policy']) {
    const [, value] = (await node.config('GET', name)) as readonly string[]
    if (value !== undefined) settings.set(name, value)
  }
  return settings
}

/** Managed servers hide the command, or refuse it to whoever may not use it. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(ERR unknown command|NOPERM|ERR .*disabled)/i.test(error.message)
}
