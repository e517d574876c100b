/** What the tests of the queue share: topics of their own, calls counted, everything closed after each test. */
import { type Delivery, type ILogger, type Job, type LogFields, parseJob, systemClock, wait } from '@baton/core/adapter'
import { expect } from 'vitest'
import { createKafkaJsClient, type IKafkaClient, KafkaJobQueue, type KafkaJobQueueOptions } from '../../src/index.ts'
import { createTopics, QUICK, type TopicSettings, type Topics } from '../kafka-world.ts'

type Handler = (delivery: Delivery) => unknown

export interface Logged {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

export class Stand implements AsyncDisposable {
  readonly brokers: string[]
  readonly client: IKafkaClient
  readonly topics: Topics
  readonly logged: Logged[] = []
  readonly logger: ILogger = {
    log: (level, message, fields) => void this.logged.push({ level, message, fields }),
  }
  readonly #open: KafkaJobQueue[] = []
  readonly #stop = new AbortController()

  private constructor(brokers: readonly string[], client: IKafkaClient, topics: Topics) {
    this.brokers = [...brokers]
    this.client = client
    this.topics = topics
  }

  static async on(brokers: readonly string[], settings: TopicSettings = {}): Promise<Stand> {
    const client = createKafkaJsClient({ brokers: [...brokers] })
    return new Stand(brokers, client, await createTopics(client, settings))
  }

  /** A queue as another process would have it. */
  open(options: Partial<KafkaJobQueueOptions> = {}): KafkaJobQueue {
    const client = { brokers: this.brokers }
    const queue = new KafkaJobQueue({ client, ...this.topics, ...QUICK, logger: this.logger, ...options })
    this.#open.push(queue)
    return queue
  }

  /** Consumes, and gives what has been delivered so far; `acknowledge` is what the handler does unless told. */
  consume(queue: KafkaJobQueue, handle: Handler = (delivery) => delivery.acknowledge(), concurrency = 4): Consuming {
    const deliveries: Delivery[] = []
    const stop = new AbortController()
    const ended = queue.consume(
      async (delivery) => {
        deliveries.push(delivery)
        await handle(delivery)
      },
      { concurrency, signal: AbortSignal.any([this.#stop.signal, stop.signal]) },
    )
    return { deliveries, stop: () => stop.abort(), ended }
  }

  /** How far the group has come in its topic, over all partitions. */
  async committed(): Promise<number> {
    const { topic } = this.topics
    const committed = await this.client.committed(topic, topic)
    return [...committed.values()].reduce((sum, offset) => sum + offset, 0)
  }

  lines(message: string, level?: string): readonly Logged[] {
    return this.logged.filter((line) => line.message === message && (level === undefined || line.level === level))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#open.map((queue) => queue.close()))
    await this.client.close()
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

export function jobs(count: number, from = 0): Job[] {
  return Array.from({ length: count }, (_, index) => job(`n${from + index}`))
}

export function nodes(...all: readonly Consuming[]): string[] {
  return all.flatMap(({ deliveries }) => deliveries.map((delivery) => delivery.job.nodeId))
}

/** An expectation that comes true in time. The limit is for a machine that is busy with other things. */
export function eventually<Value>(value: () => Value) {
  return expect.poll(value, { timeout: 30_000, interval: 20 })
}

/** Until Kafka takes it: what its callers do with patience. */
export async function patiently(send: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    try {
      return await send()
    } catch {
      await wait(systemClock, 250)
    }
  }
  throw new Error('Kafka does not take what it is sent')
}
