/**
 * What a `kafka:` URL says:
 *
 *   kafka://[user:password@]host[:port][,host[:port]…]/TOPIC[?deadLetterTopic=…&highTopic=…&lowTopic=…&groupId=…]
 *     &tls=true            over TLS
 *     &mechanism=…         of SASL: plain, scram-sha-256 or scram-sha-512
 *     &create=true         make the topics where they are not there, with &partitions=12 for those of jobs
 */
import type { Address } from './addresses.ts'
import { mistake } from './mistake.ts'
import { type Credentials, credentialsOf, serverAt } from './server-url.ts'
import { isTrue, parametersOf, partedAt } from './url-parameters.ts'

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

export interface KafkaPlace extends Credentials {
  /** `host:port`. */
  readonly brokers: readonly string[]
  readonly mechanism: (typeof mechanisms)[number]
  readonly isEncrypted: boolean
  /** As the adapter takes them. */
  readonly topics: {
    readonly topic: string
    readonly highTopic?: string
    readonly lowTopic?: string
    readonly deadLetterTopic?: string
  }
  readonly groupId: string | undefined
  readonly create: boolean
  readonly partitions: number | undefined
}

const DEFAULT_PORT = 9_092
const DEFAULT_TOPIC = 'baton'
const EXAMPLE = 'Write kafka://localhost:9092/baton, with kafka://user:password@host for brokers that ask who you are.'
const PARAMETERS = [
  'deadLetterTopic',
  'highTopic',
  'lowTopic',
  'groupId',
  'tls',
  'mechanism',
  'create',
  'partitions',
] as const

/** Throws `INVALID_OPTION` for what cannot be understood. What it says never holds the password. */
export function kafkaPlaceOf({ field, url }: Address): KafkaPlace {
  if (field !== 'BATON_QUEUE') {
    throw mistake(field, 'Kafka carries jobs and keeps no runs', 'Set BATON_QUEUE=kafka://…, and a store beside it.')
  }
  const [address = '', query = ''] = partedAt(url, '?')
  const [, credentials, hosts = '', topic] = /^kafka:\/\/(?:(.*)@)?([^/]*)(?:\/(.*))?$/is.exec(address) ?? []
  if (hosts === '') throw mistake(field, 'kafka: must be followed by // and a host', EXAMPLE)
  const { tls, mechanism = 'plain', create, partitions, groupId, ...others } = parametersOf(query, PARAMETERS, field)
  const topics = { topic: topic === undefined || topic === '' ? DEFAULT_TOPIC : topic, ...others }
  for (const name of Object.values(topics)) checkTopic(name, field)
  if (new Set(Object.values(topics)).size < Object.keys(topics).length) {
    throw mistake(field, 'two of the topics are the same', 'Give each another name, or leave one out.')
  }
  const known = mechanisms.find((each) => each === mechanism)
  if (known === undefined) {
    const hint = `There are ${mechanisms.join(', ')}.`
    throw mistake(field, `${JSON.stringify(mechanism)} is no mechanism that we can use`, hint)
  }
  if (partitions !== undefined && !/^[1-9]\d{0,4}$/.test(partitions)) {
    throw mistake(field, `${JSON.stringify(partitions)} is no number of partitions`, 'Write ?partitions=12.')
  }
  return {
    brokers: hosts.split(',').map((each) => {
      const { host, port } = serverAt(each, field, DEFAULT_PORT, EXAMPLE)
      return `${host.includes(':') ? `[${host}]` : host}:${port}`
    }),
    ...credentialsOf(credentials, field),
    mechanism: known,
    isEncrypted: isTrue(tls, 'tls', field),
    topics,
    groupId,
    create: isTrue(create, 'create', field),
    partitions: partitions === undefined ? undefined : Number(partitions),
  }
}

function checkTopic(name: string, field: string): void {
  if (/^[\w.-]{1,249}$/.test(name) && !/^\.{1,2}$/.test(name)) return
  throw mistake(field, `${JSON.stringify(name)} is no topic: up to 249 of A-Z a-z 0-9 . _ -`, EXAMPLE)
}
