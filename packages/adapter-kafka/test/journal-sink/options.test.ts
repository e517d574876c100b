import { InMemoryCoordinationStore, InMemoryRunStore } from '@baton/core'
import { expect, it } from 'vitest'
import {
  KafkaAdapter,
  type KafkaAdapterOptions,
  KafkaJournalSink,
  type KafkaJournalSinkOptions,
} from '../../src/index.ts'

const client = { brokers: ['localhost:9092'] }

it.each<{ field: string; options: Record<string, unknown> }>([
  { field: 'client', options: { client: {} } },
  { field: 'topic', options: { topic: 'a/b' } },
  { field: 'mostBytes', options: { mostBytes: 10 } },
  { field: 'timeoutMs', options: { timeoutMs: 0 } },
  { field: 'logger', options: { logger: console.log } },
  { field: 'options.journalTopic', options: { journalTopic: 'x' } },
])('refuses $options with the field $field', ({ field, options }) => {
  expect(() => new KafkaJournalSink({ client, ...options } as KafkaJournalSinkOptions)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', field }),
  )
})

it.each<{ field: string; options: Record<string, unknown> }>([
  { field: 'kafka', options: { kafka: undefined } },
  { field: 'journalTopic', options: { topic: 'jobs', journalTopic: 'jobs' } },
  { field: 'journalTopic', options: { journalTopic: '' } },
  { field: 'journalTopic', options: { journalTopic: 'j', journalSink: new KafkaJournalSink({ client }) } },
  { field: 'journalSink', options: { journalSink: {} } },
])('an adapter refuses $options', ({ field, options }) => {
  const ports = { store: new InMemoryRunStore(), coordinationStore: new InMemoryCoordinationStore() }
  const all = { kafka: client, ...ports, runtimeOptions: {}, ...options } as KafkaAdapterOptions
  expect(() => new KafkaAdapter(all)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field }))
})

it('takes nothing after it was closed', async () => {
  const sink = new KafkaJournalSink({ client })
  await sink.close()
  const event = { seq: 1, atMs: 0, type: 'run-paused' } as const
  const entry = { id: 'r/1', runId: 'r' as never, seq: 1, event }
  await expect(sink.publish('r' as never, [entry])).rejects.toMatchObject({ code: 'CLOSED' })
})
