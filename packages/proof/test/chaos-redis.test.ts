/** `npm run chaos -- --adapter bullmq` in short: workers and the Redis itself are killed. */
import { join } from 'node:path'
import { houseProgram, startRedis } from '@baton/services'
import { describe, expect, it } from 'vitest'
import { backend } from '../src/chaos/backends/bullmq.ts'
import { chaos } from '../src/chaos/chaos.ts'

await using redis = await startRedis()
const { skipReason } = redis

describe.skipIf(skipReason !== undefined)(skipReason ?? 'Redis', () => {
  it('nothing is lost, doubled or stuck while workers are killed and frozen, and Redis is killed', {
    timeout: 300_000,
  }, async () => {
    const worker = houseProgram(join(import.meta.dirname, '../src/chaos/worker.ts'))
    const result = await chaos({ backend, seed: 1, kills: 30, worker })

    expect(result).toMatchObject({ kills: 30, findings: [], lost: 0, doubled: 0, stuck: 0 })
    expect(result.seconds).toBeLessThanOrEqual(90)
    expect(result.serverRestarts).toBeGreaterThanOrEqual(2)
    expect(result.zombies).toBeGreaterThanOrEqual(5)
    expect(result.runs).toBeGreaterThan(50)
  })
})
