/** What the engine asks of Kafka: counts, no times. */
import { BatonClient, type Flow, InMemoryCoordinationStore, InMemoryRunStore } from '@baton/core'
import { startKafka } from '@baton/services'
import { fanFlow, lineFlow } from '@baton/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createKafkaJsClient, KafkaAdapter, KafkaJobQueue } from '../src/index.ts'
import { countingClient, createTopics, QUICK } from './kafka-world.ts'

const kafka = await startKafka()
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'what Kafka is asked for', () => {
  let disposers: (() => unknown)[] = []
  afterEach(async () => {
    for (const dispose of disposers) await dispose()
    disposers = []
  })

  async function stand(flow: Flow, workers: number) {
    const client = createKafkaJsClient({ brokers: [...kafka.brokers] })
    const { client: counting, requests } = countingClient(client)
    const topics = await createTopics(client)
    const ports = { store: new InMemoryRunStore(), coordinationStore: new InMemoryCoordinationStore() }
    const adapters = Array.from({ length: workers }, () => {
      return new KafkaAdapter({ ...ports, ...topics, ...QUICK, kafka: counting, runtimeOptions: { flows: [flow] } })
    })
    for (const adapter of adapters) adapter.start()
    const queue = new KafkaJobQueue({ client: counting, ...topics })
    disposers.push(
      ...adapters.map((adapter) => () => adapter.close()),
      () => queue.close(),
      () => client.close(),
    )
    // Another process than the workers, as far as the queue can tell.
    return { requests, baton: new BatonClient({ store: ports.store, queue, flows: [flow] }) }
  }

  it('a line of ten is one message in one request: what comes next, its worker knows', async () => {
    const flow = lineFlow(10)
    const { requests, baton } = await stand(flow, 2)
    for (let run = 0; run < 5; run++) await (await baton.start(flow, 0)).result()

    expect(requests.map((messages) => messages.length)).toEqual([1, 1, 1, 1, 1])
  })

  it('a hundred lines that start at once are a few requests', async () => {
    const flow = lineFlow(10)
    const { requests, baton } = await stand(flow, 2)
    const handles = await Promise.all(Array.from({ length: 100 }, () => baton.start(flow, 0)))
    await Promise.all(handles.map((handle) => handle.result()))

    expect(requests.flat()).toHaveLength(100)
    expect(requests.length).toBeLessThan(20)
  })

  it('two hundred side by side go with a few requests', async () => {
    const flow = fanFlow(200)
    const { requests, baton } = await stand(flow, 2)
    await (await baton.start(flow)).result()

    expect(requests.length).toBeLessThan(20)
  })
})
