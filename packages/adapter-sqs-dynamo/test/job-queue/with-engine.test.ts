/** Workers that take their jobs from SQS; the runs are in memory, so that only the queue is in question. */
import {
  BatonClient,
  createFlow,
  InMemoryAdapter,
  InMemoryCoordinationStore,
  InMemoryRunStore,
  type RunnableFlow,
} from '@baton/core'
import { type IJobQueue, systemClock, type WorkerSettings, wait } from '@baton/core/adapter'
import { startSqs } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, Stand } from './stand.ts'

const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(() => sqs[Symbol.asyncDispose]())

describe.skipIf(sqs.skipReason !== undefined)(sqs.skipReason ?? 'workers on SQS', () => {
  let stand: Stand
  let workers: InMemoryAdapter[]
  const stores = () => ({ store, coordinationStore })
  let store: InMemoryRunStore
  let coordinationStore: InMemoryCoordinationStore

  beforeEach(async () => {
    stand = await Stand.on(sqs.clientOptions)
    store = new InMemoryRunStore()
    coordinationStore = new InMemoryCoordinationStore()
    workers = []
  })
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await stand[Symbol.asyncDispose]()
  })

  function work(flow: RunnableFlow, settings: WorkerSettings & { readonly queue?: IJobQueue } = {}): void {
    const queue = stand.open({ visibilityMs: 1_000 })
    const worker = new InMemoryAdapter({ ...stores(), queue, runtimeOptions: { flows: [flow] }, ...settings })
    worker.start()
    workers.push(worker)
  }

  it.each([
    ['with the commit', 'commit'],
    ['with the claim', 'claim'],
  ] as const)(
    'execute a node once that takes longer than the visibility, acknowledged %s',
    async (_name, acknowledge) => {
      let times = 0
      const flow = createFlow('slow').node('a', async () => {
        times += 1
        await wait(systemClock, 3_000)
        return { output: 'done' }
      })
      for (let count = 0; count < 2; count++) work(flow, { acknowledge })
      const run = await new BatonClient({ store, flows: [flow], queue: stand.open() }).start(flow)
      await eventually(() => times).toBe(1)
      if (acknowledge === 'claim') await eventually(() => stand.times('DeleteMessageBatchCommand')).toBe(1)

      expect(await run.outcome()).toMatchObject({ status: 'completed', output: 'done' })
      await wait(systemClock, 1_300)

      expect(times).toBe(1)
      expect(stand.times('DeleteMessageBatchCommand')).toBe(1)
    },
  )

  it('finish every run on a queue that drops every message', async () => {
    const flow = createFlow('two')
      .node('a', () => ({ output: 1 }))
      .node('b', () => ({ output: 2 }))
      .edge('a', 'b')
    const queue = stand.open()
    const drops: IJobQueue = {
      enqueue: () => {},
      consume: (handler, options) => queue.consume(handler, options),
      close: () => {},
    }
    work(flow, { queue: drops, sweepMs: 200 })
    const client = new BatonClient({ store, flows: [flow], queue: drops })
    const runs = await Promise.all(Array.from({ length: 10 }, () => client.start(flow)))

    for (const run of runs) expect(await run.outcome()).toMatchObject({ status: 'completed', output: 2 })
  })

  it('ask SQS for next to nothing while there is nothing to do', async () => {
    const flow = createFlow('idle').node('a', () => ({ output: 1 }))
    for (let count = 0; count < 4; count++) work(flow, { queue: stand.open({ waitMs: 20_000 }) })
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(4)
    stand.asked.length = 0

    await wait(systemClock, 5_000)

    expect(stand.asked).toEqual([])
  })

  it('stop soon while they wait for messages', async () => {
    const flow = createFlow('idle').node('a', () => ({ output: 1 }))
    work(flow, { queue: stand.open({ waitMs: 20_000 }) })
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(1)
    const startedAtMs = Date.now()

    await workers[0]?.stop()

    expect(Date.now() - startedAtMs).toBeLessThan(600)
  })
})
