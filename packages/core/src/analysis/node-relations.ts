import type { Blueprint } from '../model/blueprint.ts'
import { BatonError } from '../model/errors.ts'
import type { NodeId } from '../model/ids.ts'
import { nearestName } from '../model/nearest.ts'
import { type ViewedNode, viewGraph } from './graph-view.ts'

export interface NodeRelations {
  /** Its direct predecessors; of a fallback, the node that it stands in for. */
  readonly waitsFor: readonly NodeId[]
  /** All that comes before it on some way. */
  readonly before: readonly NodeId[]
  /** All that comes behind it on some way, whoever stands in for it included. */
  readonly after: readonly NodeId[]
  /** All others: as far as the graph says, they may run at the same time. */
  readonly beside: readonly NodeId[]
}

/** What a node waits for, what waits for it, and what may run at the same time. */
export function relationsOf(blueprint: Blueprint, nodeId: NodeId): NodeRelations {
  const { nodes } = viewGraph(blueprint)
  const node = nodes.find(({ id }) => id === nodeId)
  if (node === undefined) {
    const ids = nodes.map(({ id }) => id)
    const nearest = nearestName(String(nodeId), ids)
    const hint = nearest === undefined ? `Known: ${ids.slice(0, 10).join(', ')}.` : `Did you mean \`${nearest}\`?`
    throw new BatonError('INVALID_OPTION', { field: 'nodeId', message: `no node ${JSON.stringify(nodeId)}`, hint })
  }
  const before = spread(predecessors(node), predecessors)
  const after = spread(successors(node), successors)
  const idsOf = (isMeant: (other: ViewedNode) => boolean) => nodes.filter(isMeant).map(({ id }) => id)
  return {
    waitsFor: [...new Set(predecessors(node).map(({ id }) => id))],
    before: idsOf((other) => before.has(other)),
    after: idsOf((other) => after.has(other)),
    beside: idsOf((other) => other !== node && !before.has(other) && !after.has(other)),
  }
}

/** Those that it gets something from; a fallback gets what the node that it stands in for got, and follows its failure. */
function predecessors(node: ViewedNode): ViewedNode[] {
  if (node.standsInFor !== undefined) return [node.standsInFor]
  return node.incoming.flatMap(({ source }) => (source.fallback === undefined ? [source] : [source, source.fallback]))
}

function successors({ fallback, standsInFor, outgoing }: ViewedNode): ViewedNode[] {
  const edges = standsInFor === undefined ? outgoing : standsInFor.outgoing
  return [...edges.map(({ target }) => target), ...(fallback === undefined ? [] : [fallback])]
}

/** These, and all that can be got to from them. */
function spread(
  from: readonly ViewedNode[],
  next: (node: ViewedNode) => readonly ViewedNode[],
): ReadonlySet<ViewedNode> {
  const found = new Set(from)
  // A set is walked in the order in which it grows.
  for (const node of found) for (const other of next(node)) found.add(other)
  return found
}
