/** A loop costs the same in its last visits as in its first, and in this process it leaves nothing behind. */
import { describe, expect, it } from 'vitest'
import { Deadlines } from '../engine/deadlines.ts'
import { Registry } from '../engine/registry.ts'
import { newRunOf } from '../engine/start-run.ts'
import { createFlow, type Flow } from '../flow/create-flow.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import type { RunEvent } from '../model/event.ts'
import { parseRunId } from '../model/ids.ts'
import { byteLength, type JsonValue } from '../model/json.ts'
import { randomId, systemClock } from '../ports/clock.ts'
import { silentLogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { FlowRuntime } from './flow-runtime.ts'
import { LocalLimiters } from './local-limiters.ts'
import { LocalRun } from './local-run.ts'
import { passThroughSerializer } from './pass-through-serializer.ts'

const add = ({ input }: { readonly input: unknown }) => ({ output: Number(input) + 1 })
const pass = ({ input }: { readonly input: unknown }) => ({ output: input })

/** One node that leads back to itself. */
function line(visits: number): Flow {
  return createFlow('line')
    .node('a', add)
    .edge('a', 'a', { condition: ({ output }) => Number(output) < visits, loop: { maxVisits: visits } })
}

/** Two branches, and a turn that waits for both. */
function branches(visits: number): Flow {
  const back = { condition: ({ output }: { readonly output: unknown }) => Number(output) < visits }
  return createFlow('branches')
    .node('a', add)
    .node('b', pass)
    .node('c', pass)
    .edge('a', 'b')
    .edge('a', 'c')
    .edge('b', 'a', { ...back, loop: { maxVisits: visits } })
    .edge('c', 'a', { ...back, loop: { maxVisits: visits } })
}

async function runAlone(flow: Flow, onEvent?: (event: RunEvent) => void) {
  const registry = new Registry({ flows: [flow] })
  const graph = registry.toStart(flow, undefined)
  const run = newRunOf(graph, parseRunId('run'), 0)
  const env = {
    serializer: passThroughSerializer,
    clock: systemClock,
    random: () => 0,
    newId: randomId,
    logger: silentLogger,
    deadlines: new Deadlines(systemClock),
    limiters: new LocalLimiters(systemClock),
    middleware: undefined,
    toStart: registry.toStart.bind(registry),
  }
  return new LocalRun({ graph, run, env, concurrency: 4, ...(onEvent && { onEvent }) }).finish()
}

describe('a long loop without a store', () => {
  it('completes after 100,000 visits and remembers none of them', { timeout: 60_000 }, async () => {
    const { status, instances, results } = await runAlone(line(100_000))

    expect([status, instances.size, results.size]).toEqual(['completed', 0, 1])
    expect(results.get('a')?.output).toBe(100_000)
  })

  it('remembers none either where each visit turns by a join', async () => {
    const { status, instances } = await runAlone(branches(2_000))

    expect([status, instances.size]).toEqual(['completed', 0])
  })

  it('is decided once per visit: a claim and a fate', async () => {
    const counts = new Map<string, number>()
    await runAlone(line(1_000), ({ type }) => counts.set(type, (counts.get(type) ?? 0) + 1))

    expect(Object.fromEntries(counts)).toEqual({
      'run-started': 1,
      'node-claimed': 1_000,
      'node-succeeded': 1_000,
      'run-completed': 1,
    })
  })
})

describe('a long loop with a store', () => {
  const STEPS = 10_000

  it('asks the store once per visit, with as many bytes in the last as in the first', { timeout: 60_000 }, async () => {
    const calls: { readonly method: string; readonly bytes: number }[] = []
    const store = new InMemoryRunStore()
    const seen = new Proxy(store, {
      get(target, method: keyof IRunStore) {
        const member: unknown = Reflect.get(target, method)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          if (WORK.has(method)) calls.push({ method, bytes: byteLength(args[0] as JsonValue) })
          return Reflect.apply(member, target, args)
        }
      },
    })
    const worker = { leaseMs: HOURS_MS, sweepMs: HOURS_MS }
    await using runtime = new FlowRuntime({ store: seen, worker })

    expect(await runtime.run(line(STEPS), 0)).toMatchObject({ status: 'completed', output: STEPS })

    const commits = calls.filter(({ method }) => method === 'commit')
    expect(commits).toHaveLength(STEPS)
    // A claim for the first visit, perhaps one in vain beside it, and no reading at all.
    expect(calls.length - STEPS).toBeLessThan(4)
    const bytesOf = (from: number, to: number) => commits.slice(from, to).reduce((sum, { bytes }) => sum + bytes, 0)
    expect(bytesOf(9_900, STEPS)).toBeLessThan(bytesOf(200, 300) * 1.1)
  })
})

const HOURS_MS = 36_000_000
const WORK: ReadonlySet<string> = new Set(['claim', 'commit', 'load', 'journal', 'context', 'summary'])
