/**
 * What follows from a fate without running anything: the arrivals on the node's own edges, and the fates of nodes
 * behind it that are decided by that alone, in one commit. Pure.
 *
 * A node with one predecessor shares its skip or is skipped for its failure. A join of several is decided by a failure
 * (an `all` is poisoned, an `any` that has not started is called off), never by a skip: for that the whole set is
 * needed, and whoever claims the join has it.
 *
 * What an edge that leads out of a loop brings may be late: an earlier visit may have taken it. So nothing behind it is
 * settled here; but who takes a failure is looked for there too.
 */
import { codedError, type RecordedError } from '../model/errors.ts'
import { type InstanceId, visitedId, visitsOf } from '../model/ids.ts'
import type { Arrival, Fate } from '../model/run.ts'
import type { FailureTakers, Settlement } from '../ports/transition.ts'
import { type Graph, type GraphNode, nodeOf } from './graph.ts'
import { arrivalOn, isSilent, toTurns } from './turn.ts'

export interface Cascade {
  readonly arrivals: readonly Arrival[]
  readonly settlements: readonly Settlement[]
  /** Who takes the failure of the node itself. */
  readonly takenBy: FailureTakers
}

/** Fates that one commit settles at most; what lies further becomes ready and is settled by whoever claims it. */
const MOST_SETTLEMENTS = 50

interface Takers {
  always: boolean
  readonly ifStarted: InstanceId[]
  /** Of a join: whose failure it was poisoned by. Who takes the join's failure has taken that one too. */
  readonly of: Takers | undefined
}

interface Pending {
  readonly node: GraphNode
  readonly visits: readonly number[]
  readonly fate: 'skipped' | 'failed'
  readonly by: InstanceId
  /** Index of the settlement that this one follows from, if that one might not apply. */
  readonly after: number | undefined
  readonly takers: Takers
  /** Whoever claims it settles it. */
  readonly later: boolean
}

/** @param fates what arrives on each outgoing edge of the node, in its order */
export function cascade(graph: Graph, node: GraphNode, instanceId: InstanceId, fates: readonly Fate[]): Cascade {
  const own: Takers = { always: false, ifStarted: [], of: undefined }
  const pending: Pending[] = []
  const visits = visitsOf(instanceId, node.loops.length)
  const line = { after: undefined, takers: own, later: false, visits }
  const arrivals = arrive(graph, node, instanceId, fates, line, pending)
  const settlements: Settlement[] = []
  const seen = new Set<InstanceId>()
  for (let index = 0; index < pending.length; index++) {
    const next = pending[index] as Pending
    const id = visitedId(next.node.id, next.visits)
    if (seen.has(id)) continue
    seen.add(id)
    if (next.later) settle(graph, next, settlements.length, pending)
    else if (settlements.length < MOST_SETTLEMENTS) settlements.push(settle(graph, next, settlements.length, pending))
    else if (mayFindTaker(next, own)) settle(graph, next, settlements.length, pending)
  }
  return { arrivals, settlements: settlements.map(withoutLinks), takenBy: takersOf(own) }
}

/** Whom a failure was found to be taken by is known only when everything behind it was looked at. */
function withoutLinks(settlement: Settlement): Settlement {
  const { fate } = settlement
  return fate.type === 'failed' ? { ...settlement, fate: { ...fate, takenBy: takersOf(fate.takenBy) } } : settlement
}

function takersOf({ always, ifStarted }: FailureTakers): FailureTakers {
  return { always, ifStarted }
}

/** Who takes a failure must be known now, however far down its line the taker is; only the settling can wait. */
function mayFindTaker({ node, fate, takers }: Pending, own: Takers): boolean {
  return fate === 'failed' && takers === own && !own.always && node.incoming.length === 1
}

function settle(graph: Graph, from: Pending, index: number, pending: Pending[]): Settlement {
  const { node, fate, by, after, takers, visits } = from
  const instanceId = visitedId(node.id, visits)
  const next = after === undefined ? undefined : { after }
  if (node.incoming.length > 1) {
    const own: Takers = { always: false, ifStarted: [], of: takers }
    const line = { ...from, after: index, takers: own }
    const arrivals = arrive(graph, node, instanceId, same(node, 'failed'), line, pending)
    const error = predecessorFailed(by, undefined)
    return { instanceId, ...next, fate: { type: 'failed', error, takenBy: own }, arrivals }
  }
  const arrivals = arrive(graph, node, instanceId, same(node, fate), from, pending)
  const reason = fate === 'failed' ? 'upstream-failed' : 'not-taken'
  return { instanceId, ...next, fate: { type: 'skipped', reason }, arrivals }
}

function same(node: GraphNode, fate: Fate): Fate[] {
  return node.outgoing.map(() => fate)
}

type Line = Pick<Pending, 'after' | 'takers' | 'later' | 'visits'>

/** The arrivals of a node that has settled; what they decide is put on the list of what is pending. */
function arrive(
  graph: Graph,
  node: GraphNode,
  from: InstanceId,
  fates: readonly Fate[],
  { after, takers, later, visits }: Line,
  pending: Pending[],
): Arrival[] {
  const arrivals: Arrival[] = []
  node.outgoing.forEach((edge, index) => {
    const fate = fates[index] ?? 'succeeded'
    if (edge.loop !== undefined || isSilent(edge, fate)) return
    const target = nodeOf(graph, edge.target)
    const arrival = arrivalOn(graph, edge, visits, from, fate)
    arrivals.push(arrival)
    if (fate === 'failed') noteTaker(target, arrival.to, takers)
    if (fate === 'succeeded' || !isDecided(target, fate)) return
    const there = visitsOf(arrival.to, target.loops.length)
    const isLate = later || edge.leaves !== undefined
    pending.push({ node: target, visits: there, fate, by: from, after, takers, later: isLate })
  })
  if (node.loops.length > 0) arrivals.push(...toTurns(graph, node, visits, from, fates))
  return arrivals
}

function noteTaker(target: GraphNode, id: InstanceId, takers: Takers): void {
  if (target.incoming.length < 2) return
  for (let each: Takers | undefined = takers; each !== undefined; each = each.of) {
    if (target.rule === 'any-ignore') each.always = true
    else if (target.rule === 'any') each.ifStarted.push(id)
  }
}

/** Whether this fate alone decides the target's. */
function isDecided(target: GraphNode, fate: 'skipped' | 'failed'): boolean {
  if (target.incoming.length === 1) return true
  return fate === 'failed' && target.rule !== 'any-ignore'
}

export function predecessorFailed(instanceId: InstanceId, message: string | undefined): RecordedError {
  return codedError('PREDECESSOR_FAILED', message === undefined ? instanceId : `${instanceId}: ${message}`)
}
