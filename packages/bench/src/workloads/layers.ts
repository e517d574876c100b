import { constant, type Workload, type WorkNode } from './workload.ts'

/** Layers of nodes, each with two predecessors in the layer before: its own column and the next one. */
export function layers(name: string, depth: number, width: number): Workload {
  const nodes: WorkNode[] = []
  const edges: [string, string][] = []
  for (let layer = 0; layer < depth; layer++) {
    for (let column = 0; column < width; column++) {
      const id = idOf(layer, column)
      nodes.push({ id, fn: constant() })
      if (layer > 0) edges.push([idOf(layer - 1, column), id], [idOf(layer - 1, (column + 1) % width), id])
    }
  }
  const terminals = Array.from({ length: width }, (_, column) => idOf(depth - 1, column))
  return { name, nodes, edges, width, terminals, expected: width }
}

function idOf(layer: number, column: number): string {
  return `n${layer}x${column}`
}
