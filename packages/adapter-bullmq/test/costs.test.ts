/** What runs cost Redis, in commands, calls and bytes: counts, no times. */
import { BatonClient, createFlow, defaults, type Flow, type NodeArguments, type RunHandle } from '@baton/core'
import { startRedis } from '@baton/services'
import { fanFlow, lineFlow, TestClock } from '@baton/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { BullMQAdapter, type BullMQAdapterOptions } from '../src/index.ts'
import { newPrefix } from './redis-world.ts'
import { Spending, type Spent } from './spending.ts'

const redis = await startRedis({ appendOnly: true })
afterAll(() => redis[Symbol.asyncDispose]())

const LONG = 600_000
let disposers: (() => unknown)[] = []

/** A worker that does what it is sent, and looks for nothing by itself before the test is over. */
function workerOf(flow: Flow, options: Partial<BullMQAdapterOptions> = {}) {
  let ended = 0
  let wake = () => {}
  const adapter = new BullMQAdapter({
    connection: redis.url,
    prefix: newPrefix(),
    runtimeOptions: { flows: [flow] },
    concurrency: 50,
    sweepMs: LONG,
    onRunEnd: () => {
      ended += 1
      wake()
    },
    ...options,
  })
  adapter.start()
  disposers.push(() => adapter.close())
  const client = new BatonClient({ store: adapter.store, queue: adapter.queue, flows: [flow] })
  return {
    adapter,
    client,
    /** Starts so many, and waits as nobody but this process could: nothing is followed. */
    async finish(runs: number): Promise<readonly string[]> {
      const until = ended + runs
      const handles = await Promise.all(Array.from({ length: runs }, () => client.start(flow)))
      while (ended < until) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return handles.map(({ runId }) => runId)
    },
  }
}

async function spendingOf(work: () => Promise<unknown>): Promise<Spent> {
  using spending = await Spending.of(redis.url)
  await work()
  await quiet()
  return spending.spent()
}

/** Until nothing more is sent: what nobody waits for (a mark moved, a job finished) has gone out as well. */
async function quiet(): Promise<void> {
  const probe = new Redis(redis.url)
  let last = -1
  for (;;) {
    const [count = 0] =
      /total_net_input_bytes:(\d+)/
        .exec(await probe.info('stats'))
        ?.slice(1)
        .map(Number) ?? []
    // The probe's own question has the same length each time.
    if (count - last === PROBE_BYTES) break
    last = count
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  probe.disconnect()
}
const PROBE_BYTES = '*2\r\n$4\r\ninfo\r\n$5\r\nstats\r\n'.length

function perNode({ commands, calls, bytesIn, bytesOut }: Spent, nodes: number): Spent {
  return { commands: commands / nodes, calls: calls / nodes, bytesIn: bytesIn / nodes, bytesOut: bytesOut / nodes }
}

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'what runs cost', () => {
  afterEach(async () => {
    for (const dispose of disposers) await dispose()
    disposers = []
  })

  /** With a client in the worker's process, and as with one in another: through BullMQ. */
  const ways = ['own-places', 'queue'] as const

  it.each(ways)('lines of 10 nodes, 50 at once: start, job and end of each run included, by %s', async (fanOut) => {
    const { finish, client } = workerOf(lineFlow(10), { fanOut })
    await finish(5)

    let runIds: readonly string[] = []
    const spent = await spendingOf(async () => {
      runIds = await finish(100)
    })
    const each = perNode(spent, 1_000)

    expect(each.commands).toBeLessThan(1.2)
    expect(each.calls).toBeLessThan(12)
    expect(each.bytesIn).toBeLessThan(600)
    expect(each.bytesOut).toBeLessThan(120)
    expect(await client.get(runIds[99] ?? '').result()).toBe(10)
  })

  it('a finished line of 10 nodes takes less than 3.2 KB of memory, its log less than 2.4 KB of them, and less than 8 KB of the file', async () => {
    const prefix = newPrefix()
    const { finish } = workerOf(lineFlow(10), { prefix })
    const runs = 500
    await finish(50)
    const probe = new Redis(redis.url)
    const kept = async () => {
      await quiet()
      const of = (info: string, name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1])
      return {
        memory: of(await probe.info('memory'), 'used_memory_dataset'),
        file: of(await probe.info('persistence'), 'aof_current_size'),
      }
    }
    const before = await kept()

    const runIds = await finish(runs)

    const after = await kept()
    const logBytes = await probe.memory('USAGE', `${prefix}:{s0}:run:${runIds[0]}`, 'SAMPLES', 0)
    probe.disconnect()
    const each = { memory: (after.memory - before.memory) / runs, file: (after.file - before.file) / runs }
    expect(each.memory).toBeLessThan(3_200)
    expect(logBytes).toBeLessThan(2_400)
    expect(each.file).toBeLessThan(8_000)
  })

  it('who waits for the ends of runs hears of the ends, and of nothing before', async () => {
    const { client } = workerOf(lineFlow(10))
    const finish = async (runs: number) => {
      const handles = await Promise.all(Array.from({ length: runs }, () => client.start('line')))
      return Promise.all(handles.map((handle) => handle.result()))
    }
    await finish(5)

    const each = perNode(await spendingOf(() => finish(300)), 3_000)

    expect(each.bytesOut).toBeLessThan(120)
  })

  it('a run that this process starts costs two commands beside those of its nodes, and no job', async () => {
    const { finish } = workerOf(lineFlow(10))
    await finish(1)
    const { commands } = await spendingOf(async () => {
      for (let run = 0; run < 20; run++) await finish(1)
    })

    // Made, claimed, ten commits; the marks of an end go with the start of the next, and the worker looks for jobs.
    expect(commands / 20).toBeLessThan(13)
  })

  it('a node more on a line is a command more: one exchange, and what comes next came along', async () => {
    const spentOn = async (length: number) => {
      const { finish } = workerOf(lineFlow(length))
      await finish(1)
      return (await spendingOf(() => finish(1))).commands
    }
    const more = (await spentOn(30)) - (await spentOn(10))

    expect(more / 20).toBeLessThanOrEqual(1.2)
  })

  it.each(ways)('a node of a wide run costs what one of a narrow run costs, by %s', async (fanOut) => {
    const spentOn = async (width: number, runs: number) => {
      // Places for all: what waits for one goes to the queue after a while, and how long that is says the machine.
      const { finish } = workerOf(fanFlow(width), { fanOut, concurrency: 256 })
      await finish(1)
      return perNode(
        await spendingOf(async () => {
          for (let run = 0; run < runs; run++) await finish(1)
        }),
        (width + 2) * runs,
      )
    }
    const narrow = await spentOn(50, 8)
    const wide = await spentOn(200, 2)

    expect(wide.commands / narrow.commands).toBeLessThan(1.1)
    expect(wide.bytesIn / narrow.bytesIn).toBeLessThan(1.1)
    expect(wide.bytesOut / narrow.bytesOut).toBeLessThan(1.1)
  })

  it('a small step beside a large context costs what is small', async () => {
    const steps = 100
    using spending = await Spending.of(redis.url)
    let flow: Flow = createFlow('w7')
      .node('large', ({ context }: NodeArguments) => context.set('large', 'x'.repeat(2 ** 20)))
      .node('n0', async ({ context }: NodeArguments) => {
        await context.set('small', 0)
        await spending.reset()
      })
      .edge('large', 'n0')
    for (let step = 1; step <= steps; step++) {
      flow = flow.node(`n${step}`, ({ context }) => context.set('small', step)).edge(`n${step - 1}`, `n${step}`)
    }
    const { finish } = workerOf(flow)
    await finish(1)
    await quiet()
    const each = perNode(await spending.spent(), steps)

    expect(each.bytesIn).toBeLessThan(1_024)
    expect(each.bytesOut).toBeLessThan(1_024)
  })

  it('an idle fleet of four workers sends no more than 18 commands a second: BullMQ has the other two', async () => {
    const clock = new TestClock({ settle: quiet })
    const prefix = newPrefix()
    for (let worker = 0; worker < 4; worker++) workerOf(lineFlow(10), { prefix, clock, sweepMs: defaults.sweepMs })
    await clock.advance(defaults.sweepMs)

    const { commands } = await spendingOf(() => clock.advance(60_000))

    expect(commands).toBeGreaterThan(60_000 / defaults.sweepMs)
    expect(commands / 60).toBeLessThan(18)
  })

  it('1,000 waiting runs that are followed cost no connection, and a sweep no more than one does', async () => {
    const clock = new TestClock({ settle: quiet })
    const flow = createFlow('waits').node('wait', async ({ waitForSignal }: NodeArguments) => {
      await waitForSignal('go')
    })
    const { client, adapter } = workerOf(flow, { clock, sweepMs: defaults.sweepMs })
    const probe = new Redis(redis.url)
    disposers.push(() => probe.disconnect())
    const connections = async () => Number(/connected_clients:(\d+)/.exec(await probe.info('clients'))?.[1])
    const follow = (runs: readonly RunHandle[]) =>
      runs.map((run) => run.result({ signal: enough.signal }).catch(() => {}))
    const enough = new AbortController()
    const first = follow([await client.start(flow)])
    await quiet()
    const before = await connections()
    await clock.advance(defaults.sweepMs)
    const sweep = await spendingOf(() => clock.advance(defaults.sweepMs))

    const others = follow(await Promise.all(Array.from({ length: 999 }, () => client.start(flow))))
    await quiet()
    await clock.advance(defaults.sweepMs)
    expect((await adapter.listRuns({ limit: 1_000, status: ['paused'] })).runs).toHaveLength(1_000)

    expect(await connections()).toBeLessThanOrEqual(before)
    // BullMQ, which knows no clock but its own, may ask once more.
    const { calls } = await spendingOf(() => clock.advance(defaults.sweepMs))
    expect(calls).toBeLessThan(sweep.calls + 10)
    enough.abort()
    await Promise.all([...first, ...others])
  })
})
