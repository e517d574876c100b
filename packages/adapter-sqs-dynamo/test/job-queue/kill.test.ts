/** A server that is killed in the middle, and keeps what it has said that it has. */
import { startSqs } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { eventually, job, nodes, Stand } from './stand.ts'

const sqs = await startSqs({ kind: 'elasticmq', durable: true })
afterAll(() => sqs[Symbol.asyncDispose]())

describe.skipIf(sqs.skipReason !== undefined)(sqs.skipReason ?? 'the job queue on an SQS that is killed', () => {
  it('delivers every job that it took', { timeout: 120_000 }, async () => {
    await using stand = await Stand.on({ ...sqs.clientOptions, maxAttempts: 1 })
    const queue = stand.open({ visibilityMs: 2_000, timeoutMs: 2_000 })
    const consuming = stand.consume(queue)
    const taken: string[] = []
    const send = async (nodeId: string) => {
      try {
        await queue.enqueue([job(nodeId)])
        taken.push(nodeId)
      } catch (error) {
        expect(error).toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
      }
    }
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 10; index++) await send(`up-${round}-${index}`)
      const sending = Promise.all(Array.from({ length: 10 }, (_, index) => send(`kill-${round}-${index}`)))
      await sqs.kill()
      await sending
      await send(`down-${round}`)
      await sqs.restart()
      await eventually(async () => send(`back-${round}`).then(() => taken.at(-1))).toBe(`back-${round}`)
    }

    await eventually(() => taken.filter((nodeId) => !nodes(consuming).includes(nodeId))).toEqual([])
    expect(taken.length).toBeGreaterThanOrEqual(22)
    expect(taken).not.toContain('down-0')
    expect(stand.lines('the job queue failed, will look again', 'warn').length).toBeLessThanOrEqual(2)
  })
})
