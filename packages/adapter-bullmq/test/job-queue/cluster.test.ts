import { startRedis } from '@baton/services'
import { Cluster } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { BullMQJobQueue } from '../../src/index.ts'
import { eventually, job, jobs, nodes, Stand } from './stand.ts'

const redis = await startRedis({ cluster: 3, appendOnly: true })
afterAll(() => redis[Symbol.asyncDispose]())

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'the job queue on a cluster', () => {
  const clusterOf = () =>
    new Cluster(
      redis.ports.map((port) => ({ host: '127.0.0.1', port })),
      { lazyConnect: true },
    )

  it('has a hash tag in its prefix, and refuses one without', async () => {
    await using stand = new Stand('redis://127.0.0.1:1')
    const queue = new BullMQJobQueue({ connection: clusterOf() })
    await queue.enqueue([job('a')])
    const consuming = stand.consume(queue)
    await eventually(() => nodes(consuming)).toEqual(['a'])
    await queue.close()

    const make = () => new BullMQJobQueue({ connection: clusterOf(), prefix: 'bull' })

    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field: 'prefix' }))
  })

  it('goes on when the node that has the queue was killed and is back', { timeout: 120_000 }, async () => {
    await using stand = new Stand(redis.url)
    const queue = stand.open({
      connection: clusterOf(),
      prefix: `{${stand.prefix}}`,
      visibilityMs: 1_000,
      timeoutMs: 500,
    })
    const consuming = stand.consume(queue)
    await queue.enqueue(jobs(5))
    await eventually(() => consuming.deliveries.length).toBe(5)

    for (const [node] of redis.ports.entries()) {
      await redis.kill(node)
      await redis.restart(node)
      const sent = `after-${node}`
      await eventually(() =>
        queue.enqueue([job(sent)]).then(
          () => 'sent',
          () => 'down',
        ),
      ).toBe('sent')
      await eventually(() => nodes(consuming)).toContain(sent)
    }
  })
})
