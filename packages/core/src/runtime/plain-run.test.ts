import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFlow, FatalError, type Flow, FlowRuntime, type NodeArguments } from '../index.ts'

/**
 * A run that somebody watches goes through the machine from its first event on; one that nobody watches goes plainly
 * as long as it can. Both must call the same functions with the same inputs in the same order, and end alike.
 */

const plain = ['returns at once', 'returns nothing', 'returns later'] as const
const odd = [
  'throws at once',
  'throws later',
  'is fatal',
  'writes the context',
  'writes the context later',
  'takes a step',
  'names an action',
  'reads its signal',
  'returns what cannot be',
] as const
const timed = ['returns after a timer', 'sleeps', 'fails once', 'writes the context later', 'takes a step'] as const
type Behaviour = (typeof plain | typeof odd | typeof timed)[number]

function mostlyPlain(others: readonly Behaviour[]): fc.Arbitrary<Behaviour> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Behaviour>(...plain) },
    { weight: 2, arbitrary: fc.constantFrom<Behaviour>(...others) },
  )
}

interface Design {
  readonly nodes: readonly {
    behaviour: Behaviour
    predecessors: readonly number[]
    any: boolean
    fallback: boolean
    again: boolean
  }[]
  readonly concurrency: number
}

const designs = (others: readonly Behaviour[]): fc.Arbitrary<Design> =>
  fc.record({
    nodes: fc.array(
      fc.record({
        behaviour: mostlyPlain(others),
        predecessors: fc.uniqueArray(fc.nat(), { maxLength: 3 }),
        any: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
        fallback: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
        again: fc.integer({ min: 0, max: 14 }).map((n) => n === 0),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    concurrency: fc.constantFrom(1, 2, 256),
  })

describe('A run that nobody watches', () => {
  it('calls what a watched one calls, in the same order, and ends as it ends', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(designs(odd), async (design) => {
        const [unwatched, watched] = [await observe(design, false), await observe(design, true)]

        expect(unwatched).toEqual(watched)
      }),
      { numRuns: 1_000 },
    )
  })

  it('calls what a watched one calls where timers decide on the order', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(designs(timed), async (design) => {
        const [unwatched, watched] = [await observe(design, false), await observe(design, true)]

        expect(sorted(unwatched)).toEqual(sorted(watched))
      }),
      { numRuns: 200 },
    )
  })

  it('ends a node whose time is up', async () => {
    const flow = createFlow('late')
      .node('a', async () => ({ output: 1 }))
      .node('b', () => new Promise<never>(() => {}), { timeoutMs: 20 })
      .edge('a', 'b')
    const from = Date.now()

    const result = await new FlowRuntime().run(flow)

    expect(result).toMatchObject({ status: 'failed', error: { code: 'NODE_TIMEOUT' } })
    expect(Date.now() - from).toBeGreaterThanOrEqual(20)
  })

  it('is cancelled by its signal', async () => {
    const cancel = new AbortController()
    const flow = createFlow('cancelled')
      .node('a', async () => ({ output: 1 }))
      .node(
        'b',
        ({ signal }) =>
          new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
            setTimeout(() => cancel.abort(new Error('enough')), 5)
          }),
      )
      .edge('a', 'b')

    const result = await new FlowRuntime().run(flow, undefined, { signal: cancel.signal })

    expect(result).toMatchObject({ status: 'cancelled', reason: 'enough' })
  })

  it('is cancelled by its signal in the middle of a plain node', async () => {
    const cancel = new AbortController()
    const flow = createFlow('cancelled')
      .node('a', async () => ({ output: 1 }))
      .node(
        'b',
        () =>
          new Promise<{ output: number }>((resolve) => {
            setTimeout(() => cancel.abort(new Error('enough')), 5)
            setTimeout(() => resolve({ output: 3 }), 10)
          }),
      )
      .node('c', async () => ({ output: 1 }))
      .edge('a', 'b')
      .edge('b', 'c')

    const result = await new FlowRuntime().run(flow, undefined, { signal: cancel.signal })

    expect(result).toMatchObject({ status: 'cancelled', reason: 'enough' })
  })

  it('refuses what code asks for after its end', async () => {
    let late: NodeArguments | undefined
    const flow = createFlow('late').node('a', async (args: NodeArguments) => {
      late = args
    })
    await new FlowRuntime().run(flow)

    expect(() => late?.context).toThrow(/ATTEMPT_ENDED|over|ended/i)
    expect(late?.signal.aborted).toBe(true)
  })
})

async function observe(design: Design, isWatched: boolean) {
  const log: unknown[] = []
  const failed = new Set<string>()
  const run = new FlowRuntime({ concurrency: design.concurrency }).run(
    toFlow(design, log, failed),
    { start: 1 },
    isWatched ? { onEvent: () => {} } : {},
  )
  const hung = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`hangs, watched ${isWatched}, after ${JSON.stringify(log)}`)), 3_000).unref(),
  )
  const { runId: _, ...result } = await Promise.race([run, hung])
  // Stacks name the code in between.
  return JSON.parse(JSON.stringify({ result, log }, (key, value) => (key === 'stack' ? undefined : value)))
}

function sorted({ result, log }: { result: { output?: unknown }; log: unknown[] }) {
  // What several nodes write to the context depends on who was first.
  const { output: _, ...rest } = result
  return { rest, log: log.map((entry) => JSON.stringify((entry as unknown[]).slice(0, 2))).sort() }
}

function toFlow({ nodes }: Design, log: unknown[], failed: Set<string>): Flow {
  let flow: Flow = createFlow('random')
  const edges: [string, string][] = []
  nodes.forEach(({ behaviour, predecessors, any, fallback }, index) => {
    const id = `n${index}`
    const before = index === 0 ? [] : [...new Set(predecessors.map((number) => number % index))]
    for (const number of before) edges.push([`n${number}`, id])
    flow = flow.node(
      id,
      (args) => {
        log.push([id, args.attempt, args.input])
        return behave(behaviour, id, args, failed)
      },
      {
        ...(any && before.length > 1 ? { joinStrategy: 'any' as const } : {}),
        ...(behaviour === 'fails once' ? { retry: { attempts: 2, delayMs: 1 } } : {}),
        ...(fallback ? { fallback: `f${index}` } : {}),
      },
    )
    if (fallback)
      flow = flow.node(`f${index}`, async (args) => {
        log.push([`f${index}`, args.failure?.message])
        return { output: 'saved' }
      })
  })
  for (const [source, target] of edges) flow = flow.edge(source, target)
  nodes.forEach(({ again }, index) => {
    const id = `n${index}`
    if (!again) return
    flow = flow.edge(id, id, { condition: () => visitsIn(log, id) < 3, loop: { maxVisits: 3 } })
  })
  return flow
}

function visitsIn(log: readonly unknown[], id: string): number {
  return log.filter((entry) => Array.isArray(entry) && entry[0] === id).length
}

function behave(
  behaviour: Behaviour,
  id: string,
  args: NodeArguments,
  failed: Set<string>,
): { output?: unknown; action?: string } | undefined | Promise<{ output?: unknown; action?: string } | undefined> {
  switch (behaviour) {
    case 'returns at once':
      return { output: id }
    case 'returns nothing':
      return undefined
    case 'returns later':
      return Promise.resolve({ output: [id, args.attempt] })
    case 'returns after a timer':
      return new Promise((resolve) => setTimeout(() => resolve({ output: id }), 1))
    case 'throws at once':
      throw new Error(`${id} threw`)
    case 'throws later':
      return Promise.reject(new Error(`${id} threw`))
    case 'fails once':
      if (failed.has(id)) return { output: 'again' }
      failed.add(id)
      return Promise.reject(new Error(`${id} failed once`))
    case 'is fatal':
      return Promise.reject(new FatalError(`${id} is fatal`))
    case 'writes the context':
      return args.context.increment('count', 1).then(async () => ({ output: await args.context.get('count') }))
    case 'writes the context later':
      return Promise.resolve().then(async () => {
        await args.context.append('list', [id])
        return { output: await args.context.get('list') }
      })
    case 'takes a step':
      return args.step('once', async () => id).then((output) => ({ output }))
    case 'sleeps':
      return args.sleep(1).then(() => ({ output: id }))
    case 'names an action':
      return { output: id, action: 'on' }
    case 'reads its signal':
      return { output: args.signal.aborted }
    case 'returns what cannot be':
      return { output: () => {} }
  }
}
