/** What the queue asks of Redis, counted by Redis. */
import { startRedis } from '@baton/services'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, jobs, Stand } from './stand.ts'

// Its own, so that it counts nobody else's commands.
const redis = await startRedis({ appendOnly: false })
afterAll(() => redis[Symbol.asyncDispose]())

let stand: Stand
let client: Redis

/** The commands that clients have sent since the last reset. Those inside of scripts do not count. */
async function scriptCalls(): Promise<number> {
  const stats = await client.info('commandstats')
  const calls = (name: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  return calls('evalsha') + calls('eval')
}

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'what the job queue asks of Redis', () => {
  beforeEach(() => {
    stand = new Stand(redis.url)
    client = stand.client()
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  it.each([1, 10, 50])(
    'sends one command per job to take it and to finish the one before, %i at a time',
    async (concurrency) => {
      const count = 200
      const queue = stand.open()
      await queue.enqueue(jobs(count))
      await client.config('RESETSTAT')

      const consuming = stand.consume(
        queue,
        async (delivery) => {
          await delivery.acknowledge()
          await client.ping()
        },
        concurrency,
      )
      await eventually(() => consuming.deliveries.length).toBe(count)
      await eventually(() => stand.plain().getActiveCount()).toBe(0)

      // One to fill each slot, a look whether there is more when it runs dry, two for jobs that have stalled, and the
      // count of the active ones above, once or twice a poll.
      const calls = await scriptCalls()
      expect(calls).toBeGreaterThanOrEqual(count)
      expect(calls).toBeLessThanOrEqual(count + concurrency + 40)
    },
  )

  it('sends one command per job to enqueue, all in one round trip', async () => {
    const queue = stand.open()
    await queue.enqueue(jobs(1))
    await client.config('RESETSTAT')

    await queue.enqueue(jobs(100).map((one) => ({ ...one, dispatch: 1 })))

    expect(await scriptCalls()).toBe(100)
  })

  it('asks an idle Redis for work by one command that waits, and one that looks, every five seconds', {
    timeout: 60_000,
  }, async () => {
    const queue = stand.open()
    const consuming = stand.consume(queue)
    await queue.enqueue(jobs(1))
    await eventually(() => consuming.deliveries.length).toBe(1)
    const asked: string[] = []
    const monitor = await stand.client().monitor()
    monitor.on('monitor', (_time: string, [command = '', ...args]: string[], source: string) => {
      if (source !== 'lua')
        asked.push(command.toLowerCase() === 'bzpopmin' ? `bzpopmin ${args.at(-1)}` : command.toLowerCase())
    })
    const waits = () => asked.filter((command) => command.startsWith('bzpopmin')).length

    await eventually(waits).toBe(1)

    monitor.disconnect()
    expect(asked).toContain('bzpopmin 5')
    // The look before that wait; what else there may be is the check for stalled jobs, every 15 s, and a ready check.
    expect(asked.length).toBeLessThanOrEqual(4)
  })
})
