import { startRedis } from '@baton/services'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, job, jobs, nodes, Stand } from './stand.ts'

const probe = await startRedis({ appendOnly: false })
await probe[Symbol.asyncDispose]()

let stands: Stand[] = []
const standOn = (url: string): Stand => {
  const stand = new Stand(url)
  stands.push(stand)
  return stand
}

describe.skipIf(probe.skipReason !== undefined)(probe.skipReason ?? 'the job queue while Redis is away', () => {
  afterEach(async () => {
    for (const stand of stands) await stand[Symbol.asyncDispose]()
    stands = []
  })

  it('delivers every job that it took, though Redis is killed and restarted in the middle', {
    timeout: 60_000,
  }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    const stand = standOn(redis.url)
    const queue = stand.open({ visibilityMs: 1_000, timeoutMs: 500 })
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
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 20; index++) await send(`up-${round}-${index}`)
      const sending = Promise.all(Array.from({ length: 10 }, (_, index) => send(`kill-${round}-${index}`)))
      await redis.kill()
      await sending
      await send(`down-${round}`)
      await redis.restart()
      await eventually(async () =>
        queue.enqueue([job(`back-${round}`)]).then(
          () => 'sent',
          () => 'down',
        ),
      ).toBe('sent')
    }

    await eventually(() => taken.filter((nodeId) => !nodes(consuming).includes(nodeId))).toEqual([])
    expect(taken.length).toBeGreaterThanOrEqual(60)
    expect(taken).not.toContain('down-1')
    // What was refused while there was no connection does not come out of somewhere later.
    expect(nodes(consuming)).not.toContain('down-1')
  })

  it('waits for a Redis that is not there yet, without a word thrown', { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    await redis.kill()
    const stand = standOn(redis.url)
    const queue = stand.open({ timeoutMs: 200 })
    const consuming = stand.consume(queue)
    await expect(queue.enqueue([job('early')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await expect(queue.deadLetters()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })

    await redis.restart()
    await eventually(() =>
      queue.enqueue([job('late')]).then(
        () => 'sent',
        () => 'down',
      ),
    ).toBe('sent')

    await eventually(() => nodes(consuming)).toContain('late')
  })

  it('makes only the first who sends wait for a Redis that is away', async () => {
    await using redis = await startRedis({ appendOnly: true })
    await redis.kill()
    const impatient = standOn(redis.url).open({ timeoutMs: 300 })

    await expect(impatient.enqueue([job('b')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    const startedAtMs = Date.now()
    for (let count = 0; count < 20; count++) {
      await expect(impatient.enqueue([job('b')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    }

    expect(Date.now() - startedAtMs).toBeLessThan(20 * 300)
  })

  it('stops and closes while Redis is away', { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    const stand = standOn(redis.url)
    const queue = stand.open({ timeoutMs: 300 })
    let end = () => {}
    const gate = new Promise<void>((resolve) => {
      end = resolve
    })
    const consuming = stand.consume(queue, (delivery) => gate.then(() => delivery.acknowledge()))
    await queue.enqueue([job('a')])
    await eventually(() => consuming.deliveries.length).toBe(1)
    await redis.kill()

    end()
    consuming.stop()
    await consuming.ended
    const never = stand.consume(queue)
    never.stop()
    await never.ended
    await queue.close()
  })

  it('lets no handler hang on a Redis that is there and does not answer', { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    const stand = standOn(redis.url)
    const queue = stand.open({ timeoutMs: 300, visibilityMs: 2_000 })
    const answers: unknown[] = []
    const consuming = stand.consume(
      queue,
      async (delivery) => {
        if (delivery.redelivered > 0) return delivery.acknowledge()
        redis.freeze()
        for (const answer of [() => delivery.extend({ byMs: 1_000 }), () => delivery.handBack({ delayMs: 0 })]) {
          await Promise.resolve(answer()).catch((error: { code?: unknown }) => answers.push(error.code))
        }
      },
      1,
    )
    await queue.enqueue([job('n0')])

    await eventually(() => answers).toEqual(['QUEUE_UNAVAILABLE', 'QUEUE_UNAVAILABLE'])
    redis.thaw()

    await eventually(() => consuming.deliveries.length).toBeGreaterThan(1)
  })

  it('works with a client that is set up for other things, also when its server was away', {
    timeout: 60_000,
  }, async () => {
    await using redis = await startRedis({ appendOnly: true })
    const connection = new Redis(redis.url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      stringNumbers: true,
      commandTimeout: 50,
      retryStrategy: () => null,
      autoResendUnfulfilledCommands: false,
    })
    const stand = standOn(redis.url)
    const queue = stand.open({ connection, timeoutMs: 500 })
    const consuming = stand.consume(queue, (delivery) =>
      delivery.redelivered === 0 ? delivery.handBack({ delayMs: 200 }) : delivery.acknowledge(),
    )
    await queue.enqueue([job('before')])
    await eventually(() => nodes(consuming)).toEqual(['before', 'before'])
    expect(stand.logged.join()).not.toContain('timed out')

    await redis.kill()
    await redis.restart()
    await eventually(() =>
      queue.enqueue([job('after')]).then(
        () => 'sent',
        () => 'down',
      ),
    ).toBe('sent')

    await eventually(() => nodes(consuming)).toEqual(['before', 'before', 'after', 'after'])
  })

  it('pauses longer each time while Redis refuses what it is asked, and goes on when it does not', {
    timeout: 60_000,
  }, async () => {
    await using redis = await startRedis({ appendOnly: false })
    const stand = standOn(redis.url)
    const pauses: number[] = []
    const logger = {
      log: (_level: string, _message: string, fields?: object) => {
        const { pauseMs } = { pauseMs: 0, ...fields }
        if (pauseMs > 0) pauses.push(pauseMs)
      },
    }
    const queue = stand.open({ logger })
    await stand.client().acl('SETUSER', 'default', '-bzpopmin')

    const consuming = stand.consume(queue)

    await eventually(() => pauses.length).toBeGreaterThanOrEqual(4)
    for (const [nth, mostMs] of [100, 200, 400, 800].entries()) {
      // A part is left to chance.
      expect(pauses[nth]).toBeGreaterThanOrEqual(mostMs / 2)
      expect(pauses[nth]).toBeLessThanOrEqual(mostMs)
    }
    await stand.client().acl('SETUSER', 'default', '+bzpopmin')
    await queue.enqueue(jobs(2))
    await eventually(() => consuming.deliveries.length).toBe(2)
  })
})

it('says soon, and then seldom, that nobody listens where it should take jobs from', { timeout: 30_000 }, async () => {
  await using stand = new Stand('redis://127.0.0.1:1')
  const queue = stand.open({ timeoutMs: 50 })
  const warnings = () => stand.logged.filter((line) => line.startsWith('warn'))
  stand.consume(queue)

  await eventually(warnings).toEqual([expect.stringContaining('ECONNREFUSED')])
  await eventually(() => stand.logged.filter((line) => line.includes('will look again')).length).toBeGreaterThan(3)

  expect(warnings()).toHaveLength(1)
})
