import { constant, counting, type Workload, type WorkNode } from './workload.ts'

/** One node, many after it, and one that joins them all. */
export function fanOut(name: string, width: number): Workload {
  const branches = Array.from({ length: width }, (_, index): WorkNode => ({ id: `b${index}`, fn: counting() }))
  return {
    name,
    nodes: [{ id: 'source', fn: counting() }, ...branches, { id: 'join', fn: constant() }],
    edges: branches.flatMap(({ id }) => [['source', id] as const, [id, 'join'] as const]),
    width,
    terminals: ['join'],
    expected: 1,
  }
}
