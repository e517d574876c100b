import { expect, it } from 'vitest'
import { ensureTopics, KafkaJobQueue, type KafkaJobQueueOptions, type TopicsOptions } from '../../src/index.ts'

const client = { brokers: ['localhost:9092'] }

it.each<{ field: string; options: Record<string, unknown> }>([
  { field: 'client', options: { client: undefined } },
  { field: 'client', options: { client: {} } },
  { field: 'client', options: { client: { brokers: [] } } },
  { field: 'client', options: { client: { brokers: ['kafka://box'] } } },
  { field: 'topic', options: { topic: 'a/b' } },
  { field: 'topic', options: { topic: '' } },
  { field: 'topic', options: { topic: '..' } },
  { field: 'highTopic', options: { highTopic: 'baton' } },
  { field: 'deadLetterTopic', options: { lowTopic: 'x', deadLetterTopic: 'x' } },
  { field: 'groupId', options: { groupId: '' } },
  { field: 'sessionTimeoutMs', options: { sessionTimeoutMs: 10 } },
  { field: 'heartbeatMs', options: { sessionTimeoutMs: 6_000, heartbeatMs: 4_000 } },
  { field: 'waitMs', options: { sessionTimeoutMs: 6_000, waitMs: 5_000 } },
  { field: 'silentMs', options: { silentMs: 1_000 } },
  { field: 'mostWaiting', options: { mostWaiting: 0 } },
  { field: 'logger', options: { logger: console.log } },
  { field: 'options.topics', options: { topics: 'baton' } },
])('refuses $options with the field $field', ({ field, options }) => {
  expect(() => new KafkaJobQueue({ client, ...options } as KafkaJobQueueOptions)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', field }),
  )
})

it.each<{ field: string; options: Record<string, unknown> }>([
  { field: 'partitions', options: { partitions: 0 } },
  { field: 'replicationFactor', options: { replicationFactor: 0 } },
  { field: 'minInsyncReplicas', options: { replicationFactor: 2, minInsyncReplicas: 3 } },
  { field: 'journalTopic', options: { topic: 'baton', journalTopic: 'baton' } },
  { field: 'retentionMs', options: { retentionMs: -1 } },
])('makes no topics with $options, and says $field', async ({ field, options }) => {
  await expect(ensureTopics({ client, ...options } as TopicsOptions)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    field,
  })
})

it('takes a session that is short, and beats as often as that wants', () => {
  expect(() => new KafkaJobQueue({ client, sessionTimeoutMs: 2_000 })).not.toThrow()
})

it('refuses what it is asked after it was closed', async () => {
  const queue = new KafkaJobQueue({ client })
  await queue.close()

  await expect(queue.enqueue([])).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'CLOSED' })
})
