/** `npm run chaos -- --adapter kafka` in short: workers and brokers are killed while workers leave and join, and every tenth message comes twice. */
import { join } from 'node:path'
import { houseProgram, startKafka, startRedis } from '@baton/services'
import { describe, expect, it } from 'vitest'
import { backend } from '../src/chaos/backends/kafka.ts'
import { chaos } from '../src/chaos/chaos.ts'

const skipReason = await lack()
const worker = houseProgram(join(import.meta.dirname, '../src/chaos/worker.ts'))

describe.skipIf(skipReason !== undefined)(skipReason ?? 'Kafka and Redis', () => {
  it('nothing is lost, doubled or stuck while each of three brokers is killed, and workers are killed, frozen, leave and join', {
    timeout: 300_000,
  }, async () => {
    // The brokers of this test and its workers share two processors: few kills, and each of the brokers once.
    const faults = { kills: 2, restartsPerKill: 3 / 2, zombiesPerKill: 1 / 2, stormSeconds: 8 }
    const result = await chaos({ backend, seed: 1, worker, width: 8, ...faults })

    expect(result).toMatchObject({ kills: 2, findings: [], lost: 0, doubled: 0, stuck: 0 })
    expect(result.serverRestarts).toBeGreaterThanOrEqual(3)
    expect(result.zombies).toBeGreaterThanOrEqual(1)
    expect(result.returns).toBeGreaterThan(0)
    expect(result.runs).toBeGreaterThan(10)
  })

  it('nor while a single broker is stopped, killed, and started again', { timeout: 300_000 }, async () => {
    const faults = { brokers: 1, kills: 2, restartsPerKill: 1, stormSeconds: 3 }
    const result = await chaos({ backend, seed: 1, worker, width: 8, ...faults })

    expect(result).toMatchObject({ kills: 2, findings: [], lost: 0, doubled: 0, stuck: 0 })
    expect(result.serverRestarts).toBeGreaterThanOrEqual(2)
    expect(result.returns).toBeGreaterThan(0)
    expect(result.runs).toBeGreaterThan(10)
  })
})

/** Whether chaos can start what it needs. It has servers of its own: those here would only take its processors. */
async function lack(): Promise<string | undefined> {
  await using kafka = await startKafka()
  await using redis = await startRedis()
  return kafka.skipReason ?? redis.skipReason
}
