/** Kafka by kafkajs. */
import { BatonError } from '@baton/core'
import { type ILogger, LateError, settledWithin, silentLogger, systemClock, wait } from '@baton/core/adapter'
import kafkajs, { type Admin, type Consumer, type Kafka, type KafkaConfig, type Producer } from 'kafkajs'
import type {
  IKafkaClient,
  IKafkaMember,
  MemberOptions,
  NewTopic,
  Offset,
  OutgoingMessage,
  Partition,
  Reach,
} from './client-port.ts'
import { isKafkaError } from './kafka-errors.ts'
import { Certificates } from './kafkajs-certificates.ts'
import { Connected } from './kafkajs-connected.ts'
import { messageOf, receivedOf } from './kafkajs-message.ts'

export interface KafkaJsOptions {
  /** How long an answer may take, over all tries of kafkajs. Default 10 s. */
  readonly timeoutMs?: number
  readonly logger?: ILogger
}

const { logLevel, Partitioners } = kafkajs
/** Over all partitions of an answer. */
const ANSWER_BYTES = 10_485_760
/** How long whoever stops waits until it has left: after it has joined, if it was about to, and with the answers that are under way. */
const LEAVE_WITHIN_MS = 10_000
const LOOK_AGAIN_MS = 50
const UNHEARD_OF = 'no broker has heard of it'
/**
 * Two to three seconds in all, well within the time that an answer may take: so long a topic that is not there may be one that a broker has not
 * heard of yet. All of it is said, since kafkajs has other defaults under test.
 */
const RETRY = { retries: 5, initialRetryTime: 100, multiplier: 2, maxRetryTime: 1_000, factor: 0.2 }
/**
 * Some ten seconds, as long as a session by default: a broker that is back by then still knows its members, while a new one waits until the old
 * one's session is over. After that, whoever made this member makes another one, who asks another broker first.
 */
const RETRY_OF_MEMBER = { ...RETRY, retries: 12, restartOnFailure: async () => false }

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
  /** Which broker is asked first: another one after a failure, since kafkajs does not get past one that is frozen. */
  #first = 0
  /** The same of members, who fail by themselves: another one for each. */
  #firstOfMember = 0
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
      retry: { ...RETRY, ...config.retry },
    }
  }

  async send(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    this.#assertOpen()
    const producer = this.#producers.get(topic) ?? new Connected(() => this.#newProducer(), this.#certificates)
    this.#producers.set(topic, producer)
    const request = { topic, messages: messages.map(messageOf), acks: -1, timeout: this.#timeoutMs }
    await this.#elsewhereAfterFailure(() => producer.use((made) => made.send(request), this.#timeoutMs))
  }

  member(options: MemberOptions): IKafkaMember {
    return new KafkaJsMember(this.#kafka(this.#firstOfMember++), options)
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
    return this.#kafka(this.#first).producer({ allowAutoTopicCreation: false, createPartitioner })
  }

  #kafka(turn: number): Kafka {
    const { brokers } = this.#config
    if (!Array.isArray(brokers)) return new kafkajs.Kafka(this.#config)
    const first = turn % brokers.length
    return new kafkajs.Kafka({ ...this.#config, brokers: [...brokers.slice(first), ...brokers.slice(0, first)] })
  }

  /** By a connection of its own: this is asked seldom, and what one topic is told is no answer about another. */
  async #ask<Answer>(call: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    this.#assertOpen()
    const admin = new Connected(() => this.#kafka(this.#first).admin(), this.#certificates)
    try {
      return await this.#elsewhereAfterFailure(() => admin.use(call, this.#timeoutMs))
    } finally {
      void admin.close()
    }
  }

  /** Of those that fail at the same broker at the same time, one moves on. */
  async #elsewhereAfterFailure<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const first = this.#first
    try {
      return await ask()
    } catch (error) {
      if (BatonError.is(error, 'QUEUE_UNAVAILABLE') && this.#first === first) this.#first += 1
      throw error
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new BatonError('CLOSED')
  }

  /** As far as one broker knows; those that have not heard of it yet refuse it for some moments, and are asked again. */
  async #untilThere(topic: string): Promise<void> {
    const untilMs = performance.now() + this.#timeoutMs
    let why = UNHEARD_OF
    while (performance.now() < untilMs) {
      try {
        const reach = await this.reach(topic)
        if (reach !== undefined && reach.size > 0) return
        why = UNHEARD_OF
      } catch (error) {
        why = error instanceof Error ? error.message : String(error)
      }
      await wait(systemClock, LOOK_AGAIN_MS)
    }
    throw new LateError(`the topic ${topic} was made, and is not there after ${this.#timeoutMs} ms: ${why}`)
  }
}

class KafkaJsMember implements IKafkaMember {
  readonly #consumer: Consumer
  readonly #options: MemberOptions
  #joining: Promise<unknown> = Promise.resolve()
  #commits = 0
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
      retry: RETRY_OF_MEMBER,
    })
  }

  async start(): Promise<void> {
    const { topics, events } = this.#options
    const { GROUP_JOIN, REBALANCING, FETCH_START, COMMIT_OFFSETS, CRASH } = this.#consumer.events
    this.#consumer.on(COMMIT_OFFSETS, () => {
      this.#commits += 1
    })
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
    const before = this.#commits
    await this.#consumer.commitOffsets(offsets.map((each) => ({ ...each, offset: String(each.offset) })))
    // While it joins kafkajs sends nothing, and says that all is well.
    if (this.#commits === before) throw new Error('no member of the group at the moment')
  }

  async stop(): Promise<void> {
    this.#isOver = true
    // kafkajs leaves no group that it is still joining: it would be a member whom nobody hears, and the group would wait for it.
    const left = this.#joining.then(() => this.#consumer.disconnect())
    await settledWithin(LEAVE_WITHIN_MS, left)
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
