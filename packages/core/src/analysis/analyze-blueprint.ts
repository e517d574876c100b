import type { Blueprint } from '../model/blueprint.ts'
import type { NodeId } from '../model/ids.ts'
import { cyclesOf } from './cycles.ts'
import { type GraphView, type ViewedEdge, type ViewedNode, viewGraph } from './graph-view.ts'

export interface BlueprintAnalysis {
  /** Nodes that start with the run: nothing precedes them, but for edges that lead back. */
  readonly startNodeIds: readonly NodeId[]
  /** Nodes that nothing follows, but by a loop: their outputs are the run's. */
  readonly terminalNodeIds: readonly NodeId[]
  /** Nodes with several predecessors; edges that lead back do not count. */
  readonly joinNodeIds: readonly NodeId[]
  /** Nodes that declared loops begin with. */
  readonly loopNodeIds: readonly NodeId[]
  /** Nodes with an edge that is taken only sometimes. */
  readonly branchNodeIds: readonly NodeId[]
  /** Nodes that only run in place of one that failed. */
  readonly fallbackNodeIds: readonly NodeId[]
  /** Nodes that no way leads to from a start. */
  readonly unreachableNodeIds: readonly NodeId[]
  /** Groups of nodes that all lead to each other, by declared loops or against the rules. */
  readonly cycles: readonly (readonly NodeId[])[]
  /**
   * Nodes by the longest way to them from a start, fallbacks left out. Those of one layer wait for none of each other,
   * so they can run at the same time; each waits for one of the layer before at least.
   */
  readonly layers: readonly (readonly NodeId[])[]
  /** How many layers there are: no run takes more turns one after the other, loops apart. */
  readonly depth: number
  /** How many nodes the largest layer has. */
  readonly width: number
  /** A way through the graph than which none is longer. */
  readonly longestPath: readonly NodeId[]
}

/**
 * What a graph looks like: where it starts, branches, joins and ends, what can run at the same time. Looks and does not
 * check: it tells the same of a graph that `checkBlueprint` refuses. Only what is no blueprint at all is
 * `INVALID_BLUEPRINT`.
 */
export function analyzeBlueprint(blueprint: Blueprint): BlueprintAnalysis {
  const view = viewGraph(blueprint)
  const { nodes, layers } = view
  const reached = reachedFrom(nodes.filter(({ isStart }) => isStart))
  const idsOf = (isMeant: (node: ViewedNode) => boolean) => nodes.filter(isMeant).map(({ id }) => id)
  return {
    startNodeIds: idsOf(({ isStart }) => isStart),
    terminalNodeIds: idsOf(({ outgoing, standsInFor }) => standsInFor === undefined && outgoing.every(isLoop)),
    joinNodeIds: idsOf(({ isJoin }) => isJoin),
    loopNodeIds: idsOf(({ incoming }) => incoming.some(isLoop)),
    branchNodeIds: idsOf(({ outgoing }) =>
      outgoing.some(({ edge }) => edge.action !== undefined || edge.condition !== undefined),
    ),
    fallbackNodeIds: idsOf(({ standsInFor }) => standsInFor !== undefined),
    unreachableNodeIds: idsOf((node) => !reached.has(node)),
    cycles: cyclesOf(view),
    layers: layers.map((layer) => layer.map(({ id }) => id)),
    depth: layers.length,
    width: layers.reduce((width, layer) => Math.max(width, layer.length), 0),
    longestPath: longestPath(view),
  }
}

function isLoop({ edge }: ViewedEdge): boolean {
  return edge.loop !== undefined
}

/** The nodes themselves, what follows them, and who stands in for any of those. */
function reachedFrom(starts: readonly ViewedNode[]): ReadonlySet<ViewedNode> {
  const reached = new Set(starts)
  // A set is walked in the order in which it grows.
  for (const { outgoing, fallback } of reached) {
    for (const { target } of outgoing) reached.add(target)
    if (fallback !== undefined) reached.add(fallback)
  }
  return reached
}

/** From the last layer back: whoever is in a layer has a predecessor in the one before. */
function longestPath({ layers }: GraphView): NodeId[] {
  const path: NodeId[] = []
  for (let at = layers.at(-1)?.[0]; at !== undefined; ) {
    path.push(at.id)
    const { layer, incoming }: ViewedNode = at
    at = incoming.find(({ source, leadsBack }) => !leadsBack && source.layer === layer - 1)?.source
  }
  return path.reverse()
}
