/** What the tests of the queue share: queues on a prefix of their own, closed after each test. */
import { type Delivery, type ILogger, type Job, parseJob } from '@baton/core/adapter'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { expect } from 'vitest'
import { BullMQJobQueue, type BullMQJobQueueOptions } from '../../src/index.ts'
import { newPrefix } from '../redis-world.ts'

type Handler = (delivery: Delivery) => unknown

export class Stand implements AsyncDisposable {
  readonly url: string
  readonly prefix = newPrefix()
  readonly stop = new AbortController()
  /** What the queues had to say, by level, message and fields. */
  readonly logged: string[] = []
  readonly #closers: (() => unknown)[] = []

  constructor(url: string) {
    this.url = url
  }

  open(options: Partial<BullMQJobQueueOptions> = {}): BullMQJobQueue {
    const logger: ILogger = {
      log: (level, message, fields) => void this.logged.push(`${level} ${message} ${JSON.stringify(fields)}`),
    }
    const queue = new BullMQJobQueue({ connection: this.url, prefix: this.prefix, logger, ...options })
    this.#closers.unshift(() => queue.close())
    return queue
  }

  client(): Redis {
    const client = new Redis(this.url, { maxRetriesPerRequest: null })
    client.on('error', () => {})
    this.#closers.push(() => client.disconnect())
    return client
  }

  /** What somebody outside has, who knows of BullMQ and not of us. */
  plain(): Queue {
    const queue = new Queue('baton', { connection: this.client(), prefix: this.prefix })
    queue.on('error', () => {})
    this.#closers.unshift(() => queue.close())
    return queue
  }

  /** Consumes, and gives what has been delivered so far; `acknowledge` is what the handler does unless told. */
  consume(queue: BullMQJobQueue, handle: Handler = (delivery) => delivery.acknowledge(), concurrency = 4): Consuming {
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort()
    for (const close of this.#closers) await close()
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
