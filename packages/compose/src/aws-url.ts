/**
 * What `dynamodb:` and `sqs:` URLs say:
 *
 *   dynamodb://TABLE[?region=…&endpoint=…&prefix=…&create=true]
 *   sqs://QUEUE[?region=…&endpoint=…&highQueue=…&lowQueue=…&deadLetterQueue=…&create=true]
 *   sqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE[?…]      a queue by the whole of its own URL
 *
 * A queue by its name has its dead letters in the one with its name and `-dead`, where there is one, unless another is given.
 * The own queue of a table is the one with its name, in the same region and at the same endpoint, unless there is a prefix: two stores
 * must not share a queue. Who asks is nobody's to write into a URL: the SDK finds its credentials.
 */
import type { Address } from './addresses.ts'
import { mistake } from './mistake.ts'
import { isTrue, parametersOf, partedAt } from './url-parameters.ts'

/** Where a service is; what is absent the SDK finds in its own settings. */
export interface AwsPlace {
  readonly region: string | undefined
  readonly endpoint: string | undefined
}

export interface TablePlace extends AwsPlace {
  readonly table: string
  readonly prefix: string | undefined
  /** Make the table where there is none. */
  readonly create: boolean
}

export interface QueuePlace extends AwsPlace {
  /** A name or a URL, as the SDK takes it. */
  readonly queue: string
  readonly highQueue: string | undefined
  readonly lowQueue: string | undefined
  readonly deadLetterQueue: string | undefined
  /** Make the queues where there are none, and one for their dead letters. */
  readonly create: boolean
}

/** Of the one store in a table that needs no other. */
const DEFAULT_PREFIX = 'baton'

const TABLE_EXAMPLE = 'Write dynamodb://baton, with ?region=eu-west-1 for another region than the usual one.'
const QUEUE_EXAMPLE = 'Write sqs://baton, with ?region=eu-west-1 for another region than the usual one.'

/** Throws `INVALID_OPTION` for what is no table's URL, or no store's. */
export function tablePlaceOf({ field, url }: Address): TablePlace {
  if (field === 'BATON_QUEUE') throw mistake(field, 'a table is no queue', QUEUE_EXAMPLE)
  const { rest: table, query } = splitUrl({ field, url }, TABLE_EXAMPLE)
  if (!/^[\w.-]{3,255}$/.test(table)) {
    throw mistake(field, `${JSON.stringify(table)} is no table: 3 to 255 of A-Z a-z 0-9 _ . -`, TABLE_EXAMPLE)
  }
  const { prefix, create, ...place } = parametersOf(query, ['region', 'endpoint', 'prefix', 'create'], field)
  if (prefix !== undefined && !/^[\w.:@-]{1,100}$/.test(prefix)) {
    throw mistake(field, 'the prefix must have 1 to 100 of A-Z a-z 0-9 _ . : @ -', 'Write ?prefix=billing.')
  }
  return { table, prefix, create: isTrue(create, 'create', field), ...awsPlaceOf(place, field) }
}

/** Throws `INVALID_OPTION` for what is no queue's URL. That of a table, by the variable of the store, stands for the table's own queue. */
export function queuePlaceOf(address: Address): QueuePlace {
  const { field, url } = address
  if (field !== 'BATON_QUEUE' && /^dynamodb:/i.test(url)) return ownQueueOf(address)
  if (field !== 'BATON_QUEUE') throw mistake(field, 'SQS keeps jobs and no runs', TABLE_EXAMPLE)
  const { rest, query } = splitUrl(address, QUEUE_EXAMPLE)
  const { highQueue, lowQueue, deadLetterQueue, create, ...given } = parametersOf(
    query,
    ['region', 'endpoint', 'highQueue', 'lowQueue', 'deadLetterQueue', 'create'],
    field,
  )
  const whole = /^([^/@]+)\/\d+\/([^/]+)$/.exec(rest)
  const [, host, name = rest] = whole ?? []
  const others = { highQueue, lowQueue, deadLetterQueue }
  checkQueueNames(name, others, field)
  const place = awsPlaceOf(given, field)
  const settings = { ...others, create: isTrue(create, 'create', field) }
  if (host === undefined) return { queue: name, ...settings, ...place }
  if (settings.create || place.endpoint !== undefined) {
    const hint = `Write sqs://${name} with them, or this URL without.`
    throw mistake(field, 'create= and endpoint= go with the name of a queue, not with its whole URL', hint)
  }
  const region = place.region ?? /^sqs\.([a-z\d-]+)\.amazonaws\.com/.exec(host)?.[1]
  return { queue: `https://${rest}`, ...settings, ...place, region }
}

function ownQueueOf(address: Address): QueuePlace {
  const { table, prefix = DEFAULT_PREFIX, create, region, endpoint } = tablePlaceOf(address)
  if (prefix !== DEFAULT_PREFIX) {
    const message = `the queue of the table ${table} is not for a store with a prefix: others in the table have it`
    throw mistake(address.field, message, 'Set BATON_QUEUE=sqs://QUEUE as well, with a queue of its own.')
  }
  if (!isQueueName(table)) {
    const message = `no queue can have the name of the table ${table}`
    throw mistake(address.field, message, 'Set BATON_QUEUE=sqs://QUEUE as well: up to 80 of A-Z a-z 0-9 _ -.')
  }
  const none = { highQueue: undefined, lowQueue: undefined, deadLetterQueue: undefined }
  return { queue: table, ...none, create, region, endpoint }
}

function splitUrl({ field, url }: Address, example: string): { readonly rest: string; readonly query: string } {
  const [address = '', query = ''] = partedAt(url, '?')
  const [scheme = '', behind = ''] = partedAt(address, ':')
  const [, rest] = /^\/\/(.*?)\/?$/s.exec(behind) ?? []
  if (rest === undefined) throw mistake(field, `${scheme}: must be followed by // and a name`, example)
  return { rest, query }
}

function awsPlaceOf(given: { readonly region?: string; readonly endpoint?: string }, field: string): AwsPlace {
  const { region, endpoint } = given
  if (region !== undefined && !/^[a-z\d-]{1,64}$/.test(region)) {
    throw mistake(field, `${JSON.stringify(region)} is no region`, 'Write ?region=eu-west-1.')
  }
  if (endpoint !== undefined && !(/^https?:\/\/[^@]+$/.test(endpoint) && URL.canParse(endpoint))) {
    throw mistake(field, 'the endpoint must be a http: or https: URL', 'Write ?endpoint=http://127.0.0.1:8000.')
  }
  return { region, endpoint }
}

/** Also whether they are different queues of one kind. */
function checkQueueNames(name: string, others: Readonly<Record<string, string | undefined>>, field: string): void {
  const taken = new Set<string>()
  for (const [parameter, each] of Object.entries({ queue: name, ...others })) {
    if (each === undefined) continue
    if (!isQueueName(each)) {
      throw mistake(field, `${JSON.stringify(each)} is no queue: up to 80 of A-Z a-z 0-9 _ -`, QUEUE_EXAMPLE)
    }
    if (taken.has(each)) {
      throw mistake(
        field,
        `${parameter}= is another of the queues as well: ${each}`,
        'Give each of them a queue of its own.',
      )
    }
    if (each.endsWith(FIFO) !== name.endsWith(FIFO)) {
      throw mistake(field, `${parameter}= is of another kind than ${name}`, 'Either all of them end in .fifo, or none.')
    }
    taken.add(each)
  }
}

const FIFO = '.fifo'

/** The name that the templates and `ensureInfrastructure` give to the queue for the dead letters of this one. */
export function deadLettersNameOf(queue: string): string {
  const suffix = queue.endsWith(FIFO) ? FIFO : ''
  return `${queue.slice(0, queue.length - suffix.length)}-dead${suffix}`
}

/** A whole URL is none. */
export function isQueueName(name: string): boolean {
  return name.length <= 80 && /^[\w-]+(\.fifo)?$/.test(name)
}
