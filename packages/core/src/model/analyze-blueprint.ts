import type { Blueprint } from './blueprint.ts'
import { checkBlueprint } from './check-blueprint.ts'
import type { NodeId } from './ids.ts'

export interface BlueprintAnalysis {
  /** Nodes that start with the run: nothing precedes them, but for edges that lead back. */
  readonly startNodeIds: readonly NodeId[]
  /** Nodes that nothing follows, but by leading back: their outputs are the run's. */
  readonly terminalNodeIds: readonly NodeId[]
  /** Nodes with several predecessors, edges that lead back left out. */
  readonly joinNodeIds: readonly NodeId[]
  /** Nodes that loops begin with. */
  readonly loopNodeIds: readonly NodeId[]
  /** Nodes that only run in place of one that failed. */
  readonly fallbackNodeIds: readonly NodeId[]
}

/** What a producer needs to know of a graph, e.g. which node a job that starts a run has to name. */
export function analyzeBlueprint(blueprint: Blueprint): BlueprintAnalysis {
  const { nodes, edges } = checkBlueprint(blueprint)
  const incoming = new Map<NodeId, number>()
  const followed = new Set<NodeId>()
  const headers = new Set(edges.flatMap(({ target, loop }) => (loop === undefined ? [] : [target])))
  for (const { source, target, loop } of edges) {
    if (loop !== undefined) continue
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
    loopNodeIds: ids.filter((id) => headers.has(id)),
    fallbackNodeIds: ids.filter((id) => fallbacks.has(id)),
  }
}
