/** Journals in a topic of a real Kafka: what a consumer gets. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BatonClient, createFlow, InMemoryCoordinationStore, InMemoryRunStore, type NodeArguments } from '@baton/core'
import { systemClock, wait } from '@baton/core/adapter'
import { startKafka } from '@baton/services'
import { FileRunStore } from '@baton/store-file'
import { lineFlow } from '@baton/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { KafkaAdapter } from '../../src/index.ts'
import { createTopics, QUICK } from '../kafka-world.ts'
import { TopicWorld, withoutDoubles } from './topic-world.ts'

const kafka = await startKafka({ settings: { 'message.max.bytes': '200000' } })
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'journals as a topic', () => {
  it('has each event of each run, in order, with what says which it is', async () => {
    await using world = await TopicWorld.on(kafka.brokers)
    const flow = lineFlow(10)
    for (let workers = 0; workers < 3; workers++) world.worker(flow, { fanOut: 'queue', inlineMaxNodes: 1 })
    const handles = await Promise.all(Array.from({ length: 20 }, () => world.baton(flow).start(flow, 0)))
    await Promise.all(handles.map((handle) => handle.result()))
    const runIds = handles.map(({ runId }) => runId)
    await world.untilPublished(runIds)

    const messages = await world.messages()
    const runs = withoutDoubles(messages)
    expect([...runs.keys()].sort()).toEqual([...runIds].sort())
    for (const runId of runIds) {
      const journal = JSON.parse(JSON.stringify(await world.journalOf(runId))) as unknown[]
      const expected = journal.map((event, index) => ({ id: `${runId}/${index + 1}`, runId, seq: index + 1, event }))
      expect(runs.get(runId)).toEqual(expected)
    }
    const [first] = messages
    expect(first?.headers).toEqual({ 'baton-id': `${first?.key}/1`, 'baton-type': 'run-started' })
  })

  it('comes from a KafkaAdapter with a journalTopic, which marks runs of jobs from outside', async () => {
    await using world = await TopicWorld.on(kafka.brokers)
    const flow = lineFlow(3)
    const topics = await createTopics(world.client)
    const ports = { store: new InMemoryRunStore(), coordinationStore: new InMemoryCoordinationStore() }
    await using adapter = new KafkaAdapter({
      ...{ ...ports, ...topics, ...QUICK },
      kafka: { brokers: [...kafka.brokers] },
      journalTopic: world.topic,
      runtimeOptions: { flows: [flow] },
    })
    adapter.start()
    const { store, queue } = adapter
    await (
      await new BatonClient({ store, queue, flows: [flow], publishJournals: true }).start(flow, 0, { runId: 'ours' })
    ).result()
    const text = JSON.stringify({ runId: 'outside', blueprintId: 'line', nodeId: 'n0' })
    await world.client.send(topics.topic, [{ key: 'any', text, headers: {} }])
    await new BatonClient({ store, queue, flows: [flow] }).start(flow, 0, { runId: 'unmarked' })

    const whole = () =>
      [...withoutDoubles(messages)].filter(([, entries]) => entries.at(-1)?.event.type === 'run-completed')
    let messages = await world.messages()
    for (
      const untilMs = Date.now() + 20_000;
      whole().length < 2 && Date.now() < untilMs;
      messages = await world.messages()
    ) {
      await wait(systemClock, 100)
    }
    expect(
      whole()
        .map(([runId]) => runId)
        .sort(),
    ).toEqual(['ours', 'outside'])
  })

  it('has an event without its content that is too large for the topic, or for the sink, and all that come after it', async () => {
    await using world = await TopicWorld.on(kafka.brokers)
    const flow = createFlow<number>('large')
      .node('make', ({ input }: NodeArguments<number>) => ({ output: 'x'.repeat(input) }))
      .node('after', () => ({ output: 1 }))
      .edge('make', 'after')
    world.worker(flow)
    world.worker(flow, { journalSink: world.sink({ mostBytes: 250_000 }) })
    const runIds: string[] = []
    for (const bytes of [150_000, 230_000, 300_000]) {
      const handle = await world.baton(flow).start(flow, bytes)
      await handle.result()
      runIds.push(handle.runId)
    }
    await world.untilPublished(runIds)

    const messages = await world.messages()
    const runs = withoutDoubles(messages)
    for (const [index, runId] of runIds.entries()) {
      const journal = await world.journalOf(runId)
      const entries = runs.get(runId) ?? []
      expect(entries.map(({ seq, event }) => [seq, event.type])).toEqual(journal.map(({ seq, type }) => [seq, type]))
      const made = entries.find(({ event }) => event.type === 'node-succeeded')
      const { seq = 0 } = made ?? {}
      const { atMs = 0 } = journal[seq - 1] ?? {}
      const small = { id: `${runId}/${seq}`, runId, seq, event: { seq, atMs, type: 'node-succeeded' } }
      if (index === 0) expect(made).toEqual({ ...small, event: JSON.parse(JSON.stringify(journal[seq - 1])) })
      else expect(made).toEqual({ ...small, bytes: expect.any(Number) })
      const headers = messages.find(({ headers }) => headers['baton-id'] === `${runId}/${seq}`)?.headers
      expect(headers?.['baton-truncated']).toBe(index === 0 ? undefined : 'true')
    }
  })

  it('has all of a run whose worker was killed between publishing and noting that', { timeout: 60_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'baton-journal-'))
    try {
      const store = new FileRunStore({ directory, redispatchMs: 1_000 })
      await using world = await TopicWorld.on(kafka.brokers, store)
      const flow = createFlow('mortal')
        .node('one', () => ({ output: 1 }))
        .node('two', ({ sleep }: NodeArguments) => sleep(500))
        .edge('one', 'two')
      const handle = await world.baton(flow).start(flow, undefined, { runId: 'r' })
      const script = fileURLToPath(new URL('../children/publish-and-die.ts', import.meta.url))
      const flags = ['--import', 'tsx', '--conditions=@baton/source', script]
      const args = [...flags, directory, kafka.brokers[0] ?? '', world.topic]
      const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: 'inherit' })
      const [, signal] = (await once(child, 'exit')) as [unknown, string]
      expect(signal).toBe('SIGKILL')
      const before = await world.messages()
      expect(before.length).toBeGreaterThan(0)

      world.worker(flow)
      await handle.outcome()
      await world.untilPublished(['r'])
      const messages = await world.messages()
      const entries = withoutDoubles(messages).get('r') ?? []
      expect(messages.length).toBeGreaterThan(entries.length)
      expect(entries.map(({ event }) => event)).toEqual(JSON.parse(JSON.stringify(await world.journalOf('r'))))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
