import type { Blueprint } from './blueprint.ts'
import { checkBlueprint } from './check-blueprint.ts'
import type { NodeId } from './ids.ts'

export interface BlueprintAnalysis {
  /** Nodes that start with the run: nothing precedes them. */
  readonly startNodeIds: readonly NodeId[]
  /** Nodes that nothing follows: their outputs are the run's. */
  readonly terminalNodeIds: readonly NodeId[]
  /** Nodes with several predecessors. */
  readonly joinNodeIds: readonly NodeId[]
  /** Nodes that only run in place of one that failed. */
  readonly fallbackNodeIds: readonly NodeId[]
}

/** What a producer needs to know of a graph, e.g. which node a job that starts a run has to name. */
export function analyzeBlueprint(blueprint: Blueprint): BlueprintAnalysis {
  const { nodes, edges } = checkBlueprint(blueprint)
  const incoming = new Map<NodeId, number>()
  const followed = new Set<NodeId>()
  for (const { source, target } of edges) {
    incoming.set(target, (incoming.get(target) ?? 0) + 1)
    followed.add(source)
  }
  const fallbacks = new Set(nodes.flatMap(({ config }) => config?.fallback ?? []))
  const ids = nodes.map(({ id }) => id)
  const own = ids.filter((id) => !fallbacks.has(id))
  return {
    startNodeIds: own.filter((id) => !incoming.has(id)),
    terminalNodeIds: own.filter((id) => !followed.has(id)),
    joinNodeIds: ids.filter((id) => (incoming.get(id) ?? 0) > 1),
    fallbackNodeIds: ids.filter((id) => fallbacks.has(id)),
  }
}
