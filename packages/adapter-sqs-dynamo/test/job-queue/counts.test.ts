/** What the queue asks of SQS: each request costs money and time. */
import { systemClock, wait } from '@baton/core/adapter'
import { startSqs } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, job, jobs, Stand } from './stand.ts'

const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(() => sqs[Symbol.asyncDispose]())

let stand: Stand

describe.skipIf(sqs.skipReason !== undefined)(sqs.skipReason ?? 'what the job queue asks of SQS', () => {
  beforeEach(async () => {
    stand = await Stand.on(sqs.clientOptions)
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  it('asks for messages once per wait while there are none, however many it could take', async () => {
    for (let worker = 0; worker < 4; worker++) stand.consume(stand.open({ waitMs: 2_000 }), undefined, 100)
    await eventually(() => stand.times('ReceiveMessageCommand')).toBe(4)

    await wait(systemClock, 4_500)

    // One that has begun with the third wait, for each of the four.
    expect(stand.times('ReceiveMessageCommand')).toBeLessThanOrEqual(12)
    expect(stand.mostPolls).toBe(4)
    // The name of the queue was asked for once by each.
    expect(stand.times('GetQueueUrlCommand')).toBe(4)
  })

  it('sends 100 jobs with 10 requests, and 100 that are sent one by one at the same time', async () => {
    const queue = stand.open()

    await queue.enqueue(jobs(100))
    expect(stand.times('SendMessageBatchCommand')).toBe(10)
    await Promise.all(jobs(100).map((one) => queue.enqueue([one])))

    expect(stand.times('SendMessageBatchCommand')).toBe(20)
  })

  it('takes and acknowledges 100 jobs with a request for every ten or so', async () => {
    const queue = stand.open()
    await queue.enqueue(jobs(100))

    const consuming = stand.consume(queue, (delivery) => delivery.acknowledge(), 50)
    await eventually(() => consuming.deliveries.length).toBe(100)
    consuming.stop()
    await consuming.ended

    expect(stand.times('DeleteMessageBatchCommand')).toBeLessThanOrEqual(15)
    expect(stand.times('ReceiveMessageCommand')).toBeLessThanOrEqual(25)
  })

  it('asks for several batches at a time only while they come back full, and for no more than it has handlers', async () => {
    const queue = stand.open()
    await queue.enqueue(jobs(60))
    let running = 0
    let most = 0
    let open = () => {}
    const full = new Promise<void>((resolve) => {
      open = resolve
    })
    const handle = async () => {
      running += 1
      most = Math.max(most, running)
      if (running === 40) open()
      await full
      running -= 1
    }

    const consuming = stand.consume(queue, (delivery) => handle().then(() => delivery.acknowledge()), 40)
    await eventually(() => consuming.deliveries.length).toBe(60)

    expect(most).toBe(40)
    // A batch for each ten of them.
    expect(stand.mostPolls).toBeGreaterThan(2)
    expect(stand.mostPolls).toBeLessThanOrEqual(4)
  })

  it('keeps ten jobs from others with one request per third of the visibility', async () => {
    const queue = stand.open({ visibilityMs: 3_000 })
    await queue.enqueue(jobs(10))
    const consuming = stand.consume(
      queue,
      (delivery) => wait(systemClock, 3_700).then(() => delivery.acknowledge()),
      10,
    )
    await eventually(() => consuming.deliveries.length).toBe(10)

    await consumingOver(consuming.deliveries.length)

    expect(stand.times('ChangeMessageVisibilityBatchCommand')).toBeLessThanOrEqual(4)
    expect(consuming.deliveries).toHaveLength(10)
  })

  it('asks nothing for an extension that is shorter than what it keeps anyway', async () => {
    const queue = stand.open({ visibilityMs: 30_000 })
    await queue.enqueue([job('a')])
    const consuming = stand.consume(queue, async (delivery) => {
      for (let count = 0; count < 20; count++) await delivery.extend({ byMs: 15_000 })
      await delivery.acknowledge()
    })
    await eventually(() => stand.times('DeleteMessageBatchCommand')).toBe(1)

    expect(consuming.deliveries).toHaveLength(1)
    expect(stand.times('ChangeMessageVisibilityBatchCommand')).toBe(0)
  })

  async function consumingOver(count: number): Promise<void> {
    await eventually(() => stand.times('DeleteMessageBatchCommand')).toBeGreaterThan(0)
    expect(count).toBe(10)
  }
})
