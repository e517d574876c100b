/**
 * What a `kafka:` URL says:
 *
 *   kafka://[user:password@]host[:port][,host[:port]…]/TOPIC[?deadLetterTopic=…&highTopic=…&lowTopic=…&groupId=…]
 *     &tls=true            over TLS
 *     &mechanism=…         of SASL: plain, scram-sha-256 or scram-sha-512
 *     &create=true         make the topics where they are not there, with &partitions=12 for those of jobs
 *
 * As BATON_JOURNAL it names the topic of the journals, and neither another one nor a group.
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

/** The variable that says where journals are published. */
export const JOURNAL = 'BATON_JOURNAL'

const DEFAULT_PORT = 9_092
const DEFAULT_TOPIC = 'baton'
const DEFAULT_JOURNAL = 'baton-journal'
const EXAMPLE = 'Write kafka://localhost:9092/baton, with kafka://user:password@host for brokers that ask who you are.'
const OF_ALL = ['tls', 'mechanism', 'create', 'partitions'] as const
const PARAMETERS = ['deadLetterTopic', 'highTopic', 'lowTopic', 'groupId', ...OF_ALL] as const
type Parameter = (typeof PARAMETERS)[number]

/** Throws `INVALID_OPTION` for what cannot be understood. What it says never holds the password. */
export function kafkaPlaceOf({ field, url }: Address): KafkaPlace {
  if (field !== 'BATON_QUEUE' && field !== JOURNAL) {
    throw mistake(field, 'Kafka carries jobs and keeps no runs', 'Set BATON_QUEUE=kafka://…, and a store beside it.')
  }
  const [address = '', query = ''] = partedAt(url, '?')
  const [, credentials, hosts = '', topic] = /^kafka:\/\/(?:(.*)@)?([^/]*)(?:\/(.*))?$/is.exec(address) ?? []
  if (hosts === '') throw mistake(field, 'kafka: must be followed by // and a host', EXAMPLE)
  const known = field === JOURNAL ? OF_ALL : PARAMETERS
  const { tls, mechanism = 'plain', create, partitions, ...ofJobs } = parametersOf<Parameter>(query, known, field)
  const { groupId, ...others } = ofJobs
  const byDefault = field === JOURNAL ? DEFAULT_JOURNAL : DEFAULT_TOPIC
  const topics = { topic: topic === undefined || topic === '' ? byDefault : topic, ...others }
  for (const name of Object.values(topics)) checkTopic(name, field)
  if (new Set(Object.values(topics)).size < Object.keys(topics).length) {
    throw mistake(field, 'two of the topics are the same', 'Give each another name, or leave one out.')
  }
  const knownMechanism = mechanisms.find((each) => each === mechanism)
  if (knownMechanism === undefined) {
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
    mechanism: knownMechanism,
    isEncrypted: isTrue(tls, 'tls', field),
    topics,
    groupId,
    create: isTrue(create, 'create', field),
    partitions: partitions === undefined ? undefined : Number(partitions),
  }
}

/** Throws `INVALID_OPTION` where journals would come among jobs: whoever looks for jobs there takes them out for good. */
export function checkJournalApart(journal: Address, queue: Address): void {
  const { brokers, topics } = kafkaPlaceOf(journal)
  const ofQueue = kafkaPlaceOf(queue)
  const isShared = Object.values(ofQueue.topics).includes(topics.topic)
  if (!isShared || !brokers.some((broker) => ofQueue.brokers.includes(broker))) return
  const hint = 'Write kafka://localhost:9092/baton-journal, or another topic that no jobs are in.'
  throw mistake(journal.field, `the topic ${topics.topic} is of ${queue.field} already`, hint)
}

function checkTopic(name: string, field: string): void {
  if (/^[\w.-]{1,249}$/.test(name) && !/^\.{1,2}$/.test(name)) return
  throw mistake(field, `${JSON.stringify(name)} is no topic: up to 249 of A-Z a-z 0-9 . _ -`, EXAMPLE)
}
