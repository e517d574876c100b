import { CreateQueueCommand } from '@aws-sdk/client-sqs'
import { startSqs } from '@baton/services'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, job, nodes, Stand } from './stand.ts'

const probe = await startSqs({ kind: 'fauxqs', own: true })
await probe[Symbol.asyncDispose]()

describe.skipIf(probe.skipReason !== undefined)(probe.skipReason ?? 'the job queue while SQS is away', () => {
  let stand: Stand | undefined
  afterEach(async () => stand?.[Symbol.asyncDispose]())

  it('goes on when SQS is back and the queue, which was lost with it, is made anew', { timeout: 60_000 }, async () => {
    await using sqs = await startSqs({ kind: 'fauxqs', own: true })
    stand = await Stand.on({ ...sqs.clientOptions, maxAttempts: 1 })
    const { client, options } = stand.queues
    const queue = stand.open({ timeoutMs: 1_000 })
    const consuming = stand.consume(queue)
    await queue.enqueue([job('before')])
    await eventually(() => nodes(consuming)).toEqual(['before'])

    await sqs.kill()
    await expect(queue.enqueue([job('down')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await sqs.restart()
    await expect(queue.enqueue([job('missing')])).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      field: 'queue',
      hint: expect.stringContaining('ensureInfrastructure'),
    })
    await client.send(new CreateQueueCommand({ QueueName: options.queue }))
    await queue.enqueue([job('after')])

    await eventually(() => nodes(consuming)).toEqual(['before', 'after'])
    expect(stand.lines('the job queue failed, will look again', 'warn')).toHaveLength(1)
    expect(stand.lines('the job queue is back')).toHaveLength(1)
  })

  it('holds up only the first who sends where SQS does not answer', { timeout: 60_000 }, async () => {
    await using sqs = await startSqs({ kind: 'fauxqs', own: true })
    stand = await Stand.on({ ...sqs.clientOptions, maxAttempts: 1 })
    const queue = stand.open({ timeoutMs: 2_000 })
    const consuming = stand.consume(queue)
    await queue.enqueue([job('before')])
    await eventually(() => nodes(consuming)).toEqual(['before'])
    sqs.freeze()
    const startedAtMs = Date.now()

    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    const firstMs = Date.now() - startedAtMs
    await expect(queue.enqueue([job('b')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })

    expect(Date.now() - startedAtMs - firstMs).toBeLessThan(firstMs)
    sqs.thaw()
    await queue.enqueue([job('after')])
    await eventually(() => nodes(consuming)).toContain('after')
  })

  it('stops and closes while SQS is away, and lets no handler hang', { timeout: 60_000 }, async () => {
    await using sqs = await startSqs({ kind: 'fauxqs', own: true })
    stand = await Stand.on({ ...sqs.clientOptions, maxAttempts: 1 })
    const queue = stand.open({ timeoutMs: 500 })
    const answers: unknown[] = []
    const consuming = stand.consume(queue, async (delivery) => {
      sqs.freeze()
      for (const answer of [() => delivery.extend({ byMs: 600_000 }), () => delivery.handBack({ delayMs: 0 })]) {
        await Promise.resolve(answer()).catch((error: { code?: unknown }) => answers.push(error.code))
      }
    })
    await queue.enqueue([job('a')])
    await eventually(() => answers).toEqual(['QUEUE_UNAVAILABLE', 'QUEUE_UNAVAILABLE'])
    const startedAtMs = Date.now()

    consuming.stop()
    await consuming.ended
    await queue.close()

    expect(Date.now() - startedAtMs).toBeLessThan(2_500)
    sqs.thaw()
  })
})
