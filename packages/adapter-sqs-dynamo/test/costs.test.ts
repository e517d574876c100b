/** What runs cost in DynamoDB, in requests and units: counts, no times. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  BatonClient,
  createFlow,
  defaults,
  type Flow,
  InMemoryJobQueue,
  type IRunStore,
  type NodeArguments,
} from '@baton/core'
import { DynamoSpending, startDynamo } from '@baton/services'
import { fanFlow, lineFlow, TestClock } from '@baton/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { DynamoRunStore, SqsAdapter, type SqsAdapterOptions } from '../src/index.ts'
import { createTable, newPrefix } from './dynamo-world.ts'

const dynamo = await startDynamo({ kind: 'dynoxide' })
const { client, table } = await createTable(dynamo)
afterAll(() => dynamo[Symbol.asyncDispose]())

const LONG = 600_000
let disposers: (() => unknown)[] = []

/** A worker that does what it is sent, and looks for nothing by itself before the test is over. */
function workerOf(flow: Flow, options: Partial<SqsAdapterOptions> = {}) {
  let ended = 0
  let wakers: (() => void)[] = []
  const nextEnd = () =>
    new Promise<void>((resolve) => {
      wakers.push(resolve)
    })
  const adapter = new SqsAdapter({
    table,
    dynamo: client,
    queue: new InMemoryJobQueue(),
    prefix: newPrefix(),
    runtimeOptions: { flows: [flow] },
    concurrency: 50,
    sweepMs: LONG,
    onRunEnd: () => {
      ended += 1
      const wake = wakers
      wakers = []
      for (const each of wake) each()
    },
    ...options,
  })
  adapter.start()
  disposers.push(() => adapter.close())
  const baton = new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] })
  return {
    adapter,
    ended: nextEnd,
    /** Starts so many, and waits as nobody but this process could: nothing is followed. */
    async finish(runs: number): Promise<void> {
      const until = ended + runs
      await Promise.all(Array.from({ length: runs }, () => baton.start(flow)))
      while (ended < until) await nextEnd()
    },
  }
}

async function spendingOf(work: () => Promise<unknown>): Promise<DynamoSpending> {
  const spending = new DynamoSpending(client)
  await work()
  // What nobody waits for goes out as well.
  await spending.quiet()
  spending.stop()
  return spending
}

describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? 'what runs cost', () => {
  afterEach(async () => {
    for (const dispose of disposers) await dispose()
    disposers = []
  })

  /** What so many nodes more cost on a line. */
  async function costOfMore(nodes: number, finish: (length: number) => Promise<DynamoSpending>) {
    const short = await finish(10)
    const long = await finish(10 + nodes)
    const more = (of: (spending: DynamoSpending) => number) => (of(long) - of(short)) / nodes
    return {
      writes: more(({ writes }) => writes),
      reads: more(({ reads }) => reads),
      writeUnits: more(({ writeUnits }) => writeUnits),
      writtenBytes: more(({ writtenBytes }) => writtenBytes),
    }
  }

  it('a node more on a line is one write request and no read, and less than 2 KB', async () => {
    const each = await costOfMore(90, async (length) => {
      const { finish } = workerOf(lineFlow(length))
      await finish(1)
      return spendingOf(() => finish(1))
    })

    // On a machine so slow that a second passes, a mark is moved as well.
    expect(Math.floor(each.writes * 20) / 20).toBe(1)
    expect(each.reads).toBe(0)
    expect(each.writeUnits).toBeLessThan(1.3)
    expect(each.writtenBytes).toBeLessThan(1_024)
  })

  it('and no more than that beside 200 KB of context', async () => {
    const each = await costOfMore(90, async (length) => {
      let flow: Flow = createFlow('beside').node('n0', async ({ context }: NodeArguments) => {
        for (let key = 0; key < 20; key++) await context.set(`large-${key}`, 'x'.repeat(10_240))
      })
      for (let node = 1; node < length; node++) flow = flow.node(`n${node}`, () => {}).edge(`n${node - 1}`, `n${node}`)
      const { finish } = workerOf(flow)
      await finish(1)
      return spendingOf(() => finish(1))
    })

    // On a machine so slow that a second passes, a mark is moved as well.
    expect(Math.floor(each.writes * 20) / 20).toBe(1)
    expect(each.reads).toBe(0)
    expect(each.writeUnits).toBeLessThan(1.3)
  })

  it('and no more where others have begun the run, and sent it a signal', async () => {
    const each = await costOfMore(290, async (length) => {
      let flow: Flow = createFlow('told').node('n0', async ({ waitForSignal }: NodeArguments) => {
        await waitForSignal('go')
      })
      for (let node = 1; node < length; node++) flow = flow.node(`n${node}`, () => {}).edge(`n${node - 1}`, `n${node}`)
      const shared = { queue: new InMemoryJobQueue(), prefix: newPrefix() }
      const { ended } = workerOf(flow, shared)
      const other = new DynamoRunStore({
        table,
        client: new DynamoDBClient(dynamo.clientOptions),
        prefix: shared.prefix,
      })
      disposers.push(() => other.close())
      return spendingOf(async () => {
        const end = ended()
        const run = await new BatonClient({ store: other, queue: shared.queue, flows: [flow] }).start(flow)
        await run.signal('go')
        await end
      })
    })

    expect(each.writes).toBeLessThan(1.1)
    expect(each.reads).toBeLessThan(0.05)
    expect(each.writeUnits).toBeLessThan(1.6)
    expect(each.writtenBytes).toBeLessThan(1_024)
  })

  it('nor behind a fan-out, whose lines come many at once', async () => {
    const each = await costOfMore(290, async (length) => {
      let flow: Flow = createFlow('behind').node('source', () => {})
      for (let node = 0; node < length; node++) flow = flow.node(`n${node}`, () => {})
      for (let node = 1; node < length; node++) flow = flow.edge(`n${node - 1}`, `n${node}`)
      for (let branch = 0; branch < 50; branch++) {
        flow = flow
          .node(`b${branch}`, () => {})
          .edge('source', `b${branch}`)
          .edge(`b${branch}`, 'n0')
      }
      const { finish } = workerOf(flow)
      return spendingOf(() => finish(1))
    })

    expect(each.writes).toBeLessThan(1.1)
    expect(each.writeUnits).toBeLessThan(1.6)
  })

  it('a run costs two requests beside those of its nodes: it begins and it ends', async () => {
    const { finish } = workerOf(lineFlow(10))
    await finish(1)

    const one = await spendingOf(() => finish(1))
    const many = await spendingOf(() => finish(20))

    expect([one.writes, one.reads]).toEqual([12, 0])
    expect(many.writes).toBeGreaterThanOrEqual(240)
    expect(many.writes).toBeLessThanOrEqual(260)
    expect(many.reads).toBe(0)
    expect(many.writeUnits / 20).toBeLessThan(28)
  })

  it('a wide run on four workers: twenty times as many commits as writes that were in vain', async () => {
    const flow = fanFlow(200)
    const shared = { queue: new InMemoryJobQueue(), prefix: newPrefix(), fanOut: 'queue', concurrency: 20 } as const
    const fleet = Array.from({ length: 4 }, () => workerOf(flow, shared))
    const finish = () => Promise.race(fleet.map((each) => each.ended()))
    const start = () =>
      new BatonClient({ store: fleet[0]?.adapter.store as IRunStore, queue: shared.queue, flows: [flow] }).start(flow)
    const first = finish()
    await start()
    await first

    const vain: number[] = []
    for (let round = 0; round < 3; round++) {
      const spending = await spendingOf(async () => {
        const end = finish()
        await start()
        await end
      })
      vain.push(spending.refused)
      expect(spending.writes).toBeLessThan(202 / 2)
      expect(spending.reads).toBeLessThan(202 / 10)
    }

    expect(vain.sort((left, right) => left - right)[1]).toBeLessThanOrEqual(202 / 20)
  })

  it('an idle fleet of four workers asks DynamoDB less than 1.6 times a second: the rest of two is for long polls', async () => {
    const watch = new DynamoSpending(client)
    disposers.push(() => watch.stop())
    const clock = new TestClock({ settle: () => watch.quiet() })
    const shared = { queue: new InMemoryJobQueue(), prefix: newPrefix(), clock, sweepMs: defaults.sweepMs }
    for (let worker = 0; worker < 4; worker++) workerOf(lineFlow(10), shared)
    await clock.advance(defaults.sweepMs)

    const { reads, writes } = await spendingOf(() => clock.advance(60_000))

    expect(reads).toBeGreaterThan(60_000 / defaults.sweepMs)
    expect((reads + writes) / 60).toBeLessThan(1.6)
  })
})
