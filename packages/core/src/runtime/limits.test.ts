import { describe, expect, it } from 'vitest'
import { BatonClient } from '../client/client.ts'
import type { NodeArguments } from '../engine/node-function.ts'
import { createFlow } from '../flow/create-flow.ts'
import type { FlowOptions } from '../flow/flow-options.ts'
import { RunMachine } from '../machine/run-machine.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { FlowRuntime } from './flow-runtime.ts'

interface Input {
  readonly name: string
  readonly customer?: unknown
}

/** A flow whose runs go on one by one when they are told, and note who is under way. */
function crowd(options: Omit<FlowOptions, 'input'>) {
  const begun: string[] = []
  const underWay = new Set<string>()
  const ends: (() => void)[] = []
  let most = 0
  let heard = () => {}
  const flow = createFlow<Input>('crowd', options).node('work', async ({ input }: NodeArguments<Input>) => {
    begun.push(input.name)
    underWay.add(input.name)
    most = Math.max(most, underWay.size)
    heard()
    await new Promise<void>((resolve) => ends.push(resolve))
    underWay.delete(input.name)
  })
  return {
    flow,
    begun,
    underWay,
    most: () => most,
    endOne: () => ends.shift()?.(),
    /** Until so many have begun. */
    async until(count: number) {
      while (begun.length < count) await new Promise<void>((resolve) => (heard = resolve))
    },
  }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `run-${index}`)

describe.each([
  ['without a store', () => ({})],
  ['with a store', () => ({ store: new InMemoryRunStore() })],
])('a limit on how many runs are under way, %s', (_name, ports) => {
  it('holds, and lets all of them have their turn, who came first first', async () => {
    const { flow, begun, most, endOne, until } = crowd({ concurrency: { limit: 3 } })
    await using runtime = new FlowRuntime({ flows: [flow], ...ports() })

    const runs = []
    for (const name of names(10)) runs.push(runtime.run(flow, { name }))
    for (let ended = 0; ended < 10; ended++) {
      await until(Math.min(10, ended + 3))
      endOne()
    }

    expect((await Promise.all(runs)).map(({ status }) => status)).toEqual(names(10).map(() => 'completed'))
    expect(most()).toBe(3)
    expect([...begun].sort()).toEqual(names(10).sort())
  })

  it('holds for each key by itself', async () => {
    const { flow, begun, endOne, until } = crowd({ concurrency: { limit: 1, key: 'customer' } })
    await using runtime = new FlowRuntime({ flows: [flow], ...ports() })

    const first = runtime.run(flow, { name: 'a1', customer: 'a' })
    await until(1)
    const second = runtime.run(flow, { name: 'a2', customer: 'a' })
    const third = runtime.run(flow, { name: 'b1', customer: 'b' })
    const fourth = runtime.run(flow, { name: 'b2', customer: 'a' }, { limitKey: 'c' })
    await until(3)
    expect([...begun].sort()).toEqual(['a1', 'b1', 'b2'])
    endOne()
    await until(4)
    for (let left = 3; left > 0; left--) endOne()
    await Promise.all([first, second, third, fourth])
  })

  it('refuses a run whose input has no key, whole', async () => {
    const { flow } = crowd({ concurrency: { limit: 1, key: ['customer', 'id'] } })
    await using runtime = new FlowRuntime({ flows: [flow], ...ports() })

    const field = 'input.customer.id'
    await expect(runtime.run(flow, { name: 'a' })).rejects.toMatchObject({ code: 'INVALID_VALUE', field })
    const noText = runtime.run(flow, { name: 'a', customer: { id: {} } })
    await expect(noText).rejects.toMatchObject({ code: 'INVALID_VALUE', field })
    const long = runtime.run(flow, { name: 'a' }, { limitKey: 'x'.repeat(513) })
    await expect(long).rejects.toMatchObject({ code: 'INVALID_VALUE', field: 'limitKey' })
  })

  it('lets the highest priority in first', async () => {
    const { flow, begun, endOne, until } = crowd({ concurrency: { limit: 1 } })
    await using runtime = new FlowRuntime({ flows: [flow], ...ports() })

    const handles = [await runtime.start(flow, { name: 'holder' })]
    await until(1)
    for (const [name, priority] of [
      ['low', 0],
      ['high', 5],
      ['middle', 2],
    ] as const) {
      handles.push(await runtime.start(flow, { name }, { priority }))
    }
    for (let ended = 1; ended <= 4; ended++) {
      endOne()
      await until(Math.min(4, ended + 1))
    }
    await Promise.all(handles.map((handle) => handle.outcome()))

    expect(begun).toEqual(['holder', 'high', 'middle', 'low'])
  })

  it('gives the place of a run that is cancelled to the next, whether it had begun or not', async () => {
    const { flow, begun, endOne, until } = crowd({ concurrency: { limit: 1 } })
    await using runtime = new FlowRuntime({ flows: [flow], worker: { abandonAfterMs: 1 }, ...ports() })

    const [running, waiting, last] = [
      await runtime.start(flow, { name: 'running' }),
      await runtime.start(flow, { name: 'waiting' }),
      await runtime.start(flow, { name: 'last' }),
    ]
    await until(1)
    expect((await waiting.record()).pendingSlot).toMatchObject({ flowId: 'crowd', most: 1 })
    expect(await waiting.status()).toBe('pending')

    await waiting.cancel('not needed')
    await running.cancel('stop it')
    await until(2)
    for (let left = 2; left > 0; left--) endOne()

    expect(begun).toEqual(['running', 'last'])
    expect((await waiting.outcome()).status).toBe('cancelled')
    expect((await last.outcome()).status).toBe('completed')
  })

  it("holds for runs that are started by a node and are nobody's children", async () => {
    const { flow, most, endOne, until } = crowd({ concurrency: { limit: 1, key: 'customer' } })
    const starter = createFlow('starter').node('start', async ({ startRun }: NodeArguments) => {
      for (const name of names(3)) await startRun(flow, { name, customer: 'a' })
    })
    await using runtime = new FlowRuntime({ flows: [starter, flow], ...ports() })

    await runtime.run(starter)
    for (let ended = 0; ended < 3; ended++) {
      await until(ended + 1)
      endOne()
    }

    expect(most()).toBe(1)
  })

  it('holds for a run that goes on as new: it gives its place back, and gets in line again', async () => {
    const begun: string[] = []
    const flow = createFlow<{ name: string; round: number }>('rounds', { concurrency: { limit: 1 } }).node(
      'work',
      async ({ input: { name, round }, continueAsNew }: NodeArguments<{ name: string; round: number }>) => {
        begun.push(`${name}${round}`)
        if (round < 3) await continueAsNew({ name, round: round + 1 })
      },
    )
    const other = createFlow('other').node('start', async ({ startChild }: NodeArguments) => {
      const runs = [await startChild(flow, { name: 'a', round: 1 }), await startChild(flow, { name: 'b', round: 1 })]
      for (const run of runs) await run.result()
    })
    await using runtime = new FlowRuntime({ flows: [other, flow], concurrency: 1, ...ports() })

    expect((await runtime.run(other)).status).toBe('completed')

    expect(begun).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
  })

  it('holds for runs that are started by runs', async () => {
    const { flow, most, endOne, until } = crowd({ concurrency: { limit: 2 } })
    const parent = createFlow('parent').node('ask', async ({ startChild }: NodeArguments) => {
      const children = []
      for (const name of names(5)) children.push(await startChild(flow, { name }))
      for (const child of children) await child.result()
    })
    await using runtime = new FlowRuntime({ flows: [parent, flow], ...ports() })

    const run = runtime.run(parent)
    for (let ended = 0; ended < 5; ended++) {
      await until(Math.min(5, ended + 2))
      endOne()
    }

    expect((await run).status).toBe('completed')
    expect(most()).toBe(2)
  })
})

describe('a client', () => {
  it('says what a run waits for, and how many are before it', async () => {
    const { flow } = crowd({ concurrency: { limit: 2, key: 'customer' } })
    // Nobody works on them: that is enough to be let in, or not.
    const newMachine: typeof RunMachine.create = (run, atMs, options) => {
      return RunMachine.create(run, atMs, { ...options, limiterNews: 3 })
    }
    const client = new BatonClient({ flows: [flow], store: new InMemoryRunStore({ newMachine }) })
    const start = (name: string) => client.start(flow, { name, customer: 7 }, { runId: name })
    for (const name of names(5)) await start(name)

    expect(await client.waitingFor('run-1')).toBeUndefined()
    expect(await client.waitingFor('run-4')).toMatchObject({ flowId: 'crowd', key: '7', most: 2, ahead: 2, held: 2 })
    for (let round = 0; round < 30; round++) {
      await start(`more-${round}`)
      await client.cancel(`more-${round}`)
    }
    await client.cancel('run-2')
    // The limiter is another run by now.
    expect((await client.listRuns({ flowId: 'baton:limiter' })).runs.length).toBeGreaterThan(2)
    expect(await client.waitingFor('run-4')).toMatchObject({ ahead: 1, held: 2 })
    await client.cancel('run-1')
    expect(await client.waitingFor('run-3')).toBeUndefined()
    expect(await client.waitingFor('run-4')).toMatchObject({ ahead: 0, held: 2 })
    expect(await client.waitingFor('nobody')).toBeUndefined()
  })
})

describe('a run without a store', () => {
  it('that only somebody else could wake gives its slot back', async () => {
    const flow = createFlow('asking', { concurrency: { limit: 1 } }).waitForSignal('wait', { signal: 'go' })
    await using runtime = new FlowRuntime({ flows: [flow] })

    expect((await runtime.run(flow)).status).toBe('paused')
    expect((await runtime.run(flow)).status).toBe('paused')
  })

  it('may be one of very many that wait', async () => {
    const flow = createFlow('quick', { concurrency: { limit: 1 } }).node('work', () => {})
    await using runtime = new FlowRuntime({ flows: [flow] })

    const results = await Promise.all(Array.from({ length: 10_000 }, () => runtime.run(flow)))

    expect(results.every(({ status }) => status === 'completed')).toBe(true)
  })
})

describe('what a flow may say of limits', () => {
  it('takes one or several, with a key or without, and keeps them in its blueprint', () => {
    const flow = createFlow('flow', {
      concurrency: [{ limit: 10 }, { limit: 2, key: 'customer' }],
      rateLimit: { limit: 5, periodMs: 1_000, key: ['customer', 'id'] },
    }).node('a', () => {})

    expect(flow.toBlueprint().policy).toEqual({
      concurrency: [{ limit: 10 }, { limit: 2, key: ['customer'] }],
      rate: [{ limit: 5, periodMs: 1_000, key: ['customer', 'id'] }],
    })
  })

  it.each([
    [{ concurrency: { limit: 0 } }, 'policy.concurrency[0].limit'],
    [{ concurrency: { limit: 1.5 } }, 'policy.concurrency[0].limit'],
    [{ concurrency: {} }, 'policy.concurrency[0].limit'],
    [{ concurrency: { limit: 1, key: [] } }, 'policy.concurrency[0].key'],
    [{ concurrency: { limit: 1, kee: 'a' } }, 'policy.concurrency[0].kee'],
    [{ concurrency: 3 }, 'policy.concurrency[0]'],
    [{ concurrency: [{ limit: 1 }, { limit: 2 }] }, 'policy.concurrency[1]'],
    [{ rateLimit: { limit: 1 } }, 'policy.rate[0].periodMs'],
    [{ rateLimit: { limit: 10_001, periodMs: 1 } }, 'policy.rate[0].limit'],
    [{ rateLimit: null }, 'policy.rate[0]'],
  ])('refuses %j', (options, field) => {
    expect(() => createFlow('flow', options as FlowOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_BLUEPRINT', field }),
    )
  })

  it('refuses a key for a flow that has no limit with one, and the id of a limiter for a run', async () => {
    const { flow } = crowd({ concurrency: { limit: 1 } })
    await using runtime = new FlowRuntime({ flows: [flow] })

    const keyed = runtime.run(flow, { name: 'a' }, { limitKey: 'x' })
    await expect(keyed).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'limitKey' })
    const taken = runtime.run(flow, { name: 'a' }, { runId: 'baton:limit:crowd:runs' })
    await expect(taken).rejects.toMatchObject({ code: 'INVALID_ID', field: 'runId' })
  })
})
