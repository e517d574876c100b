import { counting, type Workload, type WorkNode } from './workload.ts'

/** Nodes one after the other. */
export function line(name: string, length: number): Workload {
  const nodes = Array.from({ length }, (_, index): WorkNode => ({ id: `n${index}`, fn: counting() }))
  const edges = nodes.slice(1).map(({ id }, index) => [`n${index}`, id] as const)
  return { name, nodes, edges, width: 1, terminals: [`n${length - 1}`], expected: length }
}
