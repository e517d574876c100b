/** Kafka by kafkajs. */
import { BatonError } from '@baton/core'
import { type ILogger, LateError, settledWithin, silentLogger, systemClock, wait } from '@baton/core/adapter'
import kafkajs, { type Admin, type Consumer, type Kafka, type KafkaConfig, type Message, type Producer } from 'kafkajs'
import type {
  Headers,
  IKafkaClient,
  IKafkaMember,
  MemberOptions,
  NewTopic,
  Offset,
  OutgoingMessage,
  Partition,
  Reach,
  ReceivedMessage,
} from './client-port.ts'
import { isKafkaError } from './kafka-errors.ts'
import { Certificates } from './kafkajs-certificates.ts'
import { Connected } from './kafkajs-connected.ts'

export interface KafkaJsOptions {
  /** How long an answer may take, over all tries of kafkajs. Default 10 s. */
  readonly timeoutMs?: number
  readonly logger?: ILogger
}

const { logLevel, Partitioners } = kafkajs
/** Over all partitions of an answer. */
const ANSWER_BYTES = 10_485_760
/** How long leaving a group may take: kafkajs waits for the answers that are under way. */
const LEAVE_WITHIN_MS = 10_000
/** How long whoever stops waits until it has joined: until all others have heard of it. */
const JOIN_WITHIN_MS = 5_000
const LOOK_AGAIN_MS = 50

/**
 * A client of Kafka by kafkajs. What goes wrong it tells as a `BatonError`: `INVALID_OPTION`, `TOO_LARGE` or `QUEUE_UNAVAILABLE`.
 *
 * @param config as kafkajs takes it: `brokers`, `ssl`, `sasl`, `clientId` … What goes wrong inside of kafkajs is logged as `debug`, unless there
 *   is a `logCreator`
 */
export function createKafkaJsClient(config: KafkaConfig, options: KafkaJsOptions = {}): IKafkaClient {
  return new KafkaJsClient(config, options)
}

class KafkaJsClient implements IKafkaClient {
  readonly #config: KafkaConfig
  readonly #timeoutMs: number
  /** Which broker is asked first: another one each time, since kafkajs does not get past one that is frozen. */
  #turn = 0
  readonly #certificates: Certificates
  /** By topic. kafkajs asks for all topics of a client at once, and then one that is not there makes it say so of all of them. */
  readonly #producers = new Map<string, Connected<Producer>>()
  #isClosed = false

  constructor(config: KafkaConfig, { timeoutMs = 10_000, logger = silentLogger }: KafkaJsOptions) {
    this.#timeoutMs = timeoutMs
    this.#certificates = new Certificates(Array.isArray(config.brokers) ? config.brokers.length : 1)
    this.#config = {
      socketFactory: this.#certificates.socketFactory,
      logLevel: logLevel.ERROR,
      logCreator: () => logTo(logger),
      requestTimeout: timeoutMs,
      ...config,
      retry: { retries: 5, ...config.retry },
    }
  }

  async send(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    this.#assertOpen()
    const producer = this.#producers.get(topic) ?? new Connected(() => this.#newProducer(), this.#certificates)
    this.#producers.set(topic, producer)
    const request = { topic, messages: messages.map(messageOf), acks: -1, timeout: this.#timeoutMs }
    await producer.use(async (made) => made.send(request), this.#timeoutMs)
  }

  member(options: MemberOptions): IKafkaMember {
    return new KafkaJsMember(this.#kafka(), options)
  }

  async reach(topic: string): Promise<ReadonlyMap<number, Reach> | undefined> {
    try {
      const found = await this.#ask((admin) => admin.fetchTopicOffsets(topic))
      return new Map(found.map(({ partition, low, high }) => [partition, { first: Number(low), end: Number(high) }]))
    } catch (error) {
      if (isKafkaError(error, 'UNKNOWN_TOPIC_OR_PARTITION')) return undefined
      throw error
    }
  }

  async committed(groupId: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const [found] = await this.#ask((admin) => admin.fetchOffsets({ groupId, topics: [topic] }))
    const offsets = (found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)] as const)
    return new Map(offsets.filter(([, offset]) => offset >= 0))
  }

  async createTopics(topics: readonly NewTopic[]): Promise<readonly string[]> {
    const known = new Set(await this.#ask((admin) => admin.listTopics()))
    const missing = topics.filter(({ topic }) => !known.has(topic))
    if (missing.length === 0) return []
    const isMade = await this.#ask((admin) =>
      admin.createTopics({
        // By us: kafkajs takes a broker that has not heard of the topic yet for a failure.
        waitForLeaders: false,
        topics: missing.map(({ topic, partitions, replicationFactor, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      }),
    )
    for (const { topic } of missing) await this.#untilThere(topic)
    // Somebody else was faster.
    return isMade ? missing.map(({ topic }) => topic) : []
  }

  async deleteGroup(groupId: string): Promise<void> {
    await this.#ask((admin) => admin.deleteGroups([groupId]))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await settledWithin(this.#timeoutMs, Promise.all([...this.#producers.values()].map((producer) => producer.close())))
  }

  #newProducer(): Producer {
    const createPartitioner = Partitioners.DefaultPartitioner
    return this.#kafka().producer({ allowAutoTopicCreation: false, createPartitioner })
  }

  #kafka(): Kafka {
    const { brokers } = this.#config
    if (!Array.isArray(brokers)) return new kafkajs.Kafka(this.#config)
    const first = this.#turn++ % brokers.length
    return new kafkajs.Kafka({ ...this.#config, brokers: [...brokers.slice(first), ...brokers.slice(0, first)] })
  }

  /** By a connection of its own: this is asked seldom, and what one topic is told is no answer about another. */
  async #ask<Answer>(call: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    this.#assertOpen()
    const admin = new Connected(() => this.#kafka().admin(), this.#certificates)
    try {
      return await admin.use(call, this.#timeoutMs)
    } finally {
      void admin.close()
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new BatonError('CLOSED')
  }

  /** As far as one broker knows; those that have not heard of it yet refuse it for some moments, and are asked again. */
  async #untilThere(topic: string): Promise<void> {
    const untilMs = performance.now() + this.#timeoutMs
    while (performance.now() < untilMs) {
      const reach = await this.reach(topic).catch(() => undefined)
      if (reach !== undefined && reach.size > 0) return
      await wait(systemClock, LOOK_AGAIN_MS)
    }
    throw new LateError(`the topic ${topic} was made, and is not there after ${this.#timeoutMs} ms`)
  }
}

class KafkaJsMember implements IKafkaMember {
  readonly #consumer: Consumer
  readonly #options: MemberOptions
  #joining: Promise<unknown> = Promise.resolve()
  #hasJoined = false
  #isOver = false

  constructor(kafka: Kafka, options: MemberOptions) {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatMs, waitMs, partitionBytes } = options
    this.#options = options
    this.#consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: waitMs,
      maxBytesPerPartition: partitionBytes,
      maxBytes: ANSWER_BYTES,
      allowAutoTopicCreation: false,
      // Half a minute: a broker that is back by then still knows its members, while a new one waits until the old one's session is
      // over. After that, whoever made this member makes another one.
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 18, restartOnFailure: async () => false },
    })
  }

  async start(): Promise<void> {
    const { topics, events } = this.#options
    const { GROUP_JOIN, REBALANCING, FETCH_START, CRASH } = this.#consumer.events
    const joined = new Promise<void>((resolve, reject) => {
      this.#consumer.on(GROUP_JOIN, ({ payload }) => {
        resolve()
        if (this.#isOver) return
        this.#hasJoined = true
        const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
          numbers.map((partition): Partition => ({ topic, partition })),
        )
        events.assigned(partitions)
      })
      this.#consumer.on(REBALANCING, () => {
        if (!this.#isOver) events.changing()
      })
      this.#consumer.on(FETCH_START, () => {
        if (!this.#isOver) events.looked()
      })
      this.#consumer.on(CRASH, ({ payload }) => {
        if (this.#hasJoined && !this.#isOver) events.failed(payload.error)
        this.#isOver = true
        reject(payload.error)
      })
    })
    try {
      await this.#consumer.connect()
      await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
      if (this.#isOver) throw new Error('stopped before it joined')
      const joining = Promise.all([joined, this.#run()])
      this.#joining = joining.catch(() => {})
      await joining
    } catch (error) {
      joined.catch(() => {})
      await this.stop()
      throw error
    }
  }

  pause(partitions: readonly Partition[]): void {
    this.#whileRunning(() => this.#consumer.pause(byTopic(partitions)))
  }

  resume(partitions: readonly Partition[]): void {
    this.#whileRunning(() => this.#consumer.resume(byTopic(partitions)))
  }

  async commit(offsets: readonly Offset[]): Promise<void> {
    await this.#consumer.commitOffsets(offsets.map((each) => ({ ...each, offset: String(each.offset) })))
  }

  async stop(): Promise<void> {
    this.#isOver = true
    // kafkajs leaves no group that it is still joining. The group would wait for it, and nobody would read, until its session is over.
    await settledWithin(JOIN_WITHIN_MS, this.#joining)
    await settledWithin(LEAVE_WITHIN_MS, this.#consumer.disconnect())
  }

  #run(): Promise<void> {
    const { events } = this.#options
    return this.#consumer.run({
      autoCommit: false,
      // Nothing is done here but to put messages aside: one that was given counts as read, and not as done.
      eachBatch: async ({ batch: { topic, partition, messages } }) => {
        if (!this.#isOver) events.received({ topic, partition }, messages.map(receivedOf))
      },
    })
  }

  /** Between two groups kafkajs has no partitions that could be paused. */
  #whileRunning(act: () => void): void {
    if (this.#isOver || !this.#hasJoined) return
    try {
      act()
    } catch {
      // Then it is about to fail, and says so itself.
    }
  }
}

function messageOf({ key, text, headers }: OutgoingMessage): Message {
  return { key, value: text, headers: { ...headers } }
}

type KafkaJsMessage = Parameters<
  NonNullable<Parameters<Consumer['run']>[0]>['eachBatch'] & object
>[0]['batch']['messages'][number]

function receivedOf({ offset, key, value, headers = {} }: KafkaJsMessage): ReceivedMessage {
  const text: Record<string, string> = {}
  for (const [name, values] of Object.entries(headers)) {
    const one = Array.isArray(values) ? values[0] : values
    if (one !== undefined) text[name] = one.toString()
  }
  const found: Headers = text
  return { offset: Number(offset), key: key?.toString() ?? '', text: value?.toString() ?? '', headers: found }
}

function byTopic(partitions: readonly Partition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return [...topics].map(([topic, numbers]) => ({ topic, partitions: numbers }))
}

/** All of it as `debug`: what matters comes back as an error, and is said once by whoever asked. */
function logTo(logger: ILogger): ReturnType<kafkajs.logCreator> {
  return ({ namespace, log: { message, error, ...rest } }) => {
    const { topic, groupId, broker } = rest
    const fields = { namespace, topic, groupId, broker, error }
    const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
    logger.log('debug', `kafkajs: ${message}`, said)
  }
}
