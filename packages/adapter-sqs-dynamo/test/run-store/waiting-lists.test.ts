/** Waiting lists where many come at once, where others come between two writes, and what they cost. */
import { DynamoDBClient, GetItemCommand, PutItemCommand, TransactionConflictException } from '@aws-sdk/client-dynamodb'
import { parseRunId } from '@baton/core'
import { DynamoSpending, startDynamo } from '@baton/services'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { DynamoRunStore } from '../../src/index.ts'
import { type ItemKey, Keys } from '../../src/keys.ts'
import { DueScan } from '../../src/run-store/due-scan.ts'
import { TableAccess } from '../../src/run-store/table-access.ts'
import { WaitingLists } from '../../src/run-store/waiting-lists.ts'
import { createTable, newPrefix } from '../dynamo-world.ts'
import { cancelled, makeTrouble } from './trouble.ts'

const CONFLICT_MS = 10
const UNANSWERED_MS = 200
const MINUTE = 60_000
const FLOW = { flowId: 'f', version: '1' }
const [left, comes] = [parseRunId('left'), parseRunId('comes')]

/** As AWS has it: an item that a transaction writes is nobody else's for as long as that takes, and a moment more here. */
class Conflicts {
  readonly #untilMs = new Map<string, number>()
  /** Over what belongs to no run. */
  onLists = 0

  before = ({ operation, input }: Call): void => {
    const keys = keysOf(input)
    const nowMs = performance.now()
    const isTransaction = operation === 'TransactWriteItems'
    if (!isTransaction && !['PutItem', 'UpdateItem', 'DeleteItem'].includes(operation)) return
    const taken = keys.filter((key) => (this.#untilMs.get(key) ?? 0) > nowMs)
    if (taken.length > 0) {
      if (taken.some((key) => key.includes('#W '))) this.onLists += 1
      if (isTransaction) throw cancelled('TransactionConflict')
      throw new TransactionConflictException({ $metadata: {}, message: 'Transaction is ongoing for the item' })
    }
    if (isTransaction) for (const key of keys) this.#untilMs.set(key, nowMs + UNANSWERED_MS)
  }

  after = ({ operation, input }: Call): void => {
    if (operation !== 'TransactWriteItems') return
    for (const key of keysOf(input)) this.#untilMs.set(key, performance.now() + CONFLICT_MS)
  }
}

interface Call {
  readonly operation: string
  readonly input: object
}

interface Written {
  readonly Key?: ItemKey
  readonly Item?: ItemKey
}

function keysOf(input: Written & { readonly TransactItems?: readonly Record<string, Written>[] }): readonly string[] {
  const writes = input.TransactItems?.flatMap((part) => Object.values(part)) ?? [input]
  return writes.map(({ Key, Item }) => `${(Key ?? Item)?.pk.S} ${(Key ?? Item)?.sk.S}`)
}

/** Whose request may go out next. Who has nothing more to ask is passed over. */
class Order {
  #left: string[]
  #wake: (() => void)[] = []

  constructor(order: readonly string[]) {
    this.#left = [...order]
  }

  async turn(name: string): Promise<void> {
    while (this.#left.includes(name) && this.#left[0] !== name) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve)
      })
    }
  }

  done(name: string): void {
    if (this.#left[0] === name) this.#left.shift()
    for (const wake of this.#wake.splice(0)) wake()
  }

  leaves(name: string): void {
    this.#left = this.#left.filter((each) => each !== name)
    this.done(name)
  }
}

for (const kind of ['dynoxide', 'dynamodb-local'] as const) {
  const dynamo = await startDynamo({ kind })
  const made = dynamo.skipReason === undefined ? await createTable(dynamo) : undefined
  afterAll(() => dynamo[Symbol.asyncDispose]())

  describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? `waiting lists, on ${kind}`, () => {
    const closing: (() => unknown)[] = []
    afterEach(async () => {
      for (const close of closing.splice(0)) await close()
    })

    function processOf(prefix: string) {
      const client = new DynamoDBClient(dynamo.clientOptions)
      const store = new DynamoRunStore({
        client,
        table: made?.table ?? '',
        prefix,
        redispatchMs: 10 * MINUTE,
        timeoutMs: MINUTE,
      })
      closing.push(async () => {
        await store.close()
        client.destroy()
      })
      return { client, store }
    }

    /** The lists alone, with a clock of their own. */
    function listsOf(prefix: string, nowMs: number) {
      const client = new DynamoDBClient(dynamo.clientOptions)
      closing.push(() => client.destroy())
      const table = new TableAccess({ client, table: made?.table ?? '', timeoutMs: MINUTE })
      const [keys, clock] = [new Keys(prefix, 1), { nowMs, now: () => clock.nowMs }]
      const scan = new DueScan({ table, keys, clock, shard: keys.shard(0) })
      return { client, clock, keys, lists: new WaitingLists({ table, keys, clock, scan }) }
    }
    type Lists = ReturnType<typeof listsOf>

    const found = async ({ lists }: Lists, flow = FLOW) => (await lists.read([flow])).flatMap(({ runIds }) => runIds)
    /** What a worker does with runs that have left. */
    async function look(each: Lists): Promise<void> {
      for (const runId of await found(each)) if (runId === left) await each.lists.remove(runId, FLOW)
    }
    async function itemOf({ client, keys }: Lists) {
      const Key = { pk: { S: keys.waiting() }, sk: { S: '!' } }
      return (await client.send(new GetItemCommand({ TableName: made?.table, Key }))).Item
    }
    async function requestsOf(client: DynamoDBClient, work: () => Promise<unknown>): Promise<number> {
      const spending = new DynamoSpending(client)
      await work()
      spending.stop()
      return spending.reads + spending.writes
    }

    it('take 160 runs at once, on four workers, and let them go', { timeout: 120_000 }, async () => {
      const prefix = newPrefix()
      const fleet = Array.from({ length: 4 }, () => processOf(prefix))
      const of = (index: number) => (fleet[index % 4] as (typeof fleet)[number]).store
      const ids = Array.from({ length: 160 }, (_, index) => parseRunId(`r${index}`))
      for (let at = 0; at < ids.length; at += 20) {
        const some = ids.slice(at, at + 20)
        await Promise.all(
          some.map((runId, index) =>
            of(index).create({ runId, kind: 'workflow', flowId: 'f', version: '1', starts: ['a'] }),
          ),
        )
      }
      const conflicts = new Conflicts()
      for (const { client } of fleet) makeTrouble(client, conflicts)

      const answers = await Promise.allSettled(ids.map((runId, index) => of(index).enlist({ runId, instanceId: 'a' })))

      expect(answers.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(conflicts.onLists).toBe(0)
      const items = await processOf(prefix).store.due({ limit: 1_000, flows: [FLOW], enlisted: true })
      expect(new Set(items.map(({ runId }) => runId)).size).toBe(160)
    })

    it('that four workers find empty at once are left by all runs', { timeout: 60_000 }, async () => {
      const prefix = newPrefix()
      const first = listsOf(prefix, 0)
      const ids = Array.from({ length: 40 }, (_, index) => parseRunId(`r${index}`))
      await Promise.all(ids.map((runId) => first.lists.add(runId, FLOW)))
      const conflicts = new Conflicts()
      const fleet = Array.from({ length: 4 }, () => listsOf(prefix, 2 * MINUTE))
      for (const { client } of fleet) makeTrouble(client, conflicts)

      await Promise.all(
        fleet.map(async (each) => {
          await Promise.all((await found(each)).map((runId) => each.lists.remove(runId, FLOW)))
          expect(await found(each)).toEqual([])
        }),
      )

      const item = await itemOf(first)
      expect([item?.mark, item?.flow]).toEqual([undefined, undefined])
      expect(Number(item?.enlisted?.N)).toBeGreaterThan(40)
    })

    const places = Array.from({ length: 10 }, (_, index) => index)
    const pairs = places.flatMap((one) => places.filter((other) => other > one).map((other) => [one, other]))

    it('keep a run that comes while others find the list empty, whoever asks when', { timeout: 120_000 }, async () => {
      for (const between of pairs) {
        const prefix = newPrefix()
        const [enlister, reader, other] = [0, 1, 2].map(() => listsOf(prefix, 2 * MINUTE)) as [Lists, Lists, Lists]
        await listsOf(prefix, 0).lists.add(left, FLOW)
        for (const each of [reader, other]) await found(each)
        const order = new Order(places.map((place) => (between.includes(place) ? 'enlister' : 'reader')))
        const inTurn = async (name: string, { client }: Lists, work: () => Promise<unknown>) => {
          client.middlewareStack.add(
            (next) => async (args) => {
              await order.turn(name)
              return next(args).finally(() => order.done(name))
            },
            { step: 'initialize', name: 'turns' },
          )
          await work()
          order.leaves(name)
        }

        await Promise.all([
          inTurn('enlister', enlister, () => enlister.lists.add(comes, FLOW)),
          inTurn('reader', reader, async () => {
            await look(reader)
            await look(reader)
          }),
        ])

        expect([between, await found(other)]).toEqual([between, [comes]])
      }
    })

    it('find what was put there and not named, when a worker begins and after ten minutes, and name it', async () => {
      const prefix = newPrefix()
      const [worker, other, dead] = [0, 1, 2].map(() => listsOf(prefix, 20 * MINUTE)) as [Lists, Lists, Lists]
      for (const each of [worker, other]) expect(await found(each)).toEqual([])
      makeTrouble(dead.client, {
        before({ operation }) {
          if (operation === 'UpdateItem') throw new Error('dead')
        },
      })
      await expect(dead.lists.add(comes, FLOW)).rejects.toThrow()
      expect(await found(worker)).toEqual([])

      worker.clock.nowMs += 10 * MINUTE
      expect(await found(worker)).toEqual([comes])
      expect(await found(other)).toEqual([comes])

      const restarted = listsOf(newPrefix(), 0)
      const place = { pk: { S: restarted.keys.waiting() }, sk: { S: 'f/1#comes' } }
      const Item = { ...place, flow: { S: 'f/1' }, run: { S: comes }, added: { N: '0' } }
      await restarted.client.send(new PutItemCommand({ TableName: made?.table, Item }))
      expect(await found(restarted)).toEqual([comes])
      expect((await itemOf(restarted))?.flow?.SS).toEqual(['f/1'])
    })

    it('that are named and empty cost no worker anything soon, and no other worker at all', async () => {
      const prefix = newPrefix()
      const [worker, stranger] = [listsOf(prefix, 0), listsOf(prefix, 0)]
      for (const each of [worker, stranger]) await found(each)
      await worker.lists.add(left, FLOW)
      await look(worker)
      for (const each of [worker, stranger]) each.clock.nowMs = 2 * MINUTE
      const foreign = { flowId: 'f', version: '2' }
      expect(await requestsOf(stranger.client, () => found(stranger, foreign))).toBe(1)
      await look(worker)
      await look(worker)

      expect(await requestsOf(worker.client, () => look(worker))).toBe(1)
      expect((await itemOf(worker))?.flow).toBeUndefined()
    })

    it('cost a worker with ten flows one request where a run waits that it cannot take', async () => {
      const prefix = newPrefix()
      const [here, there] = [processOf(prefix), processOf(prefix)]
      const flows = Array.from({ length: 10 }, (_, index) => ({ flowId: `f${index}`, version: '1' }))
      const lookAt = () => there.store.due({ limit: 10, flows, enlisted: true })
      await here.store.create({ runId: comes, kind: 'workflow', flowId: 'f0', version: '2', starts: ['a'] })
      await here.store.enlist({ runId: comes, instanceId: 'a' })
      await there.store.due({ limit: 1, runId: comes })

      expect(await requestsOf(there.client, lookAt)).toBeLessThanOrEqual(2)
      expect(await requestsOf(there.client, lookAt)).toBe(1)

      await here.store.create({ runId: left, kind: 'workflow', flowId: 'f1', version: '1', starts: ['a'] })
      await here.store.enlist({ runId: left, instanceId: 'a' })
      expect(await lookAt()).toMatchObject([{ runId: left }])
    })

    it('of more names than an item should have are all asked for, until somebody sees that they are fewer', {
      timeout: 60_000,
    }, async () => {
      const prefix = newPrefix()
      const worker = listsOf(prefix, 0)
      expect(await found(worker)).toEqual([])
      const versions = Array.from({ length: 105 }, (_, index) => String(index))
      for (const version of versions) await worker.lists.add(comes, { flowId: 'f', version })
      expect((await itemOf(worker))?.flow?.SS).toHaveLength(101)

      for (const version of ['0', '104']) expect(await found(worker, { flowId: 'f', version })).toEqual([comes])
      expect(await worker.lists.read([{ flowId: 'f', version: 'none' }])).toEqual([])
      expect(await worker.lists.read()).toHaveLength(105)
      expect((await itemOf(worker))?.flow?.SS).toEqual(['/'])

      worker.clock.nowMs = 2 * MINUTE
      for (const version of versions.slice(1)) await worker.lists.remove(comes, { flowId: 'f', version })
      await worker.lists.read()
      expect((await itemOf(worker))?.flow?.SS).toEqual(['f/0'])
    })
  })
}
