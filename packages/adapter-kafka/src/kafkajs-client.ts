/** Kafka by kafkajs. */
import { BatonError } from '@baton/core'
import { type ILogger, LateError, settledWithin, silentLogger, systemClock, wait, within } from '@baton/core/adapter'
import kafkajs, { type Admin, type Consumer, type Kafka, type KafkaConfig, type Producer } from 'kafkajs'
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
import { isKafkaError, kafkaFailure } from './kafka-errors.ts'

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
  readonly #producer: Connected<Producer>
  readonly #admin: Connected<Admin>

  constructor(config: KafkaConfig, { timeoutMs = 10_000, logger = silentLogger }: KafkaJsOptions) {
    this.#timeoutMs = timeoutMs
    this.#config = {
      logLevel: logLevel.ERROR,
      logCreator: () => logTo(logger),
      requestTimeout: timeoutMs,
      ...config,
      retry: { retries: 5, ...config.retry },
    }
    this.#producer = new Connected(() =>
      this.#kafka().producer({ allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner }),
    )
    this.#admin = new Connected(() => this.#kafka().admin())
  }

  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const byTopic = new Map<string, { key: string; value: string; headers: Record<string, string> }[]>()
    for (const { topic, key, text, headers } of messages) {
      const ofTopic = byTopic.get(topic) ?? []
      byTopic.set(topic, ofTopic)
      ofTopic.push({ key, value: text, headers: { ...headers } })
    }
    const topicMessages = [...byTopic].map(([topic, ofTopic]) => ({ topic, messages: ofTopic }))
    const timeout = this.#timeoutMs
    await this.#producer.use((producer) => producer.sendBatch({ acks: -1, timeout, topicMessages }), timeout)
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
    for (const { topic, partitions } of topics) await this.#untilThere(topic, partitions)
    // Somebody else was faster.
    return isMade ? missing.map(({ topic }) => topic) : []
  }

  async deleteGroup(groupId: string): Promise<void> {
    await this.#ask((admin) => admin.deleteGroups([groupId]))
  }

  async close(): Promise<void> {
    await settledWithin(this.#timeoutMs, Promise.all([this.#producer.close(), this.#admin.close()]))
  }

  #kafka(): Kafka {
    const { brokers } = this.#config
    if (!Array.isArray(brokers)) return new kafkajs.Kafka(this.#config)
    const first = this.#turn++ % brokers.length
    return new kafkajs.Kafka({ ...this.#config, brokers: [...brokers.slice(first), ...brokers.slice(0, first)] })
  }

  #ask<Answer>(call: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    return this.#admin.use(call, this.#timeoutMs)
  }

  /** As far as one broker knows; those that have not heard of it yet refuse it for some moments, and are asked again. */
  async #untilThere(topic: string, partitions: number): Promise<void> {
    const untilMs = performance.now() + this.#timeoutMs
    while (performance.now() < untilMs) {
      const reach = await this.reach(topic).catch(() => undefined)
      if (reach !== undefined && reach.size >= Math.min(partitions, 1)) return
      await wait(systemClock, LOOK_AGAIN_MS)
    }
    throw new LateError(`the topic ${topic} was made, and is not there after ${this.#timeoutMs} ms`)
  }
}

/**
 * A producer or an admin, connected when it is first used, and made anew after it has failed: kafkajs has been seen to stay with a
 * broker that is frozen although others would answer.
 */
class Connected<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }> {
  readonly #make: () => Client
  /** What was asked and is still under way, also of clients that were thrown away. */
  readonly #calls = new Set<Promise<unknown>>()
  #client: Promise<Client> | undefined
  #isClosed = false

  constructor(make: () => Client) {
    this.#make = make
  }

  async use<Answer>(call: (client: Client) => Promise<Answer>, timeoutMs: number): Promise<Answer> {
    if (this.#isClosed) throw new BatonError('CLOSED')
    this.#client ??= connected(this.#make())
    const client = this.#client
    const answer = client.then(call).finally(() => this.#calls.delete(answer))
    this.#calls.add(answer)
    try {
      return await within(timeoutMs, answer)
    } catch (error) {
      const failure = kafkaFailure(error)
      // What Kafka itself refuses is no failure of the client.
      if (failure.code === 'QUEUE_UNAVAILABLE') this.#drop(client)
      throw failure
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const client = await this.#client?.catch(() => undefined)
    if (client !== undefined) await this.#disconnect(client)
  }

  #drop(client: Promise<Client>): void {
    if (this.#client === client) this.#client = undefined
    void client.then((made) => this.#disconnect(made)).catch(() => {})
  }

  /** kafkajs goes on with what it was asked, and connects again for the next try: a socket that would keep the process up. */
  async #disconnect(client: Client): Promise<void> {
    const calls = [...this.#calls]
    await client.disconnect()
    if (calls.length > 0) void Promise.allSettled(calls).then(() => client.disconnect().catch(() => {}))
  }
}

async function connected<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }>(
  client: Client,
): Promise<Client> {
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.disconnect().catch(() => {})
    throw error
  }
}

class KafkaJsMember implements IKafkaMember {
  readonly #consumer: Consumer
  readonly #options: MemberOptions
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
    const { GROUP_JOIN, FETCH_START, CRASH } = this.#consumer.events
    const joined = new Promise<void>((resolve, reject) => {
      this.#consumer.on(GROUP_JOIN, ({ payload }) => {
        if (this.#isOver) return
        this.#hasJoined = true
        const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
          numbers.map((partition): Partition => ({ topic, partition })),
        )
        events.assigned(partitions)
        resolve()
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
      await Promise.all([joined, this.#run()])
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
