/** What the tests of the queue share: queues of their own, requests counted, everything closed after each test. */
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs'
import { type Delivery, type ILogger, type Job, type LogFields, parseJob } from '@baton/core/adapter'
import { expect } from 'vitest'
import { SqsJobQueue, type SqsJobQueueOptions } from '../../src/index.ts'
import { createQueues, type Queues } from '../sqs-world.ts'

type Handler = (delivery: Delivery) => unknown

export interface Logged {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

export class Stand implements AsyncDisposable {
  readonly queues: Queues
  readonly stop = new AbortController()
  readonly logged: Logged[] = []
  /** Requests by the name of what was asked, each try of the client on its own. */
  readonly asked: string[] = []
  /** The most requests for messages at the same time. */
  mostPolls = 0
  readonly logger: ILogger = {
    log: (level, message, fields) => void this.logged.push({ level, message, fields }),
  }
  readonly #open: SqsJobQueue[] = []

  private constructor(queues: Queues) {
    this.queues = queues
    this.#count(queues.client)
  }

  static async on(config: SQSClientConfig, options: Parameters<typeof createQueues>[1] = {}): Promise<Stand> {
    return new Stand(await createQueues(config, options))
  }

  open(options: Partial<SqsJobQueueOptions> = {}): SqsJobQueue {
    const { client, options: names } = this.queues
    const queue = new SqsJobQueue({ client, ...names, waitMs: 1_000, logger: this.logger, ...options })
    this.#open.push(queue)
    return queue
  }

  /** Consumes, and gives what has been delivered so far; `acknowledge` is what the handler does unless told. */
  consume(queue: SqsJobQueue, handle: Handler = (delivery) => delivery.acknowledge(), concurrency = 4): Consuming {
    const deliveries: Delivery[] = []
    const stop = new AbortController()
    const ended = queue.consume(
      async (delivery) => {
        deliveries.push(delivery)
        await handle(delivery)
      },
      { concurrency, signal: AbortSignal.any([this.stop.signal, stop.signal]) },
    )
    return { deliveries, stop: () => stop.abort(), ended }
  }

  times(command: string): number {
    return this.asked.filter((name) => name === command).length
  }

  lines(message: string, level?: string): readonly Logged[] {
    return this.logged.filter((line) => line.message === message && (level === undefined || line.level === level))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort()
    for (const queue of this.#open) await queue.close()
    this.queues.client.destroy()
  }

  #count({ middlewareStack }: SQSClient): void {
    let polls = 0
    middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          this.asked.push(commandName)
          if (commandName !== 'ReceiveMessageCommand') return next(args)
          polls += 1
          this.mostPolls = Math.max(this.mostPolls, polls)
          return next(args).finally(() => {
            polls -= 1
          })
        },
      // Within the client's own tries.
      { step: 'finalizeRequest', priority: 'low', name: 'counted' },
    )
  }
}

export interface Consuming {
  readonly deliveries: Delivery[]
  readonly ended: Promise<void>
  stop(): void
}

export function job(nodeId: string, more: Partial<Job> = {}): Job {
  return { ...parseJob({ runId: 'run', blueprintId: 'flow', nodeId, instanceId: nodeId, dispatch: 0 }), ...more }
}

export function jobs(count: number): Job[] {
  return Array.from({ length: count }, (_, index) => job(`n${index}`))
}

export function nodes({ deliveries }: Consuming): string[] {
  return deliveries.map((delivery) => delivery.job.nodeId)
}

/** An expectation that comes true in time. The limit is for a machine that is busy with other things. */
export function eventually<Value>(value: () => Value) {
  return expect.poll(value, { timeout: 20_000, interval: 20 })
}
