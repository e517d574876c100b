/**
 * What a `redis:` URL says:
 *
 *   redis://[[user]:password@]host[:port][,host[:port]…][/database][?prefix=…&cluster=true&allowEphemeral=true]
 *
 * Several hosts are nodes of one cluster. `rediss:` is the same over TLS.
 */
import type { Address } from './addresses.ts'
import { mistake } from './mistake.ts'
import { type Credentials, credentialsOf, type ServerAddress, serverAt } from './server-url.ts'
import { isTrue, parametersOf, partedAt } from './url-parameters.ts'

export interface RedisPlace extends Credentials {
  /** One server, or those nodes of a cluster to begin with. */
  readonly nodes: readonly [ServerAddress, ...ServerAddress[]]
  readonly isCluster: boolean
  readonly isEncrypted: boolean
  readonly database: number
  /** What all keys begin with, and the name of the queue. */
  readonly prefix: string
  readonly allowEphemeral: boolean
}

const DEFAULT_PORT = 6_379
const EXAMPLE = 'Write redis://localhost:6379, with redis://user:password@host for one that asks who you are.'
const PARAMETERS = ['prefix', 'cluster', 'allowEphemeral'] as const

/** Throws `INVALID_OPTION` for what cannot be understood. What it says never holds the password. */
export function redisPlaceOf({ field, url }: Address): RedisPlace {
  const [address = '', query = ''] = partedAt(url, '?')
  const found = /^(rediss?):\/\/(?:(.*)@)?([^/]*)(?:\/(.*))?$/is.exec(address)
  const [, scheme = '', credentials, hosts = '', path = ''] = found ?? []
  if (found === null) throw mistake(field, `${scheme || 'redis'}: must be followed by // and a host`, EXAMPLE)
  const [first, ...others] = hosts.split(',').map((host) => serverAt(host, field, DEFAULT_PORT, EXAMPLE))
  if (first === undefined) throw mistake(field, 'names no host', EXAMPLE)
  if (!/^\d{0,5}$/.test(path)) {
    throw mistake(field, `the database must be a number, not ${JSON.stringify(path)}`, 'Write redis://host/0.')
  }
  const { cluster, allowEphemeral, prefix = 'baton' } = parametersOf(query, PARAMETERS, field)
  const isCluster = others.length > 0 || isTrue(cluster, 'cluster', field)
  const database = Number(path)
  if (isCluster && database !== 0) throw mistake(field, 'a cluster has no databases but 0', 'Leave the number out.')
  if (!/^[\w.-]{1,80}$/.test(prefix)) {
    throw mistake(field, 'the prefix must have 1 to 80 of A-Z a-z 0-9 . _ -', 'Write ?prefix=billing.')
  }
  return {
    nodes: [first, ...others],
    isCluster,
    isEncrypted: scheme.toLowerCase() === 'rediss',
    ...credentialsOf(credentials, field),
    database,
    prefix,
    allowEphemeral: isTrue(allowEphemeral, 'allowEphemeral', field),
  }
}
