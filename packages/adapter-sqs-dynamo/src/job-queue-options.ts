/** Every option of the job queue: what it means, its default and its check, once. */
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs'
import { BatonError } from '@baton/core'
import { checkInjected, checkNumber, checkOptions, type ILogger, silentLogger } from '@baton/core/adapter'
import { checkClient } from './aws-client.ts'

export interface SqsJobQueueOptions {
  /** The name of the queue, or its URL. One that ends in `.fifo` is a FIFO queue. */
  readonly queue: string
  /**
   * The name or the URL of another queue, for jobs of a priority above 0, and of one for those below: SQS knows no priorities, so each
   * level has a queue of its own. Who consumes takes from all of them, and from the next only when the one before has nothing.
   * All are FIFO queues, or none. Without one, its jobs go to the queue itself.
   */
  readonly highQueue?: string
  readonly lowQueue?: string
  /** A client, which stays untouched, or the configuration of one: region, endpoint, credentials. Default: as the SDK finds them. */
  readonly client?: SQSClient | SQSClientConfig
  /**
   * The name or the URL of another queue: for what is no job, and for jobs taken out for good, each with its reason. It may be
   * the dead letter queue of the queue's own redrive policy. Without one, such messages are logged as errors with all
   * that they say, and deleted.
   */
  readonly deadLetterQueue?: string
  /**
   * How often the dead letter queue is looked through for what SQS itself has put there, because it was received so often.
   * That says nothing about the run: such a job is a lost hint, and gets handled like any other. `Infinity`: never.
   * Default 60 s.
   */
  readonly lostHintsMs?: number
  /**
   * How long a delivery stays with its consumer, who makes it longer while the handler runs: the first 20 s at the most by the
   * request that brings it. SQS rounds it up to whole seconds. Default 60 s.
   */
  readonly visibilityMs?: number
  /** How long SQS waits with its answer while there are no messages: 1 to 20 s, whole seconds. Default 20 s. */
  readonly waitMs?: number
  /** How long an answer may take, over all tries of the client, before the queue counts as down. Default 10 s. */
  readonly timeoutMs?: number
  readonly logger?: ILogger
}

export type CheckedJobQueueOptions = Required<Omit<SqsJobQueueOptions, MayLack>> & {
  readonly [name in MayLack]: SqsJobQueueOptions[name] | undefined
}

type MayLack = 'client' | 'highQueue' | 'lowQueue' | 'deadLetterQueue'

const names = [
  'queue',
  'highQueue',
  'lowQueue',
  'client',
  'deadLetterQueue',
  'lostHintsMs',
  'visibilityMs',
  'waitMs',
  'timeoutMs',
  'logger',
] satisfies (keyof SqsJobQueueOptions)[]

export function checkJobQueueOptions(options: SqsJobQueueOptions): CheckedJobQueueOptions {
  checkOptions(options, names)
  checkInjected(options)
  const { queue, highQueue, lowQueue, client, deadLetterQueue, logger = silentLogger } = options
  const { lostHintsMs = 60_000, visibilityMs = 60_000, waitMs = 20_000, timeoutMs = 10_000 } = options
  checkQueue(queue, 'queue')
  checkLevels(queue, options)
  if (deadLetterQueue !== undefined) {
    checkQueue(deadLetterQueue, 'deadLetterQueue')
    if ([queue, highQueue, lowQueue].includes(deadLetterQueue)) {
      const message = 'is a queue of jobs: what is taken out for good would come back at once'
      throw new BatonError('INVALID_OPTION', { field: 'deadLetterQueue', message })
    }
  }
  checkClient(client)
  checkNumber(lostHintsMs, 'lostHintsMs', { least: 1_000 })
  checkNumber(visibilityMs, 'visibilityMs', { least: 1_000, most: TWELVE_HOURS_MS })
  checkNumber(waitMs, 'waitMs', { least: 1_000, most: 20_000 })
  checkNumber(timeoutMs, 'timeoutMs', { least: 1, most: 600_000 })
  return { queue, highQueue, lowQueue, client, deadLetterQueue, lostHintsMs, visibilityMs, waitMs, timeoutMs, logger }
}

/** Longer than this SQS keeps no message from others, counted from when it gave it out. */
export const TWELVE_HOURS_MS = 43_200_000

export function isUrl(queue: string): boolean {
  return /^https?:\/\//.test(queue)
}

/** Of a queue that is given by its name or its URL. */
export function nameOfQueue(queue: string): string {
  return isUrl(queue) ? (queue.replace(/\/$/, '').split('/').at(-1) ?? queue) : queue
}

export function isFifoName(queue: string): boolean {
  return queue.endsWith('.fifo')
}

/** Also whether they are different queues of one kind. */
function checkLevels(queue: string, { highQueue, lowQueue }: Pick<SqsJobQueueOptions, 'highQueue' | 'lowQueue'>): void {
  for (const [field, name, others] of [
    ['highQueue', highQueue, [queue]],
    ['lowQueue', lowQueue, [queue, highQueue]],
  ] as const) {
    if (name === undefined) continue
    checkQueue(name, field)
    const message = others.includes(name)
      ? 'is another of the queues as well: each level needs one of its own'
      : 'must be a FIFO queue if the queue is one, and none if it is not'
    if (others.includes(name) || isFifoName(name) !== isFifoName(queue)) {
      throw new BatonError('INVALID_OPTION', { field, message })
    }
  }
}

/** A name or a URL. */
export function checkQueue(queue: unknown, field: string): void {
  if (typeof queue === 'string') {
    if (isUrl(queue) && URL.canParse(queue)) return
    if (queue.length <= 80 && /^[\w-]+(\.fifo)?$/.test(queue)) return
  }
  const message =
    'must be the URL of a queue, or its name: up to 80 of the characters A-Z a-z 0-9 _ -, maybe with .fifo'
  throw new BatonError('INVALID_OPTION', { field, message, hint: 'Not its ARN: the last part of that is the name.' })
}
