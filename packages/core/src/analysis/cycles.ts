import type { NodeId } from '../model/ids.ts'
import type { GraphView, ViewedNode } from './graph-view.ts'

interface Visit {
  readonly at: ViewedNode
  readonly place: number
  /** The earliest place that can be got back to from here. */
  lowest: number
  next: number
}

/**
 * Groups of nodes that all lead to each other, in the blueprint's order (Tarjan). A node alone is a group if it leads to
 * itself. Whether a cycle may be there is not asked: `checkBlueprint` says that.
 */
export function cyclesOf({ nodes }: GraphView): NodeId[][] {
  const order = new Map(nodes.map((node, index) => [node, index]))
  const placeOf = (node: ViewedNode) => order.get(node) ?? 0
  const visits = new Map<ViewedNode, Visit>()
  const open: ViewedNode[] = []
  const isOpen = new Set<ViewedNode>()
  const cycles: ViewedNode[][] = []

  const enter = (at: ViewedNode): Visit => {
    const visit = { at, place: visits.size, lowest: visits.size, next: 0 }
    visits.set(at, visit)
    open.push(at)
    isOpen.add(at)
    return visit
  }
  const leave = ({ at, place, lowest }: Visit): void => {
    if (lowest !== place) return
    const group: ViewedNode[] = []
    for (let member = open.pop(); member !== undefined; member = member === at ? undefined : open.pop()) {
      isOpen.delete(member)
      group.push(member)
    }
    if (group.length > 1 || at.outgoing.some(({ target }) => target === at)) cycles.push(group)
  }

  for (const root of nodes) {
    if (visits.has(root)) continue
    const way = [enter(root)]
    for (let visit = way.at(-1); visit !== undefined; visit = way.at(-1)) {
      const target = visit.at.outgoing[visit.next++]?.target
      if (target === undefined) {
        way.pop()
        leave(visit)
        const before = way.at(-1)
        if (before !== undefined) before.lowest = Math.min(before.lowest, visit.lowest)
      } else if (!visits.has(target)) way.push(enter(target))
      else if (isOpen.has(target)) visit.lowest = Math.min(visit.lowest, visits.get(target)?.place ?? 0)
    }
  }
  const sorted = cycles.map((group) => group.sort((left, right) => placeOf(left) - placeOf(right)))
  sorted.sort(([left], [right]) => placeOf(left as ViewedNode) - placeOf(right as ViewedNode))
  return sorted.map((group) => group.map(({ id }) => id))
}
