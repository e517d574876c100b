/** Each limit of DynamoDB at its value and one past it: items of 400 KB, batches of 25, transactions of 100 items and 4 MB. */

import { parseRunId, type RunId } from '@baton/core'
import type { JsonValue } from '@baton/core/adapter'
import { DynamoSpending, startDynamo } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { DynamoRunStore, type DynamoRunStoreOptions, type IValueStore } from '../../src/index.ts'
import { createTable, newPrefix } from '../dynamo-world.ts'

for (const kind of ['dynoxide', 'dynamodb-local'] as const) {
  const dynamo = await startDynamo({ kind })
  const made = dynamo.skipReason === undefined ? await createTable(dynamo) : undefined
  afterAll(() => dynamo[Symbol.asyncDispose]())

  describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? `limits, on ${kind}`, () => {
    const open: DynamoRunStore[] = []
    afterAll(async () => {
      for (const store of open) await store.close()
    })

    /** Two processes. */
    async function stores(options: Partial<DynamoRunStoreOptions> = {}) {
      const { client, table } = made as NonNullable<typeof made>
      const prefix = newPrefix()
      const both = await Promise.all([0, 1].map(() => DynamoRunStore.connect({ client, table, prefix, ...options })))
      open.push(...both)
      return both as [DynamoRunStore, DynamoRunStore]
    }

    const runId = parseRunId('r')
    const starting = (input: JsonValue, id: RunId = runId) =>
      ({ runId: id, kind: 'workflow', flowId: 'f', starts: ['n'], input }) as const

    it.each([
      ['short enough for a line', 32_768 - 2],
      ['one too long for a line', 32_768 - 1],
      ['as long as a part of a value', 390_000 - 2],
      ['one longer than a part', 390_000 - 1],
      ['longer than an item, in characters of three bytes', 140_000, '\u20ac'],
      ['as long as may be', 2 ** 21 - 2],
    ])('a value that is %s is read by others as it was', async (_, length, character = 'x') => {
      const [here, there] = await stores({ valueMaxBytes: 2 ** 21 })
      const input = character.repeat(length)
      expect(await here.create(starting(input))).toEqual({ status: 'created' })
      expect((await there.load(runId))?.input).toBe(input)
    })

    it('a value that is one too long is refused, and nothing is left of the run', async () => {
      const [here, there] = await stores({ valueMaxBytes: 2 ** 21 })
      expect(await here.create(starting('x'.repeat(2 ** 21 - 1)))).toEqual({ status: 'too-large', limitBytes: 2 ** 21 })
      expect(await there.load(runId)).toBeUndefined()
    })

    it.each([100, 101, 5_000, 30_000])('a commit with %i arrivals is one commit', async (count) => {
      const [here, there] = await stores()
      await here.create({ runId, kind: 'workflow', flowId: 'f', starts: ['n'] })
      const claimed = await here.claim({ runId, instanceId: 'n', claimId: 'c', workerId: 'w', leaseMs: 60_000 })
      if (claimed.status !== 'claimed') throw new Error(claimed.status)
      const arrivals = Array.from({ length: count }, (__, index) => ({
        to: `n${index}`,
        edge: `e${index}`,
        from: 'n',
        fate: 'succeeded' as const,
        rule: 'all' as const,
        of: 1,
      }))
      const transition = {
        runId,
        instanceId: 'n',
        fence: claimed.claim.fence,
        commitId: 'd',
        outcome: { type: 'succeeded', arrivals },
      } as const
      expect((await here.commit(transition)).status).toBe('committed')
      expect((await here.commit(transition)).status).toBe('already-committed')
      expect((await there.load(runId))?.instances.length).toBe(count + 1)
    })

    it.each([
      ['short enough', 262_144],
      ['one too long', 262_145],
    ])('a line that is %s for the log is read by others', async (_, length) => {
      const [here, there] = await stores({ inlineMaxBytes: 65_536 })
      // Values that are inline each, and a line together.
      const context = Object.fromEntries(Array.from({ length: 7 }, (__, index) => [`k${index}`, 'x'.repeat(36_000)]))
      const run = { ...starting(''), context }
      const rest = length - JSON.stringify({ type: 'create', run: { ...run, runId: undefined } }).length
      const whole = { ...run, input: 'y'.repeat(rest) }
      expect((await here.create(whole)).status).toBe('created')
      expect((await there.load(runId))?.input).toBe(whole.input)
    })

    it('many writers of one run lose nothing, whatever they bring at once', async () => {
      const both = await stores()
      const count = 400
      await both[0].create({
        runId,
        kind: 'workflow',
        flowId: 'f',
        starts: Array.from({ length: count }, (__, n) => `n${n}`),
      })
      const text = 'z'.repeat(3_000)
      await Promise.all(
        Array.from({ length: count }, async (__, index) => {
          const store = both[index % 2] as DynamoRunStore
          const instanceId = `n${index}`
          const claimed = await store.claim({ runId, instanceId, claimId: `c${index}`, workerId: 'w', leaseMs: 60_000 })
          if (claimed.status !== 'claimed') throw new Error(`${instanceId}: ${claimed.status}`)
          const outcome = { type: 'succeeded', arrivals: [], output: text } as const
          const { fence } = claimed.claim
          const result = await store.commit({ runId, instanceId, fence, commitId: `d${index}`, outcome })
          expect(result.status).toBe('committed')
        }),
      )
      const [left, right] = await Promise.all(both.map((store) => store.load(runId)))
      expect(left).toEqual(right)
      expect(left?.status).toBe('completed')
    })

    it('large values go where their owner wants them', async () => {
      const kept = new Map<string, string>()
      const values: IValueStore = {
        async put(id, texts) {
          for (const [sha256, value] of texts) kept.set(`${id}/${sha256}`, value)
        },
        get: async (id, sha256) => kept.get(`${id}/${sha256}`),
        async remove(id) {
          for (const key of kept.keys()) if (key.startsWith(`${id}/`)) kept.delete(key)
        },
      }
      const [here, there] = await stores({ values, tombstoneMs: 50 })
      const spending = new DynamoSpending((made as NonNullable<typeof made>).client)
      const input = 'x'.repeat(1_000_000)
      await here.create(starting(input))
      expect(spending.writtenBytes).toBeLessThan(5_000)
      spending.stop()
      expect(kept.size).toBe(1)
      expect((await there.load(runId))?.input).toBe(input)

      await here.notify({ runId, type: 'cancel', reason: 'enough' })
      await here.purge({ endedBeforeMs: Number.POSITIVE_INFINITY })
      expect(await there.load(runId)).toBeUndefined()
      expect(kept.size).toBe(0)
    })
  })
}
