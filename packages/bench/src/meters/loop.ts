import { performance } from 'node:perf_hooks'
import { createFlow, FlowRuntime } from '@baton/core'
import { FileRunStore } from '@baton/store-file'
import { spreadOf } from '../statistics.ts'
import type { Meter } from './meter.ts'
import { onCalmDisk } from './scratch.ts'

const STEPS = 10_000
/** Which steps are held against each other. */
const EARLY = { from: 200, to: 300 }
const LATE = { from: 9_900, to: 10_000 }

/** One node that leads back to itself, and when each of its visits began. */
class Laps {
  readonly #begunAtMs: number[] = []
  readonly flow = createFlow<number>('loop')
    .node('step', async ({ input }: { readonly input: number }) => {
      this.#begunAtMs.push(performance.now())
      return { output: input + 1 }
    })
    .edge('step', 'step', { condition: ({ output }) => Number(output) < STEPS, loop: { maxVisits: STEPS } })

  /** @returns what each step took, in nanoseconds */
  async run(runtime: FlowRuntime): Promise<readonly number[]> {
    this.#begunAtMs.length = 0
    const result = await runtime.run(this.flow, 0)
    if (result.status !== 'completed' || result.output !== STEPS) throw new Error(JSON.stringify(result))
    return this.#begunAtMs.slice(1).map((atMs, index) => (atMs - (this.#begunAtMs[index] as number)) * 1_000_000)
  }
}

/** A loop of 10,000 steps in one process: what an early step costs, and a late one. */
export const loopInProcess: Meter = async () => {
  const laps = new Laps()
  const runtime = new FlowRuntime({ flows: [laps.flow] })
  return measure(laps, runtime, { warmUp: 10, runs: 10 })
}

/** The same on files that survive power loss. */
export const loopOnFiles: Meter = () =>
  onCalmDisk(async (directory) => {
    const laps = new Laps()
    const store = new FileRunStore({ directory, durability: 'power' })
    const runtime = new FlowRuntime({ flows: [laps.flow], store })
    const result = await measure(laps, runtime, { warmUp: 1, runs: 2 })
    await runtime.stop()
    await store.close()
    return { result, places: [directory] }
  })

async function measure(laps: Laps, runtime: FlowRuntime, { warmUp, runs }: Record<'warmUp' | 'runs', number>) {
  for (let run = 0; run < warmUp; run++) await laps.run(runtime)
  const early: number[] = []
  const late: number[] = []
  const fromMs = performance.now()
  for (let run = 0; run < runs; run++) {
    const steps = await laps.run(runtime)
    early.push(...steps.slice(EARLY.from, EARLY.to))
    late.push(...steps.slice(LATE.from, LATE.to))
  }
  const perSecond = (runs * STEPS * 1_000) / (performance.now() - fromMs)
  return [
    { unit: unitOf(EARLY), value: spreadOf(early).median },
    { unit: unitOf(LATE), value: spreadOf(late).median },
    { unit: 'steps/s', value: perSecond },
  ]
}

function unitOf({ from, to }: typeof EARLY): string {
  return `ns/step, ${from} to ${to}`
}
