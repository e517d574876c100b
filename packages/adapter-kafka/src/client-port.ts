/**
 * All that Baton asks of a client of Kafka, so that another client can take the place of kafkajs: `kafkajs-client.ts` is the one
 * that is there.
 *
 * Offsets are plain numbers: a partition has fewer than 2^53 messages.
 */

export interface IKafkaClient {
  /**
   * Resolves when all in-sync replicas of the topic have all of them. Whoever asks again after a failure may send some twice.
   * Those with the same key go to the same partition, in their order as long as nothing fails. One topic that is not there is no
   * failure of what is sent to another at the same time.
   */
  send(topic: string, messages: readonly OutgoingMessage[]): Promise<void>

  /** A member of a group, which has not joined yet. Joining happens with `start`. */
  member(options: MemberOptions): IKafkaMember

  /** From where to where each partition of a topic reaches; undefined where there is no such topic. */
  reach(topic: string): Promise<ReadonlyMap<number, Reach> | undefined>

  /** What a group has committed of a topic; a partition of which it has committed nothing is not there. */
  committed(groupId: string, topic: string): Promise<ReadonlyMap<number, number>>

  /** Makes those topics that are not there. @returns the names of those that it made */
  createTopics(topics: readonly NewTopic[]): Promise<readonly string[]>

  /** Forgets a group that nobody is a member of. */
  deleteGroup(groupId: string): Promise<void>

  /** Waits for nothing that is under way. */
  close(): Promise<void>
}

export interface OutgoingMessage {
  readonly key: string
  readonly text: string
  readonly headers: Headers
}

export interface Headers {
  readonly [name: string]: string
}

export interface ReceivedMessage {
  readonly offset: number
  /** '' where there is none. */
  readonly key: string
  /** '' where there is none. */
  readonly text: string
  readonly headers: Headers
}

export interface Partition {
  readonly topic: string
  readonly partition: number
}

export interface Reach {
  readonly first: number
  /** Where the next message goes. */
  readonly end: number
}

export interface Offset extends Partition {
  /** Where whoever has the partition next begins: behind the last message that is done. */
  readonly offset: number
}

export interface NewTopic {
  readonly topic: string
  readonly partitions: number
  /** -1: what the broker takes by default. */
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export interface MemberOptions {
  readonly groupId: string
  /** One that the group has no offset for is read from its beginning. */
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatMs: number
  /** How long a broker waits with its answer while it has nothing. */
  readonly waitMs: number
  /** The most of one partition that one answer brings, unless a single message is longer. */
  readonly partitionBytes: number
  readonly events: MemberEvents
}

/** What a member of a group hears. None of these may wait or throw. */
export interface MemberEvents {
  /** It has joined, and reads these partitions, each from where the group has come. Replaces what it had before. */
  assigned(partitions: readonly Partition[]): void
  received(partition: Partition, messages: readonly ReceivedMessage[]): void
  /** Others come or go. A commit that is asked for now still counts, one a moment later may not. */
  changing(): void
  /** A broker is asked anew: what it has answered before, if anything, was given. */
  looked(): void
  /** It is of no use any more, and gives nothing from now on. */
  failed(error: unknown): void
}

export interface IKafkaMember {
  /** Joins the group. Rejects when it could not; after that it is of no use. */
  start(): Promise<void>
  /** Gives nothing more of these, until `resume`. What it has been asked for before may still come. */
  pause(partitions: readonly Partition[]): void
  resume(partitions: readonly Partition[]): void
  commit(offsets: readonly Offset[]): Promise<void>
  /** Leaves the group. */
  stop(): Promise<void>
}
