/** All that workers and clients ever ask of AWS: every operation of the three ports, and what comes up on the way. */
import { GetQueueAttributesCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { BatonClient, createFlow, type Flow, type NodeArguments } from '@baton/core'
import { type Delivery, parseJob } from '@baton/core/adapter'
import { expect } from 'vitest'
import type { DynamoCoordinationStore, SqsAdapter, SqsJobQueue } from '../../src/index.ts'

const LARGE = 'x'.repeat(100_000)

/** A value that is kept apart, branches that meet, a signal, a node that fails for good, and one that takes long. */
export const flow: Flow = createFlow('everything')
  .node('start', () => ({ output: LARGE }))
  .node('left', () => ({ output: 'l' }))
  .node('right', async (node: NodeArguments) => ({ output: await node.waitForSignal('go') }))
  .node('slow', async (node: NodeArguments) => {
    await node.step('longer than the visibility', () => new Promise((resolve) => setTimeout(resolve, 1_500)))
    await node.sleep(50)
    return { output: 's' }
  })
  .node('end', ({ input }: NodeArguments) => ({ output: Object.keys(input as object).length }), { joinStrategy: 'all' })
  .edge('start', 'left')
  .edge('start', 'right')
  .edge('start', 'slow')
  .edge('left', 'end')
  .edge('right', 'end')
  .edge('slow', 'end')

export const failing: Flow = createFlow('failing').node('a', () => {
  throw new Error('part of the workload')
})

/** Nobody has it at first. */
export const late: Flow = createFlow('late').node('a', () => ({ output: 'here' }))

export interface Place {
  /** Of a process that starts runs, looks at them and tells them things, and has no worker. */
  readonly caller: SqsAdapter
  readonly adapter: SqsAdapter
  /** Of another process, that has the flow which came late. */
  readonly other: SqsAdapter
  readonly coordination: DynamoCoordinationStore
  /** Of somebody else, who puts things into queues that are no jobs. */
  readonly outside: SQSClient
  readonly queueUrl: string
  readonly deadLetterUrl: string
}

export async function doEverything(place: Place): Promise<void> {
  const { adapter, caller } = place
  const { store, queue } = caller
  const baton = new BatonClient({ store, queue, flows: [flow, failing, late] })
  await deliveries(adapter.queue)
  await runsOf(baton, place)
  await locks(place.coordination)
  await deadLetters(place)
  // All that has ended, and then one under an id that was free again.
  const purge = () => adapter.store.purge({ endedBeforeMs: Date.now() + 60_000, limit: 100 })
  await expect.poll(purge, { timeout: 10_000 }).toBe(0)
  await (await baton.start(late, undefined, { runId: 'again' })).result()
}

/** Every answer that there is for a job of each priority, but that of a dead letter. */
async function deliveries(queue: SqsAdapter['queue']): Promise<void> {
  const stop = new AbortController()
  const job = parseJob({ runId: 'nobody', blueprintId: 'everything', nodeId: 'start' })
  const jobs = [-1, 0, 1].map((priority) => ({ ...job, priority }))
  let open = jobs.length
  const handle = async (delivery: Delivery) => {
    await delivery.extend({ byMs: 60_000 })
    if (delivery.redelivered === 0) return delivery.handBack({ delayMs: 0 })
    await delivery.acknowledge()
    open -= 1
    if (open === 0) stop.abort()
  }
  const consumed = queue.consume(handle, { concurrency: 1, signal: stop.signal })
  await queue.enqueue(jobs)
  await consumed
}

async function runsOf(baton: BatonClient, { adapter, other }: Place): Promise<void> {
  adapter.start()
  const waiting = await baton.start(late, undefined, { runId: 'again' })
  const whole = await baton.start(flow)
  const failed = await baton.start(failing, undefined, { priority: 1 })
  const stopped = await baton.start(flow, undefined, { priority: -1 })
  await whole.signal('go', LARGE)
  expect(await whole.result()).toBe(3)
  expect((await failed.outcome()).status).toBe('failed')
  await stopped.pause({ reason: 'a look' })
  await stopped.unpause()
  await stopped.cancel()
  await stopped.outcome()
  for await (const event of whole.stream({ live: false })) expect(event.type).toBeDefined()
  expect((await baton.listRuns()).runs.length).toBeGreaterThan(2)
  expect((await baton.deadLetters()).deadLetters).toHaveLength(1)
  await expect.poll(() => baton.waitingForWorker(), { timeout: 20_000 }).toHaveLength(1)
  other.start()
  expect(await waiting.result()).toBe('here')
  // What has left the list is taken from it by whoever reads it next.
  await expect.poll(() => baton.waitingForWorker(), { timeout: 20_000 }).toHaveLength(0)
}

async function locks(store: DynamoCoordinationStore): Promise<void> {
  await store.setIfNotExist('key', 'a', { ttlMs: 60_000 })
  await store.get('key')
  await store.compareAndSet('key', 'a', 'b')
  await store.extendTTL('key', 60_000)
  await store.increment('count')
  await store.compareAndDelete('key', 'b')
  await store.delete('count')
}

/** One that is no job, one that SQS itself has taken for a dead letter, and what lies there, looked at. */
async function deadLetters({ adapter, outside, queueUrl, deadLetterUrl }: Place): Promise<void> {
  const job = { runId: 'nobody', blueprintId: 'everything', nodeId: 'start' }
  await outside.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'no job' }))
  await outside.send(new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody: JSON.stringify(job) }))
  await expect.poll(() => lettersOf(adapter), { timeout: 20_000 }).toContain('no job')
  // The job is taken from there, and was no dead letter.
  await expect.poll(() => lengthOf(outside, deadLetterUrl), { timeout: 20_000 }).toBe(1)
}

async function lettersOf({ queue }: SqsAdapter): Promise<readonly unknown[]> {
  const letters = await (queue as unknown as SqsJobQueue).deadLetters()
  return letters.map(({ message }) => message)
}

async function lengthOf(client: SQSClient, QueueUrl: string): Promise<number> {
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
  )
  return AttributeNames.reduce((sum, name) => sum + Number(Attributes[name]), 0)
}
