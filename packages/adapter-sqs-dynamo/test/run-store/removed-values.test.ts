/** Large values are kept before the line that speaks of them: what comes for a run that was removed must not stay. */
import { QueryCommand } from '@aws-sdk/client-dynamodb'
import { parseRunId } from '@baton/core'
import { startDynamo } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { DynamoRunStore } from '../../src/index.ts'
import { createTable, newPrefix } from '../dynamo-world.ts'

const dynamo = await startDynamo({ kind: 'dynoxide' })
afterAll(() => dynamo[Symbol.asyncDispose]())
const runId = parseRunId('r')

describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? 'what comes after a purge', () => {
  it('leaves no value behind: a late commit, and a start with the same id', async () => {
    const { client, table } = await createTable(dynamo)
    const shared = { client, table, prefix: newPrefix() }
    const [late, other] = [new DynamoRunStore(shared), new DynamoRunStore(shared)]
    const left = async () => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :value)',
          ExpressionAttributeValues: { ':pk': { S: `${shared.prefix}#R#r` }, ':value': { S: 'V#' } },
        }),
      )
      return Items.length
    }
    const run = (input: string) => ({ runId, flowId: 'flow', starts: ['a'], input }) as never
    await late.create(run('x'.repeat(100_000)))
    expect(await left()).toBe(1)
    const claimed = await late.claim({ runId, instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 60_000 })
    const fence = claimed.status === 'claimed' ? claimed.claim.fence : 0
    const commit = (commitId: string, output: string) =>
      late.commit({ runId, instanceId: 'a', fence, commitId, outcome: { type: 'succeeded', output, arrivals: [] } })
    await commit('first', 'done')
    const endedBeforeMs = Date.now() + 60_000
    await expect.poll(() => other.purge({ endedBeforeMs, limit: 10 }), { timeout: 10_000 }).toBe(1)
    expect(await left()).toBe(0)

    expect(await commit('second', 'y'.repeat(900_000))).toMatchObject({ status: 'unknown-run' })
    expect(await left()).toBe(0)
    expect(await other.create(run('z'.repeat(100_000)))).toEqual({ status: 'purged' })
    expect(await left()).toBe(0)

    for (const store of [late, other]) await store.close()
    client.destroy()
  })
})
