/** A topic for journals, and workers that publish to it. */
import { randomUUID } from 'node:crypto'
import {
  BatonClient,
  type ILogger,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  InMemoryRunStore,
  type JournalEntry,
  type RunEvent,
  type RunnableFlow,
} from '@baton/core'
import {
  BaseDistributedAdapter,
  type IRunStore,
  type RunId,
  systemClock,
  type WorkerSettings,
  wait,
} from '@baton/core/adapter'
import {
  createKafkaJsClient,
  ensureTopics,
  type IKafkaClient,
  KafkaJournalSink,
  type KafkaJournalSinkOptions,
  type ReceivedMessage,
} from '../../src/index.ts'
import { readTopic } from '../../src/read-topic.ts'

class Adapter extends BaseDistributedAdapter {}

export class TopicWorld implements AsyncDisposable {
  readonly store: IRunStore
  readonly queue = new InMemoryJobQueue()
  readonly topic = `j-${randomUUID().slice(0, 8)}`
  readonly client: IKafkaClient
  readonly lines: { readonly level: string; readonly message: string }[] = []
  readonly #brokers: readonly string[]
  readonly #coordinationStore = new InMemoryCoordinationStore()
  readonly #adapters: Adapter[] = []

  private constructor(brokers: readonly string[], store: IRunStore) {
    this.#brokers = brokers
    this.store = store
    this.client = createKafkaJsClient({ brokers: [...brokers] })
  }

  /** @param store in memory, unless there is one already */
  static async on(
    brokers: readonly string[],
    store: IRunStore = new InMemoryRunStore({ redispatchMs: 1_000 }),
  ): Promise<TopicWorld> {
    const world = new TopicWorld(brokers, store)
    await ensureTopics({ client: world.client, topic: `${world.topic}-jobs`, journalTopic: world.topic, partitions: 4 })
    return world
  }

  sink(options: Partial<KafkaJournalSinkOptions> = {}): KafkaJournalSink {
    return new KafkaJournalSink({ client: { brokers: [...this.#brokers] }, topic: this.topic, ...options })
  }

  /** A worker that has started. It is closed with the world. */
  worker(flow: RunnableFlow, options: WorkerSettings = {}): Adapter {
    const logger: ILogger = { log: (level, message) => void this.lines.push({ level, message }) }
    const ports = { store: this.store, queue: this.queue, coordinationStore: this.#coordinationStore, logger }
    const settings = { sweepMs: 100, journalSink: this.sink(), ...options }
    const adapter = new Adapter({ ...ports, ...settings, runtimeOptions: { flows: [flow] } })
    this.#adapters.push(adapter)
    adapter.start()
    return adapter
  }

  baton(flow: RunnableFlow): BatonClient {
    return new BatonClient({ store: this.store, queue: this.queue, flows: [flow], publishJournals: true })
  }

  async journalOf(runId: string): Promise<readonly RunEvent[]> {
    const events: RunEvent[] = []
    for await (const event of this.store.journal(runId as RunId)) events.push(event)
    return events
  }

  /** With patience: for some moments after its start a broker lets nobody read. */
  async messages(): Promise<readonly ReceivedMessage[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await readTopic(this.client, this.topic, { limit: 1_000_000 })
      } catch (error) {
        if (tries === 40) throw error
        await wait(systemClock, 250)
      }
    }
  }

  /** Until the store knows that all of these were published. */
  async untilPublished(runIds: readonly string[], withinMs = 30_000): Promise<void> {
    const untilMs = Date.now() + withinMs
    for (const runId of runIds) {
      const isBehind = async () => (await this.store.due({ limit: 1, runId: runId as RunId })).length > 0
      while (await isBehind()) {
        if (Date.now() > untilMs) throw new Error(`${runId} was not published within ${withinMs} ms`)
        await wait(systemClock, 20)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const adapter of this.#adapters) await adapter.close()
    await this.client.close()
  }
}

/** What a consumer makes of a topic that drops doubles by their id: the entries of each run, in the order in which they came. */
export function withoutDoubles(messages: readonly ReceivedMessage[]): ReadonlyMap<string, readonly JournalEntry[]> {
  const seen = new Set<string>()
  const runs = new Map<string, JournalEntry[]>()
  for (const { key, text, headers } of messages) {
    const id = headers['baton-id'] ?? ''
    if (seen.has(id)) continue
    seen.add(id)
    const entries = runs.get(key) ?? []
    runs.set(key, entries)
    entries.push(JSON.parse(text) as JournalEntry)
  }
  return runs
}
