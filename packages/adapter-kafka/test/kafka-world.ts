/** Topics of a Kafka, and the ports of one process on them: new ones for each test. */
import { randomUUID } from 'node:crypto'
import { InMemoryCoordinationStore, InMemoryRunStore } from '@baton/core'
import type { Subject, World, WorldOptions } from '@baton/testing'
import {
  createKafkaJsClient,
  ensureTopics,
  type IKafkaClient,
  KafkaJobQueue,
  type KafkaJobQueueOptions,
  type OutgoingMessage,
} from '../src/index.ts'

export interface Topics {
  readonly topic: string
  readonly highTopic: string
  readonly lowTopic: string
  readonly deadLetterTopic: string
}

export interface TopicSettings {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly minInsyncReplicas?: number
}

export async function createTopics(client: IKafkaClient, settings: TopicSettings = {}): Promise<Topics> {
  const topic = `t-${randomUUID().slice(0, 8)}`
  const topics = { topic, highTopic: `${topic}-high`, lowTopic: `${topic}-low`, deadLetterTopic: `${topic}-dead` }
  await ensureTopics({ client, ...topics, partitions: 2, ...settings })
  return topics
}

/** So that tests need not wait: what is the group's is settled in fractions of a second. */
export const QUICK = {
  heartbeatMs: 100,
  waitMs: 100,
  commitMs: 20,
} satisfies Partial<KafkaJobQueueOptions>

/** The same client, with what it was asked to send, request by request. */
export function countingClient(client: IKafkaClient): {
  client: IKafkaClient
  requests: (readonly OutgoingMessage[])[]
} {
  const requests: (readonly OutgoingMessage[])[] = []
  const counting: IKafkaClient = {
    send: (topic, messages) => {
      requests.push(messages)
      return client.send(topic, messages)
    },
    member: (options) => client.member(options),
    reach: (topic) => client.reach(topic),
    committed: (groupId, topic) => client.committed(groupId, topic),
    createTopics: (topics) => client.createTopics(topics),
    deleteGroup: (groupId) => client.deleteGroup(groupId),
    close: () => client.close(),
  }
  return { client: counting, requests }
}

/** What somebody outside sends, who knows of Kafka and not of us. */
export function push(client: IKafkaClient, topic: string, text: string): Promise<void> {
  return client.send(topic, [{ key: randomUUID(), text, headers: {} }])
}

/** What a world has beside the queue. */
export interface OtherPorts extends Pick<World, 'store' | 'coordinationStore' | 'meter'> {
  close(): Promise<void>
}

export interface SubjectParts extends Pick<Subject, 'name' | 'durability'> {
  readonly brokers: readonly string[]
  /** The other ports of one process; those with the same name are on the same data. */
  openOthers(name: string, options: WorldOptions): Promise<OtherPorts>
}

/** Those in memory: the same for every process of a world. */
export function inMemory(): SubjectParts['openOthers'] {
  const worlds = new Map<string, OtherPorts>()
  return async (name) => {
    const known = worlds.get(name)
    if (known !== undefined) return known
    const ports = {
      store: new InMemoryRunStore(),
      coordinationStore: new InMemoryCoordinationStore(),
      close: async () => {},
    }
    worlds.set(name, ports)
    return ports
  }
}

/** The job queue under the kit, beside any store. */
export function kafkaSubject({ name, durability, brokers, openOthers }: SubjectParts): Subject {
  // A broker that begins, on a machine with other work, has more to do than to hear of topics.
  const client = createKafkaJsClient({ brokers: [...brokers] }, { timeoutMs: 40_000 })
  return {
    name,
    durability,
    // A group that changes settles within some heartbeats.
    tickMs: 50,
    priorityLevel: Math.sign,
    sideBySide: true,
    async create(options) {
      const topics = await createTopics(client)
      const open: World[] = []
      const openWorld = async (): Promise<World> => {
        const others = await openOthers(topics.topic, options)
        const queue = new KafkaJobQueue({ client: { brokers: [...brokers] }, ...topics, ...QUICK })
        const world: World = {
          ...others,
          queue,
          reopen: openWorld,
          push: (message) => push(client, topics.topic, JSON.stringify(message)),
          deadLetters: () => queue.deadLetters(),
          async [Symbol.asyncDispose]() {
            await queue.close()
            await others.close()
          },
        }
        open.push(world)
        return world
      }
      const world = await openWorld()
      return {
        ...world,
        async [Symbol.asyncDispose]() {
          for (const each of open) await each[Symbol.asyncDispose]()
        },
      }
    },
  }
}
