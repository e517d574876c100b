/** A queue and that of its dead letters: made, or looked at. */
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type QueueAttributeName,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { BatonError } from '@baton/core'
import { awsCodesOf } from '../aws-errors.ts'
import type { Deadline } from './deadline.ts'

export interface QueueDefinition {
  readonly fifo: boolean
  readonly visibilityMs: number
  readonly maxReceiveCount: number
  /** For the dead letters of another one. */
  readonly isForDeadLetters: boolean
  /** Where its own go, if anywhere. */
  readonly deadLetterArn: string | undefined
}

/** As long as SQS can: what is there is for people to look at. */
const DEAD_LETTERS_KEPT_S = 14 * 86_400

/** The attributes that a queue is made with; the templates say the same. */
export function queueAttributes(definition: QueueDefinition): Partial<Record<QueueAttributeName, string>> {
  const { fifo, visibilityMs, maxReceiveCount, isForDeadLetters, deadLetterArn: deadLetterTargetArn } = definition
  return {
    VisibilityTimeout: String(Math.ceil(visibilityMs / 1_000)),
    // A group is one instance of a run, so there are as many as it takes for the higher rate.
    ...(fifo
      ? { FifoQueue: 'true', DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }
      : {}),
    ...(isForDeadLetters ? { MessageRetentionPeriod: String(DEAD_LETTERS_KEPT_S) } : {}),
    ...(deadLetterTargetArn === undefined
      ? {}
      : { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) }),
  }
}

interface Ensured {
  readonly url: string
  readonly arn: string
  readonly isNew: boolean
}

export async function ensureQueue(
  client: SQSClient,
  definition: QueueDefinition & { readonly name: string },
  deadline: Deadline,
): Promise<Ensured> {
  const { name, deadLetterArn } = definition
  let isNew = false
  for (;;) {
    const url = await urlOf(client, name, deadline)
    if (url === undefined) isNew = (await create(client, definition, deadline)) || isNew
    else {
      const { QueueArn: arn, RedrivePolicy } = await attributesOf(client, url, deadline)
      if (arn !== undefined) {
        checkRedrive(name, RedrivePolicy, deadLetterArn)
        return { url, arn, isNew }
      }
    }
    await deadline.pause(`the queue ${name} is not there yet`)
  }
}

async function urlOf(client: SQSClient, QueueName: string, deadline: Deadline): Promise<string | undefined> {
  const { QueueUrl } = await deadline.ask<{ readonly QueueUrl?: string | undefined }>(
    (options) => client.send(new GetQueueUrlCommand({ QueueName }), options),
    orAbsent,
  )
  return QueueUrl
}

async function attributesOf(client: SQSClient, QueueUrl: string, deadline: Deadline) {
  const AttributeNames: QueueAttributeName[] = ['QueueArn', 'RedrivePolicy']
  const { Attributes = {} } = await deadline.ask<{ readonly Attributes?: Partial<Record<QueueAttributeName, string>> }>(
    async (options) => {
      const { Attributes: all = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames }),
        options,
      )
      return { Attributes: all }
    },
    orAbsent,
  )
  return Attributes
}

function orAbsent(error: unknown): object | undefined {
  return awsCodesOf(error).some((code) => ABSENT.includes(code)) ? {} : undefined
}

const ABSENT = ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue']

/** @returns false where somebody else was quicker, maybe with other attributes, or it was deleted a moment ago */
function create(
  client: SQSClient,
  { name, ...definition }: QueueDefinition & { readonly name: string },
  deadline: Deadline,
): Promise<boolean> {
  return deadline.ask<boolean>(
    async (options) => {
      await client.send(new CreateQueueCommand({ QueueName: name, Attributes: queueAttributes(definition) }), options)
      return true
    },
    (error) => (awsCodesOf(error).some((code) => NOT_NOW.includes(code)) ? false : undefined),
  )
}

const NOT_NOW = [
  'QueueNameExists',
  'QueueAlreadyExists',
  'AWS.SimpleQueueService.QueueNameExists',
  'QueueDeletedRecently',
  'AWS.SimpleQueueService.QueueDeletedRecently',
]

/** A queue whose dead letters go where nobody looks for lost hints. One that has none at all does as well. */
function checkRedrive(name: string, policy: string | undefined, deadLetterArn: string | undefined): void {
  if (policy === undefined || policy === '' || deadLetterArn === undefined) return
  const { deadLetterTargetArn: target } = JSON.parse(policy) as { readonly deadLetterTargetArn?: string }
  if (target === deadLetterArn) return
  throw new BatonError('INVALID_OPTION', {
    field: 'deadLetterQueue',
    message: `there is a queue ${name} already, and its dead letters go to ${target}`,
    hint: `Give deadLetterQueue: '${target?.split(':').at(-1)}', or change the redrive policy of the queue. It was left as it is.`,
  })
}
