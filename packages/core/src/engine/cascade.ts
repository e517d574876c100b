/**
 * What follows from a fate without running anything: the arrivals on the node's own edges, and the fates of nodes
 * behind it that are decided by that alone, in one commit. Pure.
 *
 * A node with one predecessor shares its skip or is skipped for its failure. A join of several is decided by a failure
 * (an `all` is poisoned, an `any` that has not started is called off), never by a skip: for that the whole set is
 * needed, and whoever claims the join has it.
 */
import { codedError, type RecordedError } from '../model/errors.ts'
import type { InstanceId } from '../model/ids.ts'
import type { Arrival, Fate } from '../model/run.ts'
import type { FailureTakers, Settlement } from '../ports/transition.ts'
import { type Graph, type GraphEdge, type GraphNode, nodeOf } from './graph.ts'

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
  readonly fate: 'skipped' | 'failed'
  readonly by: InstanceId
  /** Index of the settlement that this one follows from, if that one might not apply. */
  readonly after: number | undefined
  readonly takers: Takers
}

/** @param fates what arrives on each outgoing edge of the node, in its order */
export function cascade(graph: Graph, node: GraphNode, instanceId: InstanceId, fates: readonly Fate[]): Cascade {
  const own: Takers = { always: false, ifStarted: [], of: undefined }
  const pending: Pending[] = []
  const arrivals = arrive(graph, node, instanceId, fates, undefined, own, pending)
  const settlements: Settlement[] = []
  const seen = new Set<InstanceId>()
  for (let index = 0; index < pending.length; index++) {
    const next = pending[index] as Pending
    if (seen.has(next.node.id)) continue
    seen.add(next.node.id)
    if (settlements.length < MOST_SETTLEMENTS) settlements.push(settle(graph, next, settlements.length, pending))
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

function settle(
  graph: Graph,
  { node, fate, by, after, takers }: Pending,
  index: number,
  pending: Pending[],
): Settlement {
  const joins = node.incoming.length > 1
  const conditional = joins ? index : after
  const next = after === undefined ? undefined : { after }
  if (joins) {
    const own: Takers = { always: false, ifStarted: [], of: takers }
    const arrivals = arrive(graph, node, node.id, same(node, 'failed'), conditional, own, pending)
    const error = predecessorFailed(by, undefined)
    return { instanceId: node.id, ...next, fate: { type: 'failed', error, takenBy: own }, arrivals }
  }
  const arrivals = arrive(graph, node, node.id, same(node, fate), conditional, takers, pending)
  const reason = fate === 'failed' ? 'upstream-failed' : 'not-taken'
  return { instanceId: node.id, ...next, fate: { type: 'skipped', reason }, arrivals }
}

function same(node: GraphNode, fate: Fate): Fate[] {
  return node.outgoing.map(() => fate)
}

/** The arrivals on a node's edges; what they decide is put on the list of what is pending. */
function arrive(
  graph: Graph,
  node: GraphNode,
  from: InstanceId,
  fates: readonly Fate[],
  after: number | undefined,
  takers: Takers,
  pending: Pending[],
): Arrival[] {
  return node.outgoing.map((edge, index) => {
    const target = nodeOf(graph, edge.target)
    const fate = fates[index] ?? 'succeeded'
    if (fate === 'failed') noteTaker(target, takers)
    if (fate !== 'succeeded' && isDecided(target, fate)) pending.push({ node: target, fate, by: from, after, takers })
    return arrivalOn(edge, from, fate, target)
  })
}

function noteTaker(target: GraphNode, takers: Takers): void {
  if (target.incoming.length < 2) return
  for (let each: Takers | undefined = takers; each !== undefined; each = each.of) {
    if (target.rule === 'any-ignore') each.always = true
    else if (target.rule === 'any') each.ifStarted.push(target.id)
  }
}

/** Whether this fate alone decides the target's. */
function isDecided(target: GraphNode, fate: 'skipped' | 'failed'): boolean {
  if (target.incoming.length === 1) return true
  return fate === 'failed' && target.rule !== 'any-ignore'
}

function arrivalOn(edge: GraphEdge, from: InstanceId, fate: Fate, target: GraphNode): Arrival {
  return { to: edge.target, edge: edge.id, from, fate, rule: target.rule, of: target.incoming.length }
}

export function predecessorFailed(instanceId: InstanceId, message: string | undefined): RecordedError {
  return codedError('PREDECESSOR_FAILED', message === undefined ? instanceId : `${instanceId}: ${message}`)
}
