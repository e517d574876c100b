/** A worker that is told to stop while Redis is there and gives no answer. */
import { BatonClient, createFlow, type NodeArguments } from '@baton/core'
import type { ILogger } from '@baton/core/adapter'
import { startRedis } from '@baton/services'
import { describe, expect, it } from 'vitest'
import { BullMQAdapter, BullMQJobQueue } from '../src/index.ts'
import { eventually, job } from './job-queue/stand.ts'

const probe = await startRedis({ appendOnly: false })
await probe[Symbol.asyncDispose]()

const LEASE_MS = 4_000
const STOP_WITHIN_MS = 1_000
/** For last answers, of the worker and of each port, and for a machine that is busy with other things. */
const SOON_MS = 5_000

describe.skipIf(probe.skipReason !== undefined)(probe.skipReason ?? 'while Redis is frozen', () => {
  const calls: string[] = []
  const flow = createFlow('patient').node('work', async ({ signal, attempt }: NodeArguments) => {
    calls.push(`begun ${attempt}`)
    if (calls.length > 1) return { output: 'done' }
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    throw new Error('interrupted')
  })

  it('a worker stops and closes within its time and loses nothing', { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    const logged: string[] = []
    const logger: ILogger = { log: (level, message) => void logged.push(`${level} ${message}`) }
    const settings = { connection: redis.url, leaseMs: LEASE_MS, sweepMs: 200, runtimeOptions: { flows: [flow] } }
    const first = new BullMQAdapter({
      ...settings,
      stopWithinMs: STOP_WITHIN_MS,
      abandonAfterMs: 200,
      logger,
    })
    first.start()
    const run = await new BatonClient({ store: first.store, queue: first.queue, flows: [flow] }).start('patient')
    await eventually(() => calls).toEqual(['begun 1'])
    redis.freeze()

    const askedAtMs = performance.now()
    await first.stop()
    const stoppedAfterMs = performance.now() - askedAtMs
    await first.close()
    const closedAfterMs = performance.now() - askedAtMs
    redis.thaw()

    expect(stoppedAfterMs).toBeLessThan(STOP_WITHIN_MS + SOON_MS)
    expect(closedAfterMs).toBeLessThan(STOP_WITHIN_MS + SOON_MS)
    expect(logged).toContainEqual(expect.stringMatching(/^warn stopped without an answer of the store/))
    await using second = new BullMQAdapter(settings)
    second.start()
    expect(await new BatonClient({ store: second.store }).get(run.runId).result()).toBe('done')
  })

  it('a queue whose jobs are being sent closes soon', { timeout: 30_000 }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    const queue = new BullMQJobQueue({ connection: redis.url, timeoutMs: 10_000 })
    await queue.enqueue([job('a')])
    redis.freeze()

    const askedAtMs = performance.now()
    const sending = expect(queue.enqueue([job('b')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await queue.close()
    await sending

    expect(performance.now() - askedAtMs).toBeLessThan(SOON_MS)
  })

  it('a queue that is closed just after a job was given to it has sent the job', { timeout: 30_000 }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    const queue = new BullMQJobQueue({ connection: redis.url })
    const askedAtMs = performance.now()
    const sending = queue.enqueue([job('a')])
    await queue.close()
    await sending

    expect(performance.now() - askedAtMs).toBeLessThan(SOON_MS)
  })

  it('a queue that never had a connection closes without waiting for one', { timeout: 30_000 }, async () => {
    const queue = new BullMQJobQueue({ connection: 'redis://127.0.0.1:1', timeoutMs: 10_000 })
    const askedAtMs = performance.now()
    const sending = expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await queue.close()
    await sending

    expect(performance.now() - askedAtMs).toBeLessThan(SOON_MS)
  })
})
