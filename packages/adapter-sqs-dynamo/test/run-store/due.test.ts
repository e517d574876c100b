/** What it costs to find what is due where much is due: counts, no times. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { parseRunId } from '@baton/core'
import { DynamoSpending, startDynamo } from '@baton/services'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { DynamoRunStore } from '../../src/index.ts'
import { createTable, newPrefix } from '../dynamo-world.ts'

const dynamo = await startDynamo({ kind: 'dynoxide' })
const made = dynamo.skipReason === undefined ? await createTable(dynamo) : undefined
afterAll(() => dynamo[Symbol.asyncDispose]())

/** From its creation to the start of a run. */
const LATER_MS = 500
/** Nothing is sent twice while a test lasts. */
const times = { redispatchMs: 300_000, redispatchMaxMs: 600_000 }
/** The page of a sweep. */
const PAGE = 200

/** Another process than the one that has made the runs. */
class Other {
  readonly client = new DynamoDBClient(dynamo.clientOptions)
  readonly spending = new DynamoSpending(this.client)
  readonly store: DynamoRunStore
  /** The most requests that were under way at the same time. */
  most = 0

  constructor(prefix: string) {
    this.store = new DynamoRunStore({ client: this.client, table: made?.table ?? '', prefix, ...times })
    this.client.middlewareStack.add(
      (next) => async (args) => {
        this.most = Math.max(this.most, this.spending.underWay)
        return next(args)
      },
      { step: 'build', name: 'most' },
    )
  }

  async open(): Promise<this> {
    await this.store.due({ limit: 1, runId: parseRunId('none') })
    this.spending.reset()
    return this
  }
}

describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? 'Much that is due', () => {
  const others: Other[] = []
  afterEach(async () => {
    for (const { store, client } of others.splice(0)) {
      await store.close()
      client.destroy()
    }
  })

  async function otherOf(prefix: string): Promise<Other> {
    const other = new Other(prefix)
    others.push(other)
    return other.open()
  }

  /** Runs that were to start by now, and no job of theirs was sent. */
  async function lose(prefix: string, flow: string, count: number): Promise<void> {
    const { client, table } = made as NonNullable<typeof made>
    const store = new DynamoRunStore({ client, table, prefix, ...times })
    const create = (index: number) =>
      store.create({
        runId: parseRunId(`${flow}-${index}`),
        kind: 'workflow',
        flowId: flow,
        starts: ['n'],
        startAtMs: Date.now() + LATER_MS,
      })
    for (let at = 0; at < count; at += 50) {
      await Promise.all(Array.from({ length: Math.min(50, count - at) }, (_, index) => create(at + index)))
    }
    await store.close()
    await sleep(LATER_MS * 2)
  }

  it('is swept with one read and two writes for each run, page after page, and never with many at the same time', async () => {
    const prefix = newPrefix()
    const runs = 1_000
    await lose(prefix, 'f', runs)
    const other = await otherOf(prefix)
    const { store, spending } = other
    const sent = new Set<string>()
    const pages: number[] = []
    const readAtOnce: number[] = []
    do {
      await spending.quiet()
      other.most = 0
      const items = await store.due({ limit: PAGE, unsentOnly: true })
      readAtOnce.push(other.most)
      pages.push(items.length)
      for (const { runId } of items) sent.add(runId)
      await store.redispatch(items)
      // The marks follow on what is written.
      expect(other.most).toBeLessThan(100)
    } while (pages.at(-1) === PAGE)
    await spending.quiet()

    expect(pages).toEqual([PAGE, PAGE, PAGE, PAGE, PAGE, 0])
    expect(sent.size).toBe(runs)
    expect(Math.max(...readAtOnce)).toBeLessThanOrEqual(50)
    // And two pages of the index with each look, or one.
    expect(spending.reads).toBeLessThanOrEqual(runs + 30)
    expect(spending.writes).toBeLessThanOrEqual(2 * runs + 100)
    expect(spending.readUnits).toBeLessThan(runs * 1.2)
  }, 120_000)

  it('of one flow is found behind that of another one, and no more of it is read than was asked for', async () => {
    const prefix = newPrefix()
    await lose(prefix, 'a', 120)
    await lose(prefix, 'b', 400)
    const { store, spending } = await otherOf(prefix)
    const flows = [{ flowId: 'b' }]

    const items = await store.due({ limit: 10, flows })
    expect(items.map(({ runId }) => runId.startsWith('b-'))).toEqual(new Array(10).fill(true))
    expect(spending.reads).toBeLessThanOrEqual(15)
    expect(spending.readUnits).toBeLessThan(30)

    // What a page has more than is looked at is kept for the next look, and nothing is left out.
    const all = await store.due({ limit: 1_000, flows })
    expect(new Set(all.map(({ runId }) => runId)).size).toBe(400)
    spending.reset()
    await store.due({ limit: 1_000, flows })
    expect(spending.reads).toBeLessThanOrEqual(400 + 5)
  }, 120_000)

  it('is one read where there is nothing', async () => {
    const { store, spending } = await otherOf(newPrefix())

    expect(await store.due({ limit: PAGE, unsentOnly: true })).toEqual([])
    expect(spending.reads).toBe(1)
  })
})
