/** Whom an `any` join calls off once it has succeeded, where it asks for that. */
import type { NodeId } from '../model/ids.ts'
import type { GraphNode } from './graph.ts'
import { entryDepth } from './graph-loops.ts'

type Linked = Pick<GraphNode, 'incoming' | 'outgoing' | 'loops'>

/**
 * Every node all of whose paths lead to the join: walking back, a node is lost when all that follows it is. Only of the
 * visit that the join is in: a loop on the way to it goes on to its end.
 */
export function losersOf(join: NodeId, nodes: ReadonlyMap<NodeId, Linked>): NodeId[] {
  const lost = new Set<NodeId>()
  const depth = entryDepth(join, nodes.get(join)?.loops ?? [])
  const queue = [join]
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const { source, leaves } of nodes.get(id)?.incoming ?? []) {
      if (lost.has(source) || leaves !== undefined || nodes.get(source)?.loops.length !== depth) continue
      const follows = nodes.get(source)?.outgoing ?? []
      if (!follows.every(({ target, loop }) => loop === undefined && (target === join || lost.has(target)))) continue
      lost.add(source)
      queue.push(source)
    }
  }
  return [...lost]
}
