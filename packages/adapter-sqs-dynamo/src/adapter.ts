import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { BatonError, type ICoordinationStore } from '@baton/core'
import {
  BaseDistributedAdapter,
  checkEngineOptions,
  type DistributedAdapterOptions,
  type EngineOptions,
  partOptions,
  remindersFor,
} from '@baton/core/adapter'
import { checkClient } from './aws-client.ts'
import { DynamoCoordinationStore } from './coordination-store.ts'
import { SqsJobQueue } from './job-queue.ts'
import { checkQueue, type SqsJobQueueOptions } from './job-queue-options.ts'
import { DynamoRunStore } from './run-store.ts'
import { DEFAULT_PREFIX, type DynamoRunStoreOptions, runStoreOptions } from './run-store-options.ts'

type StoreOptions = Omit<DynamoRunStoreOptions, 'client' | 'logger'>
type QueueOptions = Omit<SqsJobQueueOptions, 'client' | 'logger' | 'queue' | 'timeoutMs'>

export interface SqsAdapterOptions extends EngineOptions, StoreOptions, QueueOptions {
  /** A client of DynamoDB, or the configuration of one. Default: as the SDK finds region and credentials. */
  readonly dynamo?: DynamoDBClient | DynamoDBClientConfig
  /** A client of SQS, or the configuration of one. Default: as the SDK finds region and credentials. */
  readonly sqs?: SqsJobQueueOptions['client']
  /** The name of the queue, or its URL. Default: the name of the table. A store with a `prefix` has no default: others in its table have that queue. */
  readonly queueName?: string
  /** Another queue than one of SQS: any queue works with any store. */
  readonly queue?: DistributedAdapterOptions['queue']
  /** Another one than that of the same table. */
  readonly coordinationStore?: ICoordinationStore
}

/** The whole engine on AWS's serverless parts: runs in DynamoDB, jobs in SQS. Jobs of nodes that may take ten minutes are answered when they are claimed. */
export class SqsAdapter extends BaseDistributedAdapter {
  constructor(options: SqsAdapterOptions) {
    checkQueueIsNoName(options)
    checkEngineOptions(options, [
      'coordinationStore',
      'queue',
      'queueName',
      'dynamo',
      'sqs',
      ...storeOptions,
      ...queueOptions,
    ])
    checkClient(options.dynamo, 'dynamo')
    checkClient(options.sqs, 'sqs')
    if (options.queueName !== undefined) checkQueue(options.queueName, 'queueName')
    const { dynamo, sqs, coordinationStore, queue, queueName, logger, ...others } = options
    const { ours: ofQueue, others: rest } = partOptions<QueueOptions, EngineOptions & StoreOptions>(
      others,
      queueOptions,
    )
    const { ours, others: ofEngine } = partOptions<StoreOptions, EngineOptions>(rest, storeOptions)
    const log = logger === undefined ? {} : { logger }
    const client = dynamo === undefined ? {} : { client: dynamo }
    const queueClient = sqs === undefined ? {} : { client: sqs }
    const table = ours.table === undefined ? {} : { table: ours.table }
    const prefix = ours.prefix === undefined ? {} : { prefix: ours.prefix }
    super({
      ...ofEngine,
      ...log,
      store: new DynamoRunStore({ ...ours, ...log, ...client, ...remindersFor(options) }),
      queue: queue ?? new SqsJobQueue({ ...ofQueue, ...log, ...queueClient, queue: queueName ?? queueOfTable(ours) }),
      coordinationStore: coordinationStore ?? new DynamoCoordinationStore({ ...table, ...client, ...prefix }),
    })
  }
}

/** What is called `queue` elsewhere, and may well be tried here. */
function checkQueueIsNoName(options: { readonly queue?: unknown } | undefined): void {
  if (typeof options?.queue !== 'string') return
  throw new BatonError('INVALID_OPTION', {
    field: 'queue',
    message: 'must be a queue, not the name of one',
    hint: `Give queueName: '${options.queue}' for a queue of SQS.`,
  })
}

/** Two stores must not share a queue: the workers of one would take the other's jobs, know no such runs, and answer for them. */
function queueOfTable({ table = 'baton', prefix = DEFAULT_PREFIX }: StoreOptions): string {
  if (prefix === DEFAULT_PREFIX) return table
  const example = `${table}-${prefix}`.replace(/[^\w-]/g, '-')
  throw new BatonError('INVALID_OPTION', {
    field: 'queueName',
    message: `the queue of the table ${table} is not for a store with a prefix: others in the table have it`,
    hint: `Name a queue of its own, such as queueName: '${example}'; ensureInfrastructure({ table, queueName }) makes it.`,
  })
}

const storeOptions = runStoreOptions.filter((name) => name !== 'client' && name !== 'logger') as (keyof StoreOptions)[]

const queueOptions = Object.keys({
  highQueue: true,
  lowQueue: true,
  deadLetterQueue: true,
  lostHintsMs: true,
  visibilityMs: true,
  waitMs: true,
} satisfies Record<keyof QueueOptions, true>) as (keyof QueueOptions)[]
