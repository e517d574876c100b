/** Reads what a topic has, from its beginning, and changes nothing: as a group of its own, which is forgotten after that. */
import { randomUUID } from 'node:crypto'
import { onAbort } from '@baton/core/adapter'
import type { IKafkaClient, ReceivedMessage } from './client-port.ts'
import { absentTopic, kafkaFailure } from './kafka-errors.ts'

export interface ReadTopicOptions {
  /** The first so many of what is there, in the order of each partition. */
  readonly limit: number
  /** Ends it early, with what was read. */
  readonly signal?: AbortSignal
}

/** Throws `INVALID_OPTION` where there is no such topic, and `QUEUE_UNAVAILABLE`. */
export async function readTopic(
  client: IKafkaClient,
  topic: string,
  { limit, signal }: ReadTopicOptions,
): Promise<readonly ReceivedMessage[]> {
  try {
    const reach = await client.reach(topic)
    if (reach === undefined) throw absentTopic(topic)
    const partitions = [...reach].filter(([, { first, end }]) => end > first)
    const ends = new Map(partitions.map(([partition, { end }]) => [partition, end]))
    return ends.size === 0 || limit < 1 ? [] : await read(client, topic, ends, limit, signal)
  } catch (error) {
    throw kafkaFailure(error)
  }
}

/** @param ends up to where each partition is read */
async function read(
  client: IKafkaClient,
  topic: string,
  ends: Map<number, number>,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<readonly ReceivedMessage[]> {
  const groupId = `baton-look-${randomUUID()}`
  const found: ReceivedMessage[] = []
  let finish = () => {}
  let fail = (_error: unknown) => {}
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  const member = client.member({
    groupId,
    topics: [topic],
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    heartbeatMs: 3_000,
    waitMs: 200,
    partitionBytes: 1_048_576,
    events: {
      assigned: () => {},
      changing: () => {},
      looked: () => {},
      failed: fail,
      received: ({ partition }, messages) => {
        const end = ends.get(partition) ?? 0
        found.push(...messages.filter(({ offset }) => offset < end))
        if ((messages.at(-1)?.offset ?? 0) >= end - 1) ends.delete(partition)
        if (ends.size === 0 || found.length >= limit) finish()
      },
    },
  })
  const stopListening = onAbort(signal, finish)
  try {
    await Promise.race([finished, member.start().then(() => finished)])
  } finally {
    stopListening()
    await member.stop()
    // It would be gone in a week anyway.
    await client.deleteGroup(groupId).catch(() => {})
  }
  return found.slice(0, limit)
}
