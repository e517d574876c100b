/** Functions of AWS Lambda, called by a Lambda of our own: a queue on a server that plays SQS, and stores in memory. */
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import {
  BatonClient,
  createFlow,
  InMemoryAdapter,
  InMemoryCoordinationStore,
  InMemoryRunStore,
  type NodeArguments,
  parseRunId,
  type RunnableFlow,
} from '@baton/core'
import type { ClaimRequest, Delivery } from '@baton/core/adapter'
import { startSqs } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createLambdaHandler,
  type LambdaResponse,
  type LambdaSettings,
  type LambdaSqsRecord,
  type SqsJobQueue,
} from '../src/index.ts'
import { eventually, job, Stand } from './job-queue/stand.ts'
import { push } from './sqs-world.ts'

const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(() => sqs[Symbol.asyncDispose]())

type Handler = ReturnType<typeof createLambdaHandler>

describe.skipIf(sqs.skipReason !== undefined)(sqs.skipReason ?? 'a function of AWS Lambda', () => {
  let stand: Stand
  let queue: SqsJobQueue
  let store: InMemoryRunStore
  let adapters: InMemoryAdapter[]

  beforeEach(async () => {
    stand = await Stand.on(sqs.clientOptions, { hasLevels: true })
    queue = stand.open()
    store = new InMemoryRunStore()
    adapters = []
  })
  afterEach(async () => {
    for (const adapter of adapters) await adapter.stop()
    await stand[Symbol.asyncDispose]()
  })

  function make(flow: RunnableFlow, options: { readonly concurrency?: number } = {}): Handler {
    const coordinationStore = new InMemoryCoordinationStore()
    return createLambdaHandler({
      queue,
      marginMs: 3_000,
      logger: stand.logger,
      adapter: (settings) => {
        const adapter = new InMemoryAdapter({
          store,
          coordinationStore,
          runtimeOptions: { flows: [flow] },
          ...options,
          ...settings,
        })
        adapters.push(adapter)
        return adapter
      },
    })
  }

  const clientOf = (flow: RunnableFlow) => new BatonClient({ store, queue, flows: [flow] })

  /** What Lambda does: receives, calls, deletes what is done. */
  async function invoke(
    handler: Handler,
    leftMs = 60_000,
    queueUrl = stand.queues.queueUrl,
  ): Promise<LambdaResponse & { readonly records: number }> {
    const records = await receive(queueUrl)
    const response = await handler({ Records: records }, timeLeft(leftMs))
    const failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    for (const { messageId, receiptHandle: ReceiptHandle } of records) {
      if (failed.has(messageId)) continue
      await stand.queues.client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }))
    }
    return { ...response, records: records.length }
  }

  async function receive(queueUrl = stand.queues.queueUrl): Promise<LambdaSqsRecord[]> {
    const { client } = stand.queues
    const command = {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ['ApproximateReceiveCount' as const],
    }
    const { Messages = [] } = await client.send(new ReceiveMessageCommand(command))
    return Messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueUrl.split('/').at(-1)}`,
      attributes: Attributes,
    }))
  }

  async function urlOf(name: string): Promise<string> {
    const { QueueUrl = '' } = await stand.queues.client.send(new GetQueueUrlCommand({ QueueName: name }))
    return QueueUrl
  }

  /** An adapter that leaves its jobs unanswered while it is busy. */
  function busy({ queue: jobs }: LambdaSettings, isBusy: () => boolean) {
    const stop = new AbortController()
    const handle = async (delivery: Delivery) => (isBusy() ? undefined : delivery.acknowledge())
    return {
      start: () => void jobs.consume(handle, { concurrency: 2, signal: stop.signal }),
      stop: async () => stop.abort(),
      close: async () => {},
      running: [],
    }
  }

  function timeLeft(leftMs: number) {
    const untilMs = Date.now() + leftMs
    return { getRemainingTimeInMillis: () => untilMs - Date.now() }
  }

  it('executes a run, whatever it branches into, with one adapter for all invocations', async () => {
    const flow = createFlow('fan')
      .node('start', () => ({ output: 1 }))
      .node('left', () => ({ output: 'l' }))
      .node('right', () => ({ output: 'r' }))
      .node('end', () => ({ output: 'done' }))
      .edge('start', 'left')
      .edge('start', 'right')
      .edge('left', 'end')
      .edge('right', 'end')
    const handler = make(flow)
    const run = await clientOf(flow).start(flow)
    let invocations = 0

    do await invoke(handler)
    while (++invocations < 10 && (await run.status()) !== 'completed')

    expect(await run.outcome()).toMatchObject({ status: 'completed', output: 'done' })
    expect(invocations).toBeGreaterThan(0)
    expect(adapters).toHaveLength(1)
  })

  it('names the records that are to come again, and no others', async () => {
    const flow = createFlow('one').node('a', () => ({ output: 1 }))
    store = new (class extends InMemoryRunStore {
      override claim(request: ClaimRequest) {
        if (request.runId === 'bad') throw new Error('part of the test')
        return super.claim(request)
      }
    })()
    const handler = make(flow)
    const client = clientOf(flow)
    await Promise.all(['good', 'bad', 'fine'].map((runId) => client.start(flow, undefined, { runId })))
    await push(stand.queues, 'no job')
    const records = await receive()
    expect(records).toHaveLength(4)

    const { batchItemFailures } = await handler({ Records: records }, timeLeft(4_500))

    const bad = records.find(({ body }) => body.includes('bad'))
    expect(batchItemFailures).toEqual([{ itemIdentifier: bad?.messageId }])
    expect((await store.load(parseRunId('good')))?.status).toBe('completed')
    expect(await queue.deadLetters()).toEqual([{ message: 'no job', reason: expect.stringContaining('not JSON') }])
  })

  it('ends in time: what runs is handed back without an attempt lost, what was not begun fails, another one goes on', async () => {
    let isSlow = true
    const begun: string[] = []
    const flow = createFlow('slow').node('a', async ({ runId, signal }: NodeArguments) => {
      begun.push(runId)
      if (isSlow) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      return { output: 'done' }
    })
    const handler = make(flow, { concurrency: 1 })
    const client = clientOf(flow)
    const runs = await Promise.all(['r1', 'r2', 'r3'].map((runId) => client.start(flow, undefined, { runId })))
    const startedAtMs = Date.now()

    const { batchItemFailures, records } = await invoke(handler, 3_500)

    expect(Date.now() - startedAtMs).toBeLessThan(3_500)
    expect(records).toBe(3)
    expect(begun).toHaveLength(1)
    expect(batchItemFailures.length).toBeGreaterThanOrEqual(2)
    expect(adapters[0]?.running).toEqual([])
    isSlow = false
    for (let count = 0; count < 10 && begun.length < 4; count++) await invoke(handler)
    for (const run of runs) expect(await run.outcome()).toMatchObject({ status: 'completed', output: 'done' })
    const [instance] = (await store.load(parseRunId(begun[0])))?.instances ?? []
    expect(instance).toMatchObject({ attempt: 1, lostLeases: 0 })
    expect(adapters.length).toBe(2)
  })

  it('begins nothing when there is no time', async () => {
    const flow = createFlow('one').node('a', () => ({ output: 1 }))
    const handler = make(flow)
    await clientOf(flow).start(flow)

    const { batchItemFailures } = await invoke(handler, 2_000)

    expect(batchItemFailures).toHaveLength(1)
    expect(adapters).toHaveLength(0)
  })

  it('sweeps for an event without records, so that a queue that drops everything holds nobody up', async () => {
    const flow = createFlow('two')
      .node('a', () => ({ output: 1 }))
      .node('b', () => ({ output: 2 }))
      .edge('a', 'b')
    const handler = make(flow)
    const run = await new BatonClient({ store, flows: [flow] }).start(flow)

    await handler({}, timeLeft(60_000))

    await eventually(async () => (await store.load(parseRunId(run.runId)))?.status).toBe('completed')
  })

  it('fails what is left open when a handler throws', async () => {
    const flow = createFlow('one').node('a', () => ({ output: 1 }))
    const handler = createLambdaHandler({
      queue,
      logger: stand.logger,
      adapter: ({ queue: jobs }) => {
        const stop = new AbortController()
        const consuming = () =>
          jobs.consume(
            async (delivery) => {
              if (delivery.job.nodeId === 'bad') throw new Error('part of the test')
              await delivery.acknowledge()
            },
            { concurrency: 2, signal: stop.signal },
          )
        return { start: () => void consuming(), stop: async () => stop.abort(), close: async () => {}, running: [] }
      },
    })
    await queue.enqueue([job('good'), job('bad')])
    expect(flow).toBeDefined()

    expect((await invoke(handler)).batchItemFailures).toHaveLength(1)
  })

  it('gives back to the queue that it is from what comes from one for another priority', async () => {
    const { highQueue = '', lowQueue = '' } = stand.queues.options
    let isBusy = true
    const handler = createLambdaHandler({
      queue,
      logger: stand.logger,
      adapter: (settings) => busy(settings, () => isBusy),
    })
    await queue.enqueue([job('urgent', { priority: 1 }), job('idle', { priority: -1 })])

    for (const name of [highQueue, lowQueue]) {
      const url = await urlOf(name)
      isBusy = true
      expect((await invoke(handler, 60_000, url)).batchItemFailures).toHaveLength(1)
      isBusy = false
      // Long before its visibility is over, which is 30 s.
      await eventually(async () => (await invoke(handler, 60_000, url)).records).toBe(1)
    }
  })

  it('leaves what comes from a queue that it was not told of, says so once, and has it come again', async () => {
    const { highQueue = '' } = stand.queues.options
    await queue.enqueue([job('urgent', { priority: 1 }), job('as-urgent', { priority: 2 })])
    queue = stand.open({ highQueue: undefined as never })
    const handler = createLambdaHandler({
      queue,
      logger: stand.logger,
      adapter: (settings) => busy(settings, () => false),
    })

    const { batchItemFailures, records } = await invoke(handler, 60_000, await urlOf(highQueue))

    expect(batchItemFailures).toHaveLength(records)
    const errors = stand.logged.filter(({ level }) => level === 'error')
    expect(errors).toMatchObject([
      { message: expect.stringContaining('not told of'), fields: { queue: highQueue, records } },
    ])
    await expect(queue.handBack('a handle', { delayMs: 0, from: highQueue })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'from',
    })
  })

  it('knows a queue that is given by its URL', async () => {
    queue = stand.open({ queue: stand.queues.queueUrl })
    const handler = createLambdaHandler({
      queue,
      logger: stand.logger,
      adapter: (settings) => busy(settings, () => false),
    })
    await queue.enqueue([job('a')])

    expect(await invoke(handler)).toMatchObject({ records: 1, batchItemFailures: [] })
  })

  it.each([
    [{ queue: {} }, 'queue'],
    [{ adapter: undefined }, 'adapter'],
    [{ adapter: 7 }, 'adapter'],
    [{ marginMs: 1 }, 'marginMs'],
    [{ margin: 1 }, 'options.margin'],
  ])('refuses options that cannot be used: %o', (wrong, field) => {
    const options = { queue, adapter: () => adapters[0], ...wrong } as never

    expect(() => createLambdaHandler(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field }))
  })
})
