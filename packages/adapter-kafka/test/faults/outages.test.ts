/** Brokers that die, freeze and come back. */
import { systemClock, wait } from '@baton/core/adapter'
import { startKafka } from '@baton/services'
import { describe, expect, it } from 'vitest'
import { eventually, jobs, nodes, patiently, Stand } from '../job-queue/stand.ts'

describe('brokers that go and come', () => {
  it('a broker that is killed: nothing that was sent is lost, and consumers go on when it is back', {
    timeout: 120_000,
  }, async ({ skip }) => {
    await using kafka = await startKafka({ nodes: 1 })
    if (kafka.skipReason !== undefined) return skip(kafka.skipReason)
    await using stand = await Stand.on(kafka.brokers)
    const queue = stand.open({ timeoutMs: 3_000 })
    const consuming = stand.consume(stand.open())
    await queue.enqueue(jobs(10))
    await eventually(() => consuming.deliveries.length).toBe(10)

    await kafka.kill()
    await expect(queue.enqueue(jobs(1, 10))).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await kafka.restart()
    await patiently(() => queue.enqueue(jobs(10, 10)))

    await eventually(() => new Set(nodes(consuming)).size).toBe(20)
    expect(stand.logged.filter(({ level }) => level === 'warn' || level === 'error').length).toBeLessThan(5)
  })

  it('a broker that is frozen: whoever sends is told in time, and all goes on when it thaws', {
    timeout: 120_000,
  }, async ({ skip }) => {
    await using kafka = await startKafka({ nodes: 1 })
    if (kafka.skipReason !== undefined) return skip(kafka.skipReason)
    await using stand = await Stand.on(kafka.brokers)
    const queue = stand.open({ timeoutMs: 1_000 })
    const consuming = stand.consume(stand.open())
    await queue.enqueue(jobs(5))
    await eventually(() => consuming.deliveries.length).toBe(5)

    kafka.freeze()
    const startedAtMs = Date.now()
    await expect(queue.enqueue(jobs(1, 5))).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    expect(Date.now() - startedAtMs).toBeLessThan(3_000)
    await wait(systemClock, 3_000)
    kafka.thaw()
    await patiently(() => queue.enqueue(jobs(5, 5)))

    await eventually(() => new Set(nodes(consuming)).size).toBe(10)
  })

  it('one of three brokers is lost: what was sent is there, and sending and consuming go on', {
    timeout: 180_000,
  }, async ({ skip }) => {
    await using kafka = await startKafka({ nodes: 3 })
    if (kafka.skipReason !== undefined) return skip(kafka.skipReason)
    await using stand = await Stand.on(kafka.brokers, { partitions: 6, replicationFactor: 3, minInsyncReplicas: 2 })
    const queue = stand.open()
    const one = stand.consume(stand.open())
    const two = stand.consume(stand.open())
    await queue.enqueue(jobs(60))
    await eventually(() => new Set(nodes(one, two)).size).toBe(60)

    for (const node of [0, 1, 2]) {
      await kafka.kill(node)
      const from = 60 + 60 * node
      await patiently(() => queue.enqueue(jobs(60, from)))
      await eventually(() => new Set(nodes(one, two)).size).toBe(from + 60)
      await kafka.restart(node)
      // Until it has what it missed, another one that dies would leave fewer than are needed.
      await wait(systemClock, 3_000)
    }

    // One that is frozen holds up whoever asks it first, and a worker that starts asks for four topics.
    one.stop()
    two.stop()
    await Promise.all([one.ended, two.ended])
    kafka.freeze(1)
    const three = stand.consume(stand.open({ timeoutMs: 3_000 }))
    await patiently(() => queue.enqueue(jobs(60, 240)))
    const taken = () => new Set(nodes(three).filter((node) => Number(node.slice(1)) >= 240)).size
    await eventually(taken).toBe(60)
    kafka.thaw(1)
  })
})
