/** `npm run chaos -- --adapter sqs-dynamo` in short: workers and both servers are killed, and every fifth message comes twice. */
import { join } from 'node:path'
import { houseProgram, startDynamo, startSqs } from '@baton/services'
import { describe, expect, it } from 'vitest'
import { backend } from '../src/chaos/backends/sqs-dynamo.ts'
import { chaos } from '../src/chaos/chaos.ts'

await using dynamo = await startDynamo({ kind: 'dynoxide' })
await using sqs = await startSqs({ kind: 'elasticmq' })
const { skipReason = sqs.skipReason } = dynamo

describe.skipIf(skipReason !== undefined)(skipReason ?? 'DynamoDB and SQS', () => {
  it('nothing is lost, doubled or stuck while workers are killed and frozen, and the servers are killed', {
    timeout: 300_000,
  }, async () => {
    const worker = houseProgram(join(import.meta.dirname, '../src/chaos/worker.ts'))
    // A commit is a write to a disk here, and a worker takes a second or two to start: fewer kills than elsewhere, and both servers.
    const faults = { kills: 8, restartsPerKill: 1 / 4 }
    const result = await chaos({ backend, seed: 1, worker, width: 12, ...faults })

    expect(result).toMatchObject({ kills: 8, findings: [], lost: 0, doubled: 0, stuck: 0 })
    expect(result.seconds).toBeLessThanOrEqual(90)
    expect(result.serverRestarts).toBeGreaterThanOrEqual(2)
    expect(result.zombies).toBeGreaterThanOrEqual(2)
    expect(result.runs).toBeGreaterThan(20)
  })
})
