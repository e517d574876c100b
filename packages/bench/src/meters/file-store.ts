import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createFlow, type Flow, FlowRuntime } from '@baton/core'
import { rateOf } from '../rate.ts'
import { line } from '../workloads/line.ts'
import { countCalls } from './counted-calls.ts'
import type { Meter } from './meter.ts'
import { onCalmDisk } from './scratch.ts'

const NODES = 10
/** A worker is up for days: at this rate V8 has compiled what matters after about two seconds. */
const WARM_UP_MS = 3_000
/** For counting calls, at least: not timed. */
const COUNTED_RUNS = 20

/** Lines of ten nodes on files that survive power loss, so many runs at the same time. */
export function runsAtOnce(atOnce: number): Meter {
  return async () => {
    const calls = countCalls()
    return onCalmDisk(async (directory) => {
      const { FileRunStore } = await import('@baton/store-file')
      await using store = disposable(new FileRunStore({ directory, durability: 'power' }))
      const flow = flowOf(NODES)
      await using runtime = new FlowRuntime({ flows: [flow], store: store.it, concurrency: 64 })
      const once = async () => {
        const result = await runtime.run(flow)
        if (result.status !== 'completed' || result.output !== NODES) throw new Error(JSON.stringify(result))
      }
      const rate = await rateOf(async () => {
        await Promise.all(Array.from({ length: atOnce }, once))
      }, WARM_UP_MS)
      calls.reset()
      const rounds = Math.ceil(COUNTED_RUNS / atOnce)
      for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: atOnce }, once))
      const perNode = [...calls.of].map(([name, count]) => ({
        unit: `${name}/node`,
        value: count / (rounds * atOnce * NODES),
      }))
      const result = [{ unit: 'nodes/s', value: rate * atOnce * NODES }, ...perNode]
      return { result, places: shardsOf(directory) }
    })
  }
}

/** Where the store has made a file for each run. */
function shardsOf(directory: string): string[] {
  const runs = join(directory, 'runs')
  return readdirSync(runs).map((name) => join(runs, name))
}

function flowOf(nodes: number): Flow {
  const workload = line('w4-line-10', nodes)
  let flow: Flow = createFlow(workload.name)
  for (const { id, fn } of workload.nodes) flow = flow.node(id, fn)
  for (const [source, target] of workload.edges) flow = flow.edge(source, target)
  return flow
}

function disposable<Store extends { close(): unknown }>(store: Store) {
  return { it: store, [Symbol.asyncDispose]: async () => void (await store.close()) }
}
