/** What only this store has: segments, marks that are elsewhere than lines, and a server that cannot be asked for news. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb'
import { parseRunId } from '@baton/core'
import type { Claim, Outcome } from '@baton/core/adapter'
import { DynamoSpending, startDynamo } from '@baton/services'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { DynamoRunStore, type DynamoRunStoreOptions } from '../../src/index.ts'
import { Keys } from '../../src/keys.ts'
import { createTable, newPrefix } from '../dynamo-world.ts'
import { cancelled, lostAnswer, makeTrouble } from './trouble.ts'

const dynamo = await startDynamo({ kind: 'dynoxide' })
const made = dynamo.skipReason === undefined ? await createTable(dynamo) : undefined
afterAll(() => dynamo[Symbol.asyncDispose]())

const runId = parseRunId('r')
const HOUR = 3_600_000

/** A process: a store and its own client. */
class Process {
  readonly client = new DynamoDBClient({ ...dynamo.clientOptions, maxAttempts: 3 })
  readonly store: DynamoRunStore
  readonly prefix: string
  #ids = 0

  constructor(prefix: string, options: Partial<DynamoRunStoreOptions> = {}) {
    this.prefix = prefix
    this.store = new DynamoRunStore({
      client: this.client,
      table: made?.table ?? '',
      prefix,
      redispatchMs: 400,
      ...options,
    })
  }

  async claim(instanceId: string, leaseMs = 60_000): Promise<Claim> {
    const claimId = `claim-${this.prefix}-${++this.#ids}`
    const result = await this.store.claim({ runId, instanceId, claimId, workerId: 'w', leaseMs })
    if (result.status !== 'claimed') throw new Error(`${instanceId}: ${result.status}`)
    return result.claim
  }

  async commit({ instanceId, fence }: Claim, outcome: Outcome) {
    return this.store.commit({ runId, instanceId, fence, commitId: `commit-${this.prefix}-${++this.#ids}`, outcome })
  }

  async items(): Promise<readonly Record<string, unknown>[]> {
    const { Items = [] } = await this.client.send(
      new QueryCommand({
        TableName: made?.table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: `${this.prefix}#R#${runId}` } },
      }),
    )
    return Items.map((item) =>
      Object.fromEntries(Object.entries(item).map(([name, value]) => [name, Object.values(value)[0]])),
    )
  }

  async item(sk: string) {
    return (await this.items()).find((item) => item.sk === sk)
  }
}

let processes: Process[] = []
function processOf(prefix: string, options: Partial<DynamoRunStoreOptions> = {}): Process {
  const process = new Process(prefix, options)
  processes.push(process)
  return process
}

const start = { runId, kind: 'workflow', flowId: 'f', starts: ['a'] } as const
const toB = { to: 'b', edge: 'e', from: 'a', fate: 'succeeded', rule: 'all', of: 1 } as const
const ended = { type: 'succeeded', arrivals: [] } as const
const asleep = { type: 'slept', step: { position: 1, kind: 'sleep', name: 'sleep' }, delayMs: HOUR } as const

describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? 'The run store on DynamoDB', () => {
  afterEach(async () => {
    for (const { store, client } of processes) {
      await store.close()
      client.destroy()
    }
    processes = []
  })

  describe('marks', () => {
    it('lead to a run whose writer died right after each of its lines', async () => {
      const prefix = newPrefix()
      const [dying, other] = [processOf(prefix), processOf(prefix)]
      await dying.store.create(start)
      // From here on nothing of it reaches the head of the run.
      using _trouble = makeTrouble(dying.client, {
        before({ input }) {
          if (JSON.stringify(input).includes('"sk":{"S":"H"}')) throw new Error('died')
        },
      })
      const claim = await dying.claim('a', 300)
      await dying.commit(claim, { type: 'succeeded', arrivals: [toB] })

      await sleep(600)

      expect(await other.store.due({ limit: 10, unsentOnly: true })).toMatchObject([{ instanceId: 'b' }])
    })

    it('of a run that sleeps for long are moved far away, and back with what is appended, in one transaction', async () => {
      const prefix = newPrefix()
      const [here, there] = [processOf(prefix), processOf(prefix)]
      await here.store.create({ ...start, starts: ['a', 'b'] })
      await here.commit(await here.claim('a'), asleep)
      await here.commit(await here.claim('b'), asleep)
      await sleep(600)
      // The sweep has come by, and moved them.
      expect(await there.store.due({ limit: 10, unsentOnly: true })).toEqual([])
      expect(Number((await here.item('H'))?.mark)).toBeGreaterThan(Date.now() + HOUR / 2)
      expect((await here.items()).filter(({ q }) => q !== undefined)).toHaveLength(1)

      // It dies before it can move them away again.
      const asked: string[] = []
      using _trouble = makeTrouble(there.client, {
        before({ operation }) {
          asked.push(operation)
          if (asked.slice(0, -1).includes('TransactWriteItems')) throw new Error('died')
        },
      })
      await there.store.notify({ type: 'signal', runId, name: 'go' })

      expect(asked.find((operation) => operation !== 'Query')).toBe('TransactWriteItems')
      expect(Number((await here.item('H'))?.mark)).toBeLessThan(Date.now() + 1_000)
      expect((await here.items()).filter(({ q }) => q !== undefined)).toEqual([])
    })

    it('that are nearer than its log says are moved away by whoever they have led there', {
      timeout: 20_000,
    }, async () => {
      const prefix = newPrefix()
      const options = { redispatchMs: 3_000, redispatchMaxMs: 3_000 }
      const [here, there] = [processOf(prefix, options), processOf(prefix, options)]
      await here.store.create({ ...start, starts: ['a', 'b'] })
      const claim = await here.claim('a')
      await here.claim('b', 600_000)
      await here.commit(claim, asleep)
      // Before the one that has written it gets to it.
      await there.store.due({ limit: 10 })
      await sleep(4_000)

      for (let look = 0; look < 3; look++) {
        expect(await there.store.due({ limit: 10, unsentOnly: true })).toEqual([])
      }
      expect(Number((await there.item('H'))?.mark)).toBeGreaterThan(Date.now())
    })

    it('are moved back for news of a run whose work has waited for long, though it may be claimed', {
      timeout: 20_000,
    }, async () => {
      const prefix = newPrefix()
      const options = { redispatchMs: 300, redispatchMaxMs: HOUR }
      const [here, sweeper] = [processOf(prefix, options), processOf(prefix, options)]
      await here.store.create(start)
      for (let rounds = 0; rounds < 4; ) {
        const items = await sweeper.store.due({ limit: 10, unsentOnly: true })
        if (items.length > 0) await sweeper.store.redispatch(items)
        rounds += items.length > 0 ? 1 : 0
        await sleep(100)
      }
      await sweeper.store.due({ limit: 10, unsentOnly: true })
      await sleep(1_200)
      // It dies right after its line.
      let written = 0
      using _trouble = makeTrouble(here.client, {
        before({ operation }) {
          if (operation !== 'Query' && written > 0) throw new Error('died')
        },
        after({ operation }) {
          if (operation !== 'Query') written += 1
        },
      })
      await here.store.notify({ type: 'cancel', runId, reason: 'not needed' })
      expect(written).toBe(1)
      await sleep(600)

      const other = processOf(prefix, options)
      await other.store.due({ limit: 10, unsentOnly: true })
      await sleep(200)

      expect(JSON.parse(String((await other.item('H'))?.note)).summary.status).toBe('cancelled')
    })

    it('of a run that begins later stand where it begins', async () => {
      const prefix = newPrefix()
      const [here, there] = [processOf(prefix), processOf(prefix)]
      await here.store.create({ ...start, startAtMs: Date.now() + HOUR })
      expect(Number((await here.item('H'))?.mark)).toBeGreaterThan(Date.now() + HOUR / 2)

      expect((await there.store.notify({ type: 'cancel', runId, reason: 'not needed' })).status).toBe('accepted')

      expect((await here.store.load(runId))?.status).toBe('cancelled')
    })

    it('are told in every shard', async () => {
      const prefix = newPrefix()
      const here = processOf(prefix, { shards: 5 })
      const ids = Array.from({ length: 20 }, (_, index) => parseRunId(`run-${index}`))
      for (const id of ids) await here.store.create({ ...start, runId: id })
      const there = processOf(prefix)

      const due = await there.store.due({ limit: 100 })

      expect(new Set(due.map((item) => item.runId))).toEqual(new Set(ids))
      expect((await there.store.list({ limit: 100 })).runs).toHaveLength(20)
      await expect(processOf(prefix, { shards: 4 }).store.list()).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        field: 'shards',
      })
    })

    it.each([
      ['fails', () => Promise.reject(new Error('part of the test'))],
      ['is late', () => new Promise<never>(() => {})],
    ])(
      'are told of all shards but the one that %s, which is said once; where none answers they are not',
      async (_, ask) => {
        const prefix = newPrefix()
        const warnings: (string | undefined)[] = []
        const logger = { log: (level: string, message: string) => void (level === 'warn' && warnings.push(message)) }
        const here = processOf(prefix, { shards: 3, timeoutMs: 3_000, logger })
        const keys = new Keys(prefix, 3)
        const ids = Array.from({ length: 12 }, (_, index) => parseRunId(`run-${index}`))
        for (const id of ids) await here.store.create({ ...start, runId: id })
        const due = async () => new Set((await here.store.due({ limit: 100 })).map((item) => item.runId))
        const troubleIn = (shards: readonly string[]) =>
          makeTrouble(here.client, {
            before: ({ input }) =>
              shards.some((shard) => JSON.stringify(input).includes(`"${shard}"`)) ? ask() : undefined,
          })

        {
          using _trouble = troubleIn([keys.shard(1)])
          const others = ids.filter((id) => keys.shardOf(id) !== keys.shard(1))
          expect(others.length).toBeLessThan(ids.length)
          for (let look = 0; look < 2; look++) expect(await due()).toEqual(new Set(others))
        }
        expect(warnings).toEqual([expect.stringContaining('a part of what is due')])
        {
          using _trouble = troubleIn(keys.allShards())
          await expect(due()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
        }
        expect(await due()).toEqual(new Set(ids))
      },
    )

    it('of more runs than a page has are all found, those of other flows left out', async () => {
      const here = processOf(newPrefix())
      const ids = Array.from({ length: 250 }, (_, index) => parseRunId(`run-${index}`))
      await Promise.all(ids.map((id, index) => here.store.create({ ...start, runId: id, flowId: `f${index % 2}` })))

      expect(await here.store.due({ limit: 1_000 })).toHaveLength(250)
      expect(await here.store.due({ limit: 1_000, flows: [{ flowId: 'f1' }] })).toHaveLength(125)
      await sleep(500)
      expect(await here.store.due({ limit: 1_000, unsentOnly: true })).toHaveLength(250)
    })
  })

  it('keeps one log, whoever writes, however much, and while marks go away and come back', {
    timeout: 90_000,
  }, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      let state = seed
      const random = (below: number) => {
        state = (state * 16_807) % 2_147_483_647
        return state % below
      }
      const prefix = newPrefix()
      const all = [1, 2, 3].map(() => processOf(prefix, { redispatchMs: 20, redispatchMaxMs: 40 }))
      const any = () => all[random(3)] as Process
      await any().store.create({ ...start, starts: ['a', 'b'] })
      await any().commit(await any().claim('a'), asleep)
      await any().commit(await any().claim('b'), asleep)
      let signals = 0
      for (let step = 0; step < 40; step++) {
        const tell = ({ store }: Process) => {
          signals += 1
          const payload = 'x'.repeat(random(5) === 0 ? 2_000 : random(300))
          return store.notify({ type: 'signal', runId, name: `s${signals}`, payload })
        }
        const alone = any()
        // Who writes alone for so long closes what was large for many.
        for (let more = random(8) === 0 ? 12 : 0; more > 0; more--) await tell(alone)
        const writes = Array.from({ length: random(4) }, () => tell(any()))
        if (random(3) === 0) await any().store.due({ limit: 10, unsentOnly: true })
        await Promise.all(writes)
        if (random(6) === 0) await sleep(30)
      }

      const items = (await all[0]?.items()) ?? []
      const segments = items.filter(({ sk }) => String(sk).startsWith('S#'))
      let lines = 0
      for (const [index, { sk, l, f }] of segments.entries()) {
        expect([sk, Number(f)]).toEqual([`S#${String(index).padStart(8, '0')}`, lines])
        lines += (l as readonly unknown[]).length
      }
      const records = await Promise.all([...all, processOf(prefix)].map(({ store }) => store.load(runId)))
      for (const record of records) expect(record).toEqual(records[0])
      const events: string[] = []
      for await (const { type } of any().store.journal(runId)) events.push(type)
      expect(events.filter((type) => type === 'signal-received')).toHaveLength(signals)
    }
  })

  describe('a purge', () => {
    async function gone(tombstoneMs: number) {
      const prefix = newPrefix()
      const [here, stale] = [processOf(prefix, { tombstoneMs }), processOf(prefix, { tombstoneMs })]
      await here.store.create(start)
      await stale.store.load(runId)
      await here.commit(await here.claim('a'), { type: 'succeeded', arrivals: [toB], output: 'x'.repeat(100_000) })
      await here.commit(await here.claim('b'), ended)
      expect(await here.store.purge({ endedBeforeMs: Date.now() + HOUR })).toBe(1)
      return { here, stale }
    }

    it('leaves a tombstone and a closed place, and whoever still believes in the run is told better', async () => {
      const { here, stale } = await gone(HOUR)
      const left = await here.items()
      expect(left.filter(({ g, sk }) => g === undefined && sk !== 'H')).toEqual([])
      // A tombstone is what says that closed places are there: it goes last.
      const [head, ...places] = left.map(({ ttl }) => Number(ttl))
      for (const place of places) expect(place).toBeLessThan(Number(head) - 24 * 3_600)
      const request = { runId, instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 1_000 }
      expect(await stale.store.claim(request)).toEqual({ status: 'unknown-run' })
      expect(await stale.store.load(runId)).toBeUndefined()
      expect(await stale.store.create(start)).toEqual({ status: 'purged' })
      expect((await here.store.list()).runs).toEqual([])
    })

    it('keeps the id for as long as it says, and not for longer', async () => {
      const { here, stale } = await gone(300)
      expect(await stale.store.create(start)).toEqual({ status: 'purged' })
      await sleep(400)
      expect(await stale.store.create(start)).toEqual({ status: 'created' })
      for (let node = 0; node < 20; node++)
        await here.store.notify({ type: 'signal', runId, name: 'go', payload: 'x'.repeat(500) })
      await here.commit(await here.claim('a'), ended)
      expect((await stale.store.load(runId))?.status).toBe('completed')
    })

    it('whoever knew the log to end where others went on is told better as well', async () => {
      const prefix = newPrefix()
      const [here, stale] = [processOf(prefix), processOf(prefix)]
      const long = 'x'.repeat(1_000)
      await here.store.create({ ...start, input: long })
      await stale.store.load(runId)
      await here.commit(await here.claim('a'), { type: 'succeeded', arrivals: [toB], output: long })
      await here.commit(await here.claim('b'), { ...ended, output: long })
      expect(await here.store.purge({ endedBeforeMs: Date.now() + HOUR })).toBe(1)

      const request = { runId, instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 1_000 }
      expect(await stale.store.claim(request)).toEqual({ status: 'unknown-run' })
    })

    it('an id that is used again by two at once makes one run', async () => {
      const prefix = newPrefix()
      const [first, second, third] = [1, 2, 3].map(() => processOf(prefix, { tombstoneMs: 100 })) as [
        Process,
        Process,
        Process,
      ]
      await third.store.create(start)
      await third.commit(await third.claim('a'), ended)
      expect(await third.store.purge({ endedBeforeMs: Date.now() + HOUR })).toBe(1)
      await sleep(200)
      // Just before the other takes away what is closed, and after it has seen it.
      let made: unknown
      let transactions = 0
      second.client.middlewareStack.add(
        (next, context) => async (args) => {
          const { commandName } = context as { readonly commandName?: string }
          if (commandName === 'TransactWriteItemsCommand' && ++transactions === 2)
            made = await first.store.create(start)
          return next(args)
        },
        { step: 'initialize', name: 'slow' },
      )

      expect(await second.store.create(start)).toEqual({ status: 'exists', same: true })
      expect(made).toEqual({ status: 'created' })
      expect(await processOf(prefix).store.load(runId)).toBeDefined()
    })

    it('that was cut off goes on with the next one', async () => {
      const prefix = newPrefix()
      const [dying, other] = [processOf(prefix), processOf(prefix)]
      await dying.store.create(start)
      await dying.commit(await dying.claim('a'), { ...ended, output: 'x'.repeat(100_000) })
      await sleep(200)
      {
        using _trouble = makeTrouble(dying.client, {
          before({ operation }) {
            if (operation === 'BatchWriteItem') throw new Error('died')
          },
        })
        await expect(dying.store.purge({ endedBeforeMs: Date.now() + HOUR })).rejects.toThrow('died')
      }
      // Nothing of it expires before it is gone.
      expect((await other.items()).filter(({ ttl }) => ttl !== undefined)).toEqual([])
      expect(await other.store.load(runId)).toBeUndefined()
      expect((await other.store.list()).runs).toEqual([])
      expect(await other.store.purge({ endedBeforeMs: Date.now() + HOUR })).toBe(1)
      const left = await other.items()
      expect(left.filter(({ g, sk }) => g === undefined && sk !== 'H')).toEqual([])
    })
  })

  describe('others in the way', () => {
    it.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'] as const)(
      'are waited for: a transaction that is cancelled for %s',
      async (reason) => {
        const here = processOf(newPrefix())
        let conflicts = 3
        using _trouble = makeTrouble(here.client, {
          before({ operation }) {
            if (operation === 'TransactWriteItems' && conflicts-- > 0) throw cancelled(reason)
          },
        })
        expect(await here.store.create(start)).toEqual({ status: 'created' })
        expect(conflicts).toBe(-1)
      },
    )

    it('for ever are an outage, after ten tries', async () => {
      const here = processOf(newPrefix())
      let tries = 0
      using _trouble = makeTrouble(here.client, {
        before({ operation }) {
          if (operation !== 'TransactWriteItems') return
          tries += 1
          throw cancelled('TransactionConflict')
        },
      })
      await expect(async () => here.store.create(start)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(tries).toBe(10)
    })

    it('a line that the client has sent twice, because the answer was lost, counts once', async () => {
      const here = processOf(newPrefix())
      await here.store.create(start)
      const claim = await here.claim('a')
      let lost = 0
      {
        using _trouble = makeTrouble(here.client, {
          after({ operation }) {
            if (operation === 'UpdateItem' && lost++ === 0) throw lostAnswer()
          },
        })
        const result = await here.commit(claim, { type: 'succeeded', arrivals: [toB], output: 1 })
        expect(result.status).toMatch(/committed/)
      }
      expect(lost).toBeGreaterThan(1)
      const events: string[] = []
      for await (const { type } of here.store.journal(runId)) events.push(type)
      expect(events.filter((type) => type === 'node-succeeded')).toHaveLength(1)
    })
  })

  describe('waiting lists', () => {
    it('cost nothing but the sweep as long as nobody waits, and again when nobody does any more', async () => {
      const prefix = newPrefix()
      const [here, there] = [processOf(prefix), processOf(prefix)]
      await here.store.create({ ...start, version: '1' })
      const flows = [{ flowId: 'f', version: '1' }]
      const lookCost = async () => {
        const spending = new DynamoSpending(there.client)
        await there.store.due({ limit: 10, flows, enlisted: true })
        spending.stop()
        return spending.reads
      }
      await there.store.waitingLists()
      expect(await lookCost()).toBe(1)

      expect((await here.store.enlist({ runId, instanceId: 'a' })).status).toBe('enlisted')
      expect(await there.store.due({ limit: 10, flows, enlisted: true })).toMatchObject([{ instanceId: 'a' }])
      await there.claim('a')
      // It has left, and is taken from the list when it has stood there for a while.
      expect(await there.store.due({ limit: 10, flows, enlisted: true })).toEqual([])
      expect(await there.store.waitingLists()).toEqual([])
    })
  })
})
