/** The shapes of `performance.md`, by name. */
import { fanOut } from './fan-out.ts'
import { layers } from './layers.ts'
import { line } from './line.ts'
import type { Workload } from './workload.ts'

const builders = {
  'w1-line-10': () => line('w1-line-10', 10),
  'w2-layers-10000': () => layers('w2-layers-10000', 100, 100),
  'w3-fan-out-100': () => fanOut('w3-fan-out-100', 100),
  'line-1000': () => line('line-1000', 1_000),
  'line-10000': () => line('line-10000', 10_000),
  'layers-1000': () => layers('layers-1000', 10, 100),
} satisfies Record<string, () => Workload>

export type WorkloadName = keyof typeof builders

export function buildWorkload(name: string): Workload {
  if (!Object.hasOwn(builders, name)) throw new Error(`no workload ${name}; known: ${Object.keys(builders).join(', ')}`)
  return builders[name as WorkloadName]()
}
