/**
 * What Baton needs on AWS, made where it is missing: for development and tests. In production a template makes it, so that
 * backups, protection and alarms are of one piece, and workers need no right to make tables.
 *
 * What is there is looked at and left as it is. What does not fit is said; nobody's table is changed behind their back.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { isClient } from './aws-client.ts'
import { Deadline } from './infrastructure/deadline.ts'
import { ensureQueue, type QueueDefinition } from './infrastructure/queue.ts'
import { ensureTable } from './infrastructure/table.ts'
import {
  type CheckedInfrastructureOptions,
  checkInfrastructureOptions,
  type InfrastructureOptions,
} from './infrastructure-options.ts'

/** Each part, if it was asked for. `isNew` says that this call has made it. */
export interface Infrastructure {
  readonly table?: { readonly name: string; readonly isNew: boolean }
  readonly queue?: QueueFound
  readonly highQueue?: QueueFound
  readonly lowQueue?: QueueFound
  readonly deadLetterQueue?: QueueFound
}

export interface QueueFound {
  readonly name: string
  readonly url: string
  readonly isNew: boolean
}

/**
 * Resolves when the table and the queues are there and can be used. Several processes may do it at once. Throws `INVALID_OPTION` with
 * what to do where something has the name and does not fit, and `STORE_UNAVAILABLE` or `QUEUE_UNAVAILABLE` where it is not ready in time.
 */
export async function ensureInfrastructure(options: InfrastructureOptions = {}): Promise<Infrastructure> {
  const checked = checkInfrastructureOptions(options)
  const [table, queues] = await Promise.all([tableOf(checked), queuesOf(checked)])
  return { ...table, ...queues }
}

async function tableOf(options: CheckedInfrastructureOptions): Promise<Pick<Infrastructure, 'table'>> {
  const { table: name, dynamo = {}, timeoutMs, logger } = options
  if (name === undefined) return {}
  const client = isClient<DynamoDBClient>(dynamo) ? dynamo : new DynamoDBClient(dynamo)
  try {
    const isNew = await ensureTable(client, name, new Deadline(timeoutMs, 'STORE_UNAVAILABLE'))
    logger.log('info', isNew ? 'made a table' : 'found the table', { table: name })
    return { table: { name, isNew } }
  } finally {
    if (client !== dynamo) client.destroy()
  }
}

async function queuesOf(options: CheckedInfrastructureOptions): Promise<Omit<Infrastructure, 'table'>> {
  const { queueName: queue, highQueue, lowQueue, deadLetterQueue, sqs = {}, timeoutMs, logger } = options
  if (queue === undefined) return {}
  const client = isClient<SQSClient>(sqs) ? sqs : new SQSClient(sqs)
  const deadline = new Deadline(timeoutMs, 'QUEUE_UNAVAILABLE')
  const ensure = async (name: string, to: Pick<QueueDefinition, 'isForDeadLetters' | 'deadLetterArn'>) => {
    const { arn, ...found } = await ensureQueue(client, { ...options, ...to, name }, deadline)
    logger.log('info', found.isNew ? 'made a queue' : 'found the queue', { queue: name })
    return { arn, found: { name, ...found } }
  }
  try {
    const forDead = { isForDeadLetters: true, deadLetterArn: undefined }
    // First, so that the others have their redrive policy from the beginning.
    const dead = deadLetterQueue === undefined ? undefined : await ensure(deadLetterQueue, forDead)
    const made: { [field in 'queue' | 'highQueue' | 'lowQueue']?: QueueFound } = {}
    for (const [field, name] of Object.entries({ queue, highQueue, lowQueue })) {
      if (name === undefined) continue
      const { found } = await ensure(name, { isForDeadLetters: false, deadLetterArn: dead?.arn })
      made[field as keyof typeof made] = found
    }
    return { ...made, ...(dead && { deadLetterQueue: dead.found }) }
  } finally {
    if (client !== sqs) client.destroy()
  }
}
