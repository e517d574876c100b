import { createFlow, type NodeArguments } from '@baton/core'
import { describe, expect, it } from 'vitest'
import { crashEverywhere, doubleDeliveries, everySeed, type FlowTest, fails, testFlow } from '../../src/flow/index.ts'
import { DAY, type Signup, subscription } from './subscription.ts'

const ada: Signup = { email: 'ada@example.org', euros: 20 }

/** What a check says that fails. */
async function said(check: Promise<unknown>): Promise<string> {
  const thrown = await check.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toMatchObject({ name: 'AssertionError' })
  return (thrown as Error).message
}

/** An order whose payment tells the test's ledger of itself, with a key or without. */
const shop = createFlow<number>('shop')
  .node('reserve', async ({ context, step }: NodeArguments<number>) => {
    await step('stock', () => 1)
    await context.increment('reserved', 1)
    return {}
  })
  .node('pay', () => ({}))
  .node('mail', () => ({ output: 'mailed' }))
  .edge('reserve', 'pay')
  .edge('pay', 'mail')

describe('a crash at every point', () => {
  it('changes nothing about a flow that is written well', async () => {
    const report = await crashEverywhere(subscription, async (test) => {
      test.stub({
        charge: ({ input, idempotencyKey }) => {
          test.effect('charge', idempotencyKey)
          return { output: input.euros }
        },
      })
      const run = await test.start({ ...ada, euros: 5_000 })
      await run.approve('boss', { by: 'Grace' })
      return run.result()
    })

    expect(report.tried).toBeGreaterThan(40)
    expect(report.leftOut).toBe(0)
    expect(report.nodes.get('charge')).toEqual({ usual: 1, most: 2 })
    expect(report.nodes.get('open · ticket')).toEqual({ usual: 1, most: 2 })
  })

  it('reaches a run before, between and after all of its calls', async () => {
    const seen = new Set<string>()

    await crashEverywhere(subscription, async (test) => {
      const run = await test.start(ada)
      await run.result()
      const lost = run.journal.events.filter((event) => event.type === 'node-lost')
      for (const { instanceId } of lost) seen.add(instanceId)
      expect(lost.length).toBeLessThanOrEqual(1)
    })

    expect([...seen].sort()).toEqual(['charge', 'open', 'receipt'])
  })

  it('finds an effect that is done twice, and says where', async () => {
    const scenario = async (test: FlowTest<typeof shop>) => {
      test.stub({ pay: () => void test.effect('pay') })
      return test.run(7)
    }

    const message = await said(crashEverywhere(shop, scenario))

    expect(message).toMatch(/\d+ of \d+ crashes change how it ends/)
    expect(message).toContain('effect pay happened 2 times; without a crash once. Hand it the idempotencyKey')
    expect(message).toMatch(/A worker died right after the effect pay \(call \d+\), and another one went on:/)
    expect(message).toMatch(/A worker died in call \d+, commit of run-1\/pay succeeded, before it took effect/)
    expect(message).toContain('node-lost pay')
    expect(message).toMatch(/pay\s+1\s+2/)
  })

  it('repeats one crash alone', async () => {
    const scenario = async (test: FlowTest<typeof shop>) => {
      test.stub({ pay: () => void test.effect('pay') })
      return test.run(7)
    }
    const message = await said(crashEverywhere(shop, scenario))
    const [, only = ''] = /only: '(.*)'/.exec(message) ?? []

    expect(await said(crashEverywhere(shop, scenario, { only }))).toContain('1 of 1 crash changes how it ends')
    const report = await crashEverywhere(shop, scenario, { only: '1 before claim' })
    expect(report.toText()).toMatch(/^1 crash, /)
    expect(await said(crashEverywhere(shop, scenario, { only: '999 before claim' }))).toContain('there is no call 999')
  })

  it('finds a fake that is not idempotent, by what the scenario gives', async () => {
    const paying = (isIdempotent: boolean) => async (test: FlowTest<typeof shop>) => {
      const account = { euros: 100, keys: new Set<string>() }
      test.stub({
        pay: ({ idempotencyKey }) => {
          if (isIdempotent && account.keys.has(idempotencyKey)) return
          account.keys.add(idempotencyKey)
          account.euros -= 7
        },
      })
      await test.run(7)
      return account.euros
    }

    expect(await said(crashEverywhere(shop, paying(false)))).toContain('the scenario gave 86; without a crash 93')
    await crashEverywhere(shop, paying(true))
  })

  it('finds steps that come in another order the second time', async () => {
    const scenario = async (test: FlowTest<typeof shop>) => {
      let entries = 0
      test.stub({
        pay: async ({ step }) => {
          entries += 1
          await step(entries === 1 ? 'book' : 'charge', () => entries)
          await step('tell', () => undefined)
        },
      })
      return test.run(7)
    }

    const message = await said(crashEverywhere(shop, scenario))

    expect(message).toContain('STEPS_DIVERGED')
    expect(message).toMatch(/call \d+, commit of run-1\/pay stepped, after it took effect/)
  })

  it('finds code that asks the real clock, and says where', async () => {
    const clocked = createFlow('clocked').node('look', () => ({ output: new Date().getFullYear() > 2_000 }))

    const message = await said(crashEverywhere(clocked, (test) => test.run()))

    expect(message).toMatch(/look: new Date\(\) at .*checks\.test\.ts:\d+/)
    await crashEverywhere(clocked, (test) => test.run(), { realTime: 'allow' })
  })

  it.each([
    ['Date.now()', () => Date.now()],
    ['Date()', () => Date()],
    ['Math.random()', () => Math.random()],
    ['performance.now()', () => performance.now()],
    ['crypto.randomUUID()', () => crypto.randomUUID()],
  ])('notices %s, also after a wait, and not in a step', async (name, ask) => {
    const late = createFlow('late').node('look', async ({ context }) => {
      await context.get('anything')
      ask()
    })
    const inStep = createFlow('in-step').node('look', async ({ step }) => {
      await step('once', () => void ask())
    })

    expect(await said(crashEverywhere(late, (test) => test.run()))).toContain(`look: ${name} at`)
    await crashEverywhere(inStep, (test) => test.run())
  })

  it('leaves the clock and chance of the process as they were', async () => {
    const before = [Date, Date.now, Math.random, performance.now, crypto.randomUUID]

    await crashEverywhere(shop, (test) => {
      expect(new Date(0)).toBeInstanceOf(Date)
      return test.run(7)
    })

    expect([Date, Date.now, Math.random, performance.now, crypto.randomUUID]).toEqual(before)
  })

  it('blames each of several checks at the same time for its own', async () => {
    const before = [Date, Date.now]
    const clocked = createFlow('clocked').node('look', () => ({ output: Date.now() > 0 }))

    const [good, bad] = await Promise.all([
      crashEverywhere(shop, (test) => test.run(7)),
      said(crashEverywhere(clocked, (test) => test.run())),
    ])

    expect(good.tried).toBeGreaterThan(10)
    expect(bad).toContain('look: Date.now() at')
    expect([Date, Date.now]).toEqual(before)
  })

  it('says so when a scenario ends differently by itself', async () => {
    let runs = 0

    const message = await said(
      crashEverywhere(shop, async (test) => {
        await test.run(7)
        return ++runs
      }),
    )

    expect(message).toContain('ends differently when it is played twice')
    expect(message).toContain('the scenario gave 2; the first time 1')
  })

  it('compares what is comparable', async () => {
    const timed = createFlow('timed').node('look', ({ now }) => ({ output: { atMs: now(), what: 'tea' } }))
    const scenario = async (test: FlowTest<typeof timed>) => void (await test.run())
    const comparable = (output: unknown) => (output as { what: string } | undefined)?.what

    expect(await said(crashEverywhere(timed, scenario))).toContain(
      "what: 'tea' }; without a crash it is completed with",
    )
    await crashEverywhere(timed, scenario, { comparable })
  })

  it('lets what the scenario asserts fail as it is, when no crash is to blame', async () => {
    const wrong = crashEverywhere(shop, async (test) => expect(await test.run(7)).toBe('posted'))

    await expect(wrong).rejects.toThrow("expected 'mailed' to be 'posted'")
  })

  it('tells which assertion of the scenario a crash broke', async () => {
    const message = await said(
      crashEverywhere(shop, async (test) => {
        await test.run(7)
        if (test.calls('pay').length > 1) throw new Error('paid twice')
      }),
    )

    expect(message).toContain('the scenario throws: paid twice')
  })

  it('tells, with what the scenario throws, which code asks for what cannot be repeated', async () => {
    let chance = 0
    const moody = createFlow('moody').node('look', async ({ step, sleep }) => {
      // Another step each time it is entered, as real chance would have it some day.
      Math.random()
      await step(chance++ % 2 === 0 ? 'heads' : 'tails', () => undefined)
      await sleep(DAY)
    })

    for (const check of [crashEverywhere, everySeed]) {
      const message = await said(check(moody, (test: FlowTest<typeof moody>) => test.run()))
      expect(message).toMatch(/the journal has step heads there, the code asks for step tails/)
      expect(message).toMatch(/look: Math\.random\(\) at .*checks\.test\.ts:\d+/)
      chance = 0
    }
  })

  it.each([
    ['crashEverywhere', crashEverywhere],
    ['doubleDeliveries', doubleDeliveries],
    ['everySeed', everySeed],
  ])('is not content with a scenario that starts nothing: %s', async (_, check) => {
    expect(await said(check(shop, () => undefined))).toContain('the scenario starts no run')
  })

  it('keeps to a limit, tells how far it is, and what it left out', async () => {
    const told: string[] = []

    const report = await crashEverywhere(shop, (test) => test.run(7), {
      limit: 5,
      onProgress: (done, all) => told.push(`${done}/${all}`),
    })

    expect(told).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5'])
    expect(report).toMatchObject({ tried: 5 })
    expect(report.toText()).toMatch(/^5 crashes, \d+ left out, .*\ncode +calls {2}at most\nreserve/)
    expect(report.leftOut).toBeGreaterThan(5)
  })

  it('also kills those who run children', async () => {
    const parent = createFlow('parent').child('sub', subscription)

    const report = await crashEverywhere(parent, async (test) => (await test.start(ada)).result())

    expect(report.nodes.get('subscription/charge')).toEqual({ usual: 1, most: 2 })
  })

  it('refuses what it does not understand', async () => {
    const run = (test: FlowTest<typeof shop>) => test.run(7)

    await expect(crashEverywhere(shop, run, { only: 'commit 12' })).rejects.toMatchObject({ field: 'only' })
    await expect(crashEverywhere(shop, run, { limit: 0 })).rejects.toMatchObject({ field: 'limit' })
    await expect(crashEverywhere(shop, run, { seed: 1 } as object)).rejects.toMatchObject({ field: 'options.seed' })
    await expect(crashEverywhere(shop, undefined as never)).rejects.toMatchObject({ field: 'scenario' })
    await expect(crashEverywhere(shop, run, { realTime: 'no' as never })).rejects.toMatchObject({ field: 'realTime' })
  })
})

describe('doubled deliveries', () => {
  it('change nothing', async () => {
    const report = await doubleDeliveries(subscription, async (test) => {
      test.stub({ charge: ({ input }) => ({ output: input.euros }) })
      const run = await test.start({ ...ada, euros: 5_000 })
      await run.approve('boss')
      expect(test.elapsedMs).toBeGreaterThanOrEqual(30 * DAY)
      return run.result()
    })

    expect(report.tried).toBe(20)
    expect(report.nodes.get('charge')).toEqual({ usual: 1, most: 1 })
  })

  it('are told with the seed that repeats them', async () => {
    const racing = createFlow('racing')
      .node('begin', () => ({}))
      .node('left', () => ({}))
      .node('right', () => ({}))
      .edge('begin', 'left')
      .edge('begin', 'right')
    const scenario = async (test: FlowTest<typeof racing>) => {
      const first: string[] = []
      test.stub({ left: () => void first.push('left'), right: () => void first.push('right') })
      await test.run()
      return first[0]
    }

    const message = await said(doubleDeliveries(racing, scenario))

    expect(message).toMatch(/^seed \d+:\n {2}the scenario gave '?"right"/)
    const [, seed] = /Repeat it with: doubleDeliveries\(flow, scenario, \{ seed: (\d+) \}\)/.exec(message) ?? []
    expect(await said(doubleDeliveries(racing, scenario, { seed: Number(seed) }))).toContain(`seed ${seed}:`)
  })
})

describe('every seed', () => {
  const pair = createFlow('pair')
    .node('left', ({ context }) => context.set('last', 'left') as Promise<undefined>)
    .node('right', ({ context }) => context.set('last', 'right') as Promise<undefined>)

  it('asserts what the scenario asserts in every order', async () => {
    await everySeed(pair, async (test) => {
      const run = await test.start()
      await run.result()
      expect(await run.context('last')).toMatch(/left|right/)
    })
  })

  it('gives the seed of an order in which it does not hold', async () => {
    const message = await said(
      everySeed(pair, async (test) => {
        const run = await test.start()
        await run.result()
        expect(await run.context('last')).toBe('right')
      }),
    )

    expect(message).toMatch(/seed \d+:\n {2}expected 'left' to be 'right'/)
    expect(message).toMatch(/Repeat it with: everySeed\(flow, scenario, \{ seed: \d+ \}\)/)
  })

  it('jitters retries', async () => {
    const waits = new Set<number>()

    await everySeed(subscription, async (test) => {
      test.stub({ charge: fails(1) })
      await test.run(ada)
      waits.add(test.elapsedMs)
    })

    expect(waits.size).toBeGreaterThan(5)
    expect(testFlow(subscription).seed).toBe(0)
  })
})
