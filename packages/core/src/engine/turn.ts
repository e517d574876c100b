/**
 * How a loop goes round: what a node inside of it sends to the loop when it has settled, and what the loop does when a
 * visit is over. Pure.
 *
 *   visit n settled ─┬─ a back edge was taken ──► header, visit n + 1
 *                    └─ none ──► the loop has ended: the edges that lead out and were never taken arrive as skipped
 *
 * An edge that leads out is silent as long as it may be taken in a later visit. That it may have arrived already does
 * no harm: arrivals are a set of edges.
 */
import { type EdgeId, type InstanceId, type NodeId, turnId, visitedId, visitsOf } from '../model/ids.ts'
import type { Arrival, Fate } from '../model/run.ts'
import type { Claim } from '../ports/claim.ts'
import type { Outcome } from '../ports/transition.ts'
import { type Graph, type GraphEdge, type GraphNode, nodeOf } from './graph.ts'
import { entryDepth, type GraphLoop } from './graph-loops.ts'

type Visits = readonly number[]

/** An edge's arrival at its target, or at the turn of the loop that it leads back in. */
export function arrivalOn(graph: Graph, edge: GraphEdge, visits: Visits, from: InstanceId, fate: Fate): Arrival {
  const { loop, id, target, shared } = edge
  if (loop !== undefined) return atTurn(loop, visits, id, from, fate)
  const { rule, incoming } = nodeOf(graph, target)
  return { to: visitedId(target, visits.slice(0, shared)), edge: id, from, fate, rule, of: incoming.length }
}

/** Whether nobody hears of this fate now: what leads out of a loop may still be taken. */
export function isSilent({ leaves }: GraphEdge, fate: Fate): boolean {
  return leaves !== undefined && fate === 'skipped'
}

/**
 * What a node in a loop sends when it has settled, beside the arrivals on the edges that lead on.
 *
 * @param fates of its outgoing edges, in its order. A node that failed takes no way back
 */
export function toTurns(
  graph: Graph,
  node: GraphNode,
  visits: Visits,
  from: InstanceId,
  fates: readonly Fate[],
): Arrival[] {
  const loop = node.loops.at(-1)
  if (loop === undefined) return []
  const arrivals: Arrival[] = []
  const said = new Set<GraphEdge>()
  let back: GraphEdge | undefined
  node.outgoing.forEach((edge, index) => {
    const fate = edge.loop === undefined || fates[index] === 'succeeded' ? fates[index] : 'skipped'
    if (fate === undefined) return
    if (fate !== 'skipped') said.add(edge)
    if (edge.loop === undefined) return
    if (edge.loop.last === undefined) {
      if (!isSilent(edge, fate)) arrivals.push(arrivalOn(graph, edge, visits, from, fate))
    } else if (fate === 'succeeded') back ??= edge
  })
  if (loop.last === undefined) arrivals.push(settledAtTurn(loop, visits, node.place, from))
  else if (back !== undefined) arrivals.push(revisit(loop, visits, back, from))
  else if (loop.last === node.place) arrivals.push(...endOfLoop(graph, loop, visits, from, said))
  return arrivals
}

/** Losers that an `any` join has called off will not report to the turn that waits for them: the join does. */
export function losersAtTurn(node: GraphNode, visits: Visits, from: InstanceId): Arrival[] {
  const loop = node.loops[entryDepth(node.place, node.loops) - 1]
  if (loop === undefined || loop.last !== undefined) return []
  return node.losers.map((id) => settledAtTurn(loop, visits, id, from))
}

/** What the turn of a loop does: the next visit, or the end of the loop. */
export function afterVisit(graph: Graph, header: GraphNode, claim: Claim): Outcome {
  const { instanceId } = claim
  const loop = header.heads
  if (loop === undefined) throw new Error(`${instanceId} turns no loop`)
  const visits = visitsOf(instanceId, loop.depth)
  const taken = new Map(claim.arrivals.flatMap(({ edge, fate, from }) => (fate === 'succeeded' ? [[edge, from]] : [])))
  for (const back of loop.backEdges) {
    const from = taken.get(back.id)
    if (from !== undefined) return { type: 'succeeded', arrivals: [revisit(loop, visits, back, from)] }
  }
  return { type: 'skipped', reason: 'not-taken', arrivals: endOfLoop(graph, loop, visits, instanceId, NOTHING_SAID) }
}

/** The edge by which a visit that is not the first has begun; also of a fallback that stands in for the header. */
export function backEdgeOf({ heads }: GraphNode, { arrivals }: Claim): GraphEdge | undefined {
  return heads?.backEdges.find(({ id }) => arrivals.some(({ edge }) => edge === id))
}

const NOTHING_SAID: ReadonlySet<GraphEdge> = new Set()

/** One edge begins a visit, however many were taken: the first in the blueprint. */
function revisit(loop: GraphLoop, visits: Visits, { id }: GraphEdge, from: InstanceId): Arrival {
  const next = [...visits.slice(0, loop.depth - 1), (visits[loop.depth - 1] ?? 1) + 1]
  return { to: visitedId(loop.header, next), edge: id, from, fate: 'succeeded', rule: 'all', of: 1 }
}

/** What leads out and was never taken arrives as skipped; the loop around this one hears that it has ended. */
function endOfLoop(
  graph: Graph,
  loop: GraphLoop,
  visits: Visits,
  from: InstanceId,
  said: ReadonlySet<GraphEdge>,
): Arrival[] {
  const arrivals = loop.exits
    .filter((edge) => !said.has(edge))
    .map((edge) => arrivalOn(graph, edge, visits, from, 'skipped'))
  if (loop.parent !== undefined) arrivals.push(settledAtTurn(loop.parent, visits, loop.header, from))
  return arrivals
}

/** No edge of a blueprint is called like that: check-graph.ts keeps `!` at the end from there. */
function settledAtTurn(loop: GraphLoop, visits: Visits, place: NodeId, from: InstanceId): Arrival {
  return atTurn(loop, visits, `${place}!`, from, 'skipped')
}

function atTurn(loop: GraphLoop, visits: Visits, edge: EdgeId, from: InstanceId, fate: Fate): Arrival {
  const to = turnId(loop.header, visits.slice(0, loop.depth))
  return { to, edge, from, fate, rule: 'all', of: loop.awaited }
}
