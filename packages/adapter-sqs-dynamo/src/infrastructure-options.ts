/** Every option of `ensureInfrastructure`: what it means, its default and its check, once. */
import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs'
import { BatonError } from '@baton/core'
import { checkInjected, checkNumber, checkOptions, type ILogger, silentLogger } from '@baton/core/adapter'
import { checkClient } from './aws-client.ts'
import { TWELVE_HOURS_MS } from './job-queue-options.ts'
import { checkTable } from './run-store-options.ts'

export interface InfrastructureOptions {
  /** The name of the table. Default `baton`. `false`: none, for who has another store. */
  readonly table?: string | false
  /** The name of the queue. Default: that of the table, as with `SqsAdapter`. `false`: none, for who has another queue. */
  readonly queueName?: string | false
  /** The name of a queue for jobs of a priority above 0, and of one for those below. Default: none. */
  readonly highQueue?: string
  readonly lowQueue?: string
  /** The name of the queue for what nobody could use. Default: that of the queue with `-dead`. `false`: none. */
  readonly deadLetterQueue?: string | false
  /** A FIFO queue, whose name ends in `.fifo`. Default: what the name says. */
  readonly fifo?: boolean
  /** A client of DynamoDB, or the configuration of one. Default: as the SDK finds region and credentials. */
  readonly dynamo?: DynamoDBClient | DynamoDBClientConfig
  /** A client of SQS, or the configuration of one. Default: as the SDK finds region and credentials. */
  readonly sqs?: SQSClient | SQSClientConfig
  /** Of a queue that is made: how long it keeps a message from others that was received. Consumers say so themselves. Default 60 s. */
  readonly visibilityMs?: number
  /** Of a queue that is made: how often a message may be received before SQS puts it among the dead letters. Default 20. */
  readonly maxReceiveCount?: number
  /** How long it may take until all is there and active. Default 3 minutes. */
  readonly timeoutMs?: number
  readonly logger?: ILogger
}

export interface CheckedInfrastructureOptions {
  readonly table: string | undefined
  readonly queueName: string | undefined
  readonly highQueue: string | undefined
  readonly lowQueue: string | undefined
  readonly deadLetterQueue: string | undefined
  readonly fifo: boolean
  readonly dynamo: InfrastructureOptions['dynamo']
  readonly sqs: InfrastructureOptions['sqs']
  readonly visibilityMs: number
  readonly maxReceiveCount: number
  readonly timeoutMs: number
  readonly logger: ILogger
}

const names = [
  'table',
  'queueName',
  'highQueue',
  'lowQueue',
  'deadLetterQueue',
  'fifo',
  'dynamo',
  'sqs',
  'visibilityMs',
  'maxReceiveCount',
  'timeoutMs',
  'logger',
] satisfies (keyof InfrastructureOptions)[]

export function checkInfrastructureOptions(options: InfrastructureOptions): CheckedInfrastructureOptions {
  checkOptions(options, names)
  checkInjected(options)
  const { table = 'baton', dynamo, sqs, logger = silentLogger } = options
  const { visibilityMs = 60_000, maxReceiveCount = 20, timeoutMs = 180_000 } = options
  if (table !== false) checkTable(table)
  checkClient(dynamo, 'dynamo')
  checkClient(sqs, 'sqs')
  checkNumber(visibilityMs, 'visibilityMs', { least: 0, most: TWELVE_HOURS_MS })
  checkNumber(maxReceiveCount, 'maxReceiveCount', { least: 1, most: 1_000, whole: true })
  checkNumber(timeoutMs, 'timeoutMs', { least: 1, most: 3_600_000 })
  return {
    table: orNone(table),
    ...queuesOf(options, table === false ? 'baton' : table),
    dynamo,
    sqs,
    visibilityMs,
    maxReceiveCount,
    timeoutMs,
    logger,
  }
}

type QueueNames = Pick<
  CheckedInfrastructureOptions,
  'queueName' | 'highQueue' | 'lowQueue' | 'deadLetterQueue' | 'fifo'
>

function queuesOf(options: InfrastructureOptions, base: string): QueueNames {
  const { fifo = String(options.queueName).endsWith(FIFO) } = options
  if (typeof fifo !== 'boolean') throw invalid('fifo', 'must be true or false')
  const suffix = fifo ? FIFO : ''
  const { queueName = `${base}${suffix}`, highQueue, lowQueue } = options
  if (queueName === false) return { ...NO_QUEUES, fifo }
  checkName(queueName, 'queueName', fifo)
  const { deadLetterQueue = `${queueName.replace(FIFO, '')}-dead${suffix}` } = options
  const others = { highQueue, lowQueue, deadLetterQueue: orNone(deadLetterQueue) }
  const taken = new Set([queueName])
  for (const [field, name] of Object.entries(others)) {
    if (name === undefined) continue
    checkName(name, field, fifo)
    if (taken.has(name)) throw invalid(field, 'is another of the queues as well: each needs one of its own')
    taken.add(name)
  }
  return { queueName, ...others, fifo }
}

const NO_QUEUES = { queueName: undefined, highQueue: undefined, lowQueue: undefined, deadLetterQueue: undefined }

const FIFO = '.fifo'

function checkName(name: unknown, field: string, fifo: boolean): asserts name is string {
  if (typeof name !== 'string' || name.length > 80 || !/^[\w-]+(\.fifo)?$/.test(name)) {
    const message = 'must be the name of a queue: up to 80 of the characters A-Z a-z 0-9 _ -, maybe with .fifo'
    throw invalid(field, message, 'Neither its URL nor its ARN: the last part of those is the name.')
  }
  if (name.endsWith(FIFO) === fifo) return
  const message = fifo ? 'must end in .fifo, as all FIFO queues do' : 'ends in .fifo, and no FIFO queue was asked for'
  throw invalid(field, message, 'All queues are of one kind.')
}

function invalid(field: string, message: string, hint?: string): BatonError {
  return new BatonError('INVALID_OPTION', { field, message, ...(hint === undefined ? {} : { hint }) })
}

function orNone(name: string | false): string | undefined {
  return name === false ? undefined : name
}
