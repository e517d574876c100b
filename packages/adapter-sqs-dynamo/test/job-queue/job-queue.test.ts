import { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { systemClock, wait } from '@baton/core/adapter'
import { startSqs } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { push } from '../sqs-world.ts'
import { eventually, job, jobs, nodes, Stand } from './stand.ts'

const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(() => sqs[Symbol.asyncDispose]())

describe.skipIf(sqs.skipReason !== undefined)(sqs.skipReason ?? 'the job queue on SQS', () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await Stand.on(sqs.clientOptions)
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  it('delivers a job once whose handler runs for longer than the visibility', async () => {
    const queue = stand.open({ visibilityMs: 1_000 })
    const consuming = stand.consume(queue, (delivery) => wait(systemClock, 3_500).then(() => delivery.acknowledge()))
    const other = stand.consume(stand.open({ visibilityMs: 1_000 }))
    await queue.enqueue([job('slow')])
    await eventually(() => stand.times('DeleteMessageBatchCommand')).toBe(1)
    await wait(systemClock, 1_200)

    expect([...nodes(consuming), ...nodes(other)]).toEqual(['slow'])
  })

  it('stops at once while it waits for messages', async () => {
    const queue = stand.open({ waitMs: 20_000 })
    const consuming = stand.consume(queue)
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(1)
    const startedAtMs = Date.now()

    consuming.stop()
    await consuming.ended

    expect(Date.now() - startedAtMs).toBeLessThan(600)
  })

  it('gives back at once what comes in the moment of the stop', async () => {
    const queue = stand.open({ visibilityMs: 600_000, waitMs: 20_000 })
    const consuming = stand.consume(queue)
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(1)

    consuming.stop()
    await queue.enqueue([job('a')])
    await consuming.ended
    const next = stand.consume(stand.open())

    await eventually(() => nodes(next)).toEqual(['a'])
    expect(next.deliveries[0]?.redelivered).toBe(1)
  })

  it('sends the acknowledgements of the last handlers before it ends', async () => {
    const queue = stand.open({ visibilityMs: 1_000 })
    await queue.enqueue(jobs(3))
    const consuming = stand.consume(queue)
    await eventually(() => consuming.deliveries.length).toBe(3)

    consuming.stop()
    await consuming.ended
    await wait(systemClock, 1_300)

    const rest = await stand.queues.client.send(new ReceiveMessageCommand({ QueueUrl: stand.queues.queueUrl }))
    expect(rest.Messages ?? []).toEqual([])
  })

  it('counts how often a job was delivered before', async () => {
    const queue = stand.open()
    const consuming = stand.consume(queue, (delivery) =>
      delivery.redelivered < 3 ? delivery.handBack({ delayMs: 0 }) : delivery.acknowledge(),
    )
    await queue.enqueue([job('a')])

    await eventually(() => consuming.deliveries.map(({ redelivered }) => redelivered)).toEqual([0, 1, 2, 3])
  })

  it('hands back for as long as SQS can where the delay is longer', async () => {
    const queue = stand.open()
    const handed: unknown[] = []
    stand.consume(queue, async (delivery) => {
      handed.push(await Promise.resolve(delivery.handBack({ delayMs: 30 * 86_400_000 })).then(() => 'back'))
    })
    await queue.enqueue([job('a')])

    await eventually(() => handed).toEqual(['back'])
  })

  it('keeps the dead in the dead letter queue, with the reason, whatever is in it', async () => {
    const queue = stand.open()
    const reason = `UNKNOWN_RUN: \0no such run \u{1F600}`
    stand.consume(queue, (delivery) => delivery.deadLetter(reason))
    await queue.enqueue([job('dead', { version: '\u{1F600} \uffff' })])
    await push(stand.queues, 'no job')

    await eventually(() => queue.deadLetters()).toHaveLength(2)
    const dead = await queue.deadLetters()
    expect(dead).toContainEqual({
      message: expect.objectContaining({ instanceId: 'dead', version: '\u{1F600} \uffff' }),
      reason: expect.stringContaining('UNKNOWN_RUN'),
    })
    expect(dead).toContainEqual({ message: 'no job', reason: expect.stringContaining('not JSON') })
    expect(await queue.deadLetters(1)).toHaveLength(1)
  })

  it('logs with all that it says, and deletes, what is taken out for good where there is no queue for it', async () => {
    const { options, client } = stand.queues
    const queue = stand.open({ visibilityMs: 1_000, deadLetterQueue: undefined as never })
    expect(options.deadLetterQueue).toBeDefined()
    stand.consume(queue)
    await push(stand.queues, 'no job')

    await eventually(() => stand.lines('a message was taken out for good', 'error')).toHaveLength(1)

    expect(stand.logged[0]?.fields).toMatchObject({ body: 'no job', reason: expect.stringContaining('not JSON') })
    await eventually(() => stand.times('DeleteMessageBatchCommand')).toBe(1)
    await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'deadLetterQueue' })
    client.destroy()
  })

  it('takes jobs that SQS itself put among the dead letters for lost hints, and leaves the others there', async () => {
    await using redriven = await Stand.on(sqs.clientOptions, { maxReceiveCount: 1 })
    const queue = redriven.open({ visibilityMs: 1_000, lostHintsMs: 1_000 })
    const consuming = redriven.consume(queue, async (delivery) => {
      if (delivery.job.nodeId === 'hopeless') return delivery.deadLetter('for a reason')
      if (consuming.deliveries.filter(({ job }) => job.nodeId === 'lost').length < 2) {
        return delivery.handBack({ delayMs: 0 })
      }
      return delivery.acknowledge()
    })
    await queue.enqueue([job('hopeless'), job('lost')])

    await eventually(() => nodes(consuming).filter((nodeId) => nodeId === 'lost').length).toBe(2)
    await wait(systemClock, 2_500)

    expect(nodes(consuming).filter((nodeId) => nodeId === 'hopeless')).toHaveLength(1)
    expect(redriven.lines('jobs were found among the dead letters')).toHaveLength(1)
    consuming.stop()
    await consuming.ended
    await eventually(() => queue.deadLetters()).toEqual([
      { message: expect.objectContaining({ instanceId: 'hopeless' }), reason: 'for a reason' },
    ])
  })

  it('looks at each dead letter once in a look, however short the visibility of jobs is', async () => {
    const { client, options } = stand.queues
    const queue = stand.open({ visibilityMs: 1_000, lostHintsMs: 3_000 })
    const letters = ['one', 'two', 'three']
    for (const letter of letters) await queue.deadLetter(letter, 'part of the test')
    const consuming = stand.consume(queue)

    // They go back when the look is over.
    await eventually(() => stand.times('ChangeMessageVisibilityBatchCommand')).toBe(1)
    consuming.stop()
    await consuming.ended

    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: options.deadLetterQueue }))
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      }),
    )
    expect(Messages.map(({ Attributes }) => Attributes?.ApproximateReceiveCount)).toEqual(letters.map(() => '2'))
  })

  it('finds lost hints also while it does nothing but wait', async () => {
    const { client, options } = stand.queues
    const consuming = stand.consume(stand.open({ lostHintsMs: 2_000, waitMs: 20_000 }), undefined, 1)
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(1)

    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: options.deadLetterQueue }))
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(job('lost')) }))

    await eventually(() => nodes(consuming)).toEqual(['lost'])
  })

  it('sends a job anew to a FIFO queue within the five minutes in which that swallows what it takes for the same', async () => {
    await using fifo = await Stand.on(sqs.clientOptions, { isFifo: true })
    const queue = fifo.open()
    const consuming = fifo.consume(queue)

    for (let count = 1; count <= 3; count++) {
      await queue.enqueue([job('a')])
      await eventually(() => consuming.deliveries.length).toBe(count)
    }
  })

  it('lets no job of a FIFO queue wait for one of another instance', async () => {
    await using fifo = await Stand.on(sqs.clientOptions, { isFifo: true })
    const queue = fifo.open()
    const consuming = fifo.consume(queue, (delivery) =>
      delivery.job.nodeId === 'n0' ? new Promise<void>((resolve) => stop.then(resolve)) : delivery.acknowledge(),
    )
    let end = () => {}
    const stop = new Promise<void>((resolve) => {
      end = resolve
    })
    await queue.enqueue(jobs(20))

    await eventually(() => nodes(consuming).length).toBe(20)
    end()
  })

  it('puts one listener on a signal that is given to many', async () => {
    const queue = stand.open()
    const warnings: unknown[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const stop = new AbortController()

    const all = Array.from({ length: 20 }, () =>
      queue.consume(async (delivery) => delivery.acknowledge(), { concurrency: 1, signal: stop.signal }),
    )
    await queue.enqueue(jobs(30))
    await wait(systemClock, 300)
    stop.abort()
    await Promise.all(all)

    process.off('warning', note)
    expect(warnings).toEqual([])
  })

  it('is closed for good', async () => {
    const queue = stand.open()
    const consuming = stand.consume(queue)
    await queue.close()
    await consuming.ended

    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
