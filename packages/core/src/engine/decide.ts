/**
 * decide: what a run does next. Looks only at its arguments (the graph, the settled instance, the claim's arrivals), so
 * every worker that asks gets the same answer, one that died after asking has cost us nothing, and the cost does not
 * grow with the run.
 *
 * `judge` answers at the claim: run it, skip it, fail it. `afterSuccess`, `afterFailure` and `afterSkip` answer when
 * the fate is known: which edges arrive where, and which fates behind it are decided by that alone.
 */
import { defaults } from '../model/blueprint.ts'
import { codedError, type RecordedError } from '../model/errors.ts'
import { isTurn, itemEdge, parentOfItem, visitedId, visitsOf } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { Arrival, Fate } from '../model/run.ts'
import type { Claim } from '../ports/claim.ts'
import type { Outcome } from '../ports/transition.ts'
import { type Cascade, cascade, predecessorFailed } from './cascade.ts'
import { type Graph, type GraphNode, nodeOf } from './graph.ts'
import { joinVerdict } from './joins.ts'
import { backEdgeOf, losersAtTurn } from './turn.ts'

export type Verdict =
  | { readonly type: 'run' }
  /** A map whose items have settled. */
  | { readonly type: 'gather' }
  /** A loop whose visit has settled. */
  | { readonly type: 'turn' }
  | { readonly type: 'skip' }
  | { readonly type: 'fail'; readonly error: RecordedError }

const RUN: Verdict = { type: 'run' }
const TURN: Verdict = { type: 'turn' }

/** What to do with an instance that was just claimed, from what reached it. */
export function judge(node: GraphNode, claim: Claim): Verdict {
  // Nothing of a turn runs, so that workers lost with it say nothing about it.
  if (node.heads !== undefined && isTurn(claim.instanceId)) return TURN
  if (claim.lostLeases > (node.config.maxLostLeases ?? defaults.maxLostLeases)) {
    return { type: 'fail', error: codedError('LEASES_LOST', `${claim.lostLeases} workers were lost while they ran it`) }
  }
  if (claim.map !== undefined) return { type: 'gather' }
  // What a fallback gets are the arrivals of the node that it stands in for, and that node's failure.
  if (claim.item !== undefined || claim.arrivals.length === 0 || node.isFallback) return RUN
  const back = backEdgeOf(node, claim)
  if (back !== undefined) return judgeRevisit(node, claim, back.maxVisits)
  switch (joinVerdict(node.rule, claim.arrivals)) {
    case 'run':
      return RUN
    case 'skip':
      return { type: 'skip' }
    case 'fail': {
      // A single predecessor's failure is no failure of the node: it only has nothing to do any more.
      if (node.incoming.length === 1) return { type: 'skip' }
      const failed = claim.arrivals.find(({ fate }) => fate === 'failed')
      return { type: 'fail', error: predecessorFailed(failed?.from ?? '', failed?.error?.message) }
    }
  }
}

/** What begins another visit has succeeded, so that only its number is to be looked at. */
function judgeRevisit({ id, loops }: GraphNode, claim: Claim, maxVisits: number): Verdict {
  const visit = visitsOf(claim.instanceId, loops.length).at(-1) ?? 1
  if (visit <= maxVisits) return RUN
  return { type: 'fail', error: codedError('MAX_VISITS', `the loop of ${id} was visited ${maxVisits} times`) }
}

export interface Success {
  readonly output?: JsonValue
  readonly action?: string
  /** Fate of each outgoing edge, in the node's order; absent when all are taken. */
  readonly taken?: readonly boolean[]
}

export function afterSuccess(graph: Graph, node: GraphNode, claim: Claim, success: Success): Outcome {
  const { output, action, taken } = success
  const item = claim.item === undefined ? undefined : itemArrival(claim, 'succeeded')
  // Built member by member: this is made for every node that runs.
  const outcome: { -readonly [Member in keyof Succeeded]: Succeeded[Member] } = {
    type: 'succeeded',
    arrivals: item === undefined ? (node.plainArrivals ?? NONE) : [item],
  }
  if (output !== undefined) outcome.output = output
  if (action !== undefined) outcome.action = action
  if (item !== undefined) return outcome
  const visits = visitsOf(claim.instanceId, node.loops.length)
  let leadsBack = false
  if (node.plainArrivals === undefined) {
    const fates = node.outgoing.map((_, index): Fate => (taken?.[index] === false ? 'skipped' : 'succeeded'))
    const { arrivals, settlements } = cascade(graph, node, claim.instanceId, fates)
    outcome.arrivals = arrivals
    if (settlements.length > 0) outcome.settlements = settlements
    leadsBack = node.outgoing.some(({ loop }, index) => loop !== undefined && fates[index] === 'succeeded')
  }
  // What a loop gives is what its last visit gave.
  if (node.resultOf !== undefined && !leadsBack) outcome.resultOf = node.resultOf
  if (node.losers.length > 0 && backEdgeOf(node, claim) === undefined) {
    outcome.cancels = node.losers.map((id) => visitedId(id, visits))
    outcome.arrivals = [...outcome.arrivals, ...losersAtTurn(node, visits, claim.instanceId)]
  }
  return outcome
}

/**
 * A node that has ended its run with `continueAsNew`: nothing follows it. What is behind it is skipped, which counts where the run
 * has failed before and its other branches may finish.
 */
export function afterLast(graph: Graph, node: GraphNode, claim: Claim, outcome: Succeeded): Outcome {
  const item = itemArrival(claim, 'succeeded')
  if (item !== undefined) return { ...outcome, arrivals: [item] }
  const fates = node.outgoing.map((): Fate => 'skipped')
  const { arrivals, settlements } = cascade(graph, node, claim.instanceId, fates)
  return { ...outcome, arrivals, ...someOf(settlements) }
}

export type Succeeded = Extract<Outcome, { type: 'succeeded' }>

const NONE: readonly Arrival[] = []

export interface Failure {
  readonly error: RecordedError
  /** False for errors that trying again cannot help. */
  readonly mayRetry: boolean
  readonly retryAfterMs?: number
  /** Delay before the next attempt by the node's policy. */
  readonly delayMs: number
}

export function afterFailure(graph: Graph, node: GraphNode, claim: Claim, failure: Failure): Outcome {
  const { error } = failure
  const { retry } = node.config
  const listed =
    retry?.errors === undefined ||
    retry.errors.includes(error.name) ||
    (error.code !== undefined && retry.errors.includes(error.code))
  if (failure.mayRetry && listed && claim.attempt < (retry?.attempts ?? defaults.attempts)) {
    return { type: 'retried', error, delayMs: Math.max(failure.delayMs, failure.retryAfterMs ?? 0) }
  }
  return fail(graph, node, claim, error)
}

/** The failure stands: nobody tries again. */
export function fail(graph: Graph, node: GraphNode, claim: Claim, error: RecordedError): Outcome {
  const item = itemArrival(claim, 'failed')
  // How many failed items are too many is for the map to say.
  if (item !== undefined) return { type: 'failed', error, takenBy: { always: true, ifStarted: [] }, arrivals: [item] }
  const stand = node.fallback === undefined ? undefined : nodeOf(graph, node.fallback)
  if (stand !== undefined && !isNoWork(error)) {
    const arrivals = arrivalsOfFallback(stand, node, claim)
    return { type: 'failed', error, takenBy: { always: true, ifStarted: [] }, arrivals }
  }
  const fates = node.outgoing.map((): Fate => 'failed')
  const { arrivals, settlements, takenBy } = cascade(graph, node, claim.instanceId, fates)
  return { type: 'failed', error, takenBy, arrivals, ...someOf(settlements) }
}

/** A fallback stands in for work that failed. Here there was none, and one round more would be no end of a runaway. */
function isNoWork({ code }: RecordedError): boolean {
  return code === 'PREDECESSOR_FAILED' || code === 'MAX_VISITS'
}

/** What lies behind a skip is skipped in turn; what lies behind a failure passes the failure on. */
export function afterSkip(graph: Graph, node: GraphNode, claim: Claim): Outcome {
  const isBehindFailure = claim.arrivals.some(({ fate }) => fate === 'failed')
  const fates = node.outgoing.map((): Fate => (isBehindFailure ? 'failed' : 'skipped'))
  const { arrivals, settlements } = cascade(graph, node, claim.instanceId, fates)
  return {
    type: 'skipped',
    reason: isBehindFailure ? 'upstream-failed' : 'not-taken',
    arrivals,
    ...someOf(settlements),
  }
}

/**
 * A map whose items have settled: the list of their outputs in input order, or one failure too many.
 *
 * @param takenAfter which of its edges are taken with this output; undefined where all are
 */
export function afterItems(
  graph: Graph,
  node: GraphNode,
  claim: Claim,
  takenAfter?: (output: readonly JsonValue[]) => readonly boolean[] | undefined,
): Outcome {
  const { count = 0, maxFailures = 0 } = claim.map ?? {}
  const outputs: JsonValue[] = new Array<JsonValue>(count).fill(null)
  const failures: string[] = []
  for (const { edge, from, fate, output, error } of claim.arrivals) {
    if (!isOfItem(edge)) continue
    if (fate === 'failed') failures.push(`${from}: ${error?.message ?? 'failed'}`)
    else outputs[parentOfItem(from)?.index ?? 0] = output ?? null
  }
  if (failures.length > maxFailures) {
    return fail(
      graph,
      node,
      claim,
      codedError('MAP_FAILED', `${failures.length} of ${count} items failed; ${failures[0]}`),
    )
  }
  const taken = takenAfter?.(outputs)
  return afterSuccess(graph, node, claim, { output: outputs, ...(taken === undefined ? {} : { taken }) })
}

// No edge of a blueprint ends or starts like these: check-graph.ts keeps `!` and `[` from there.
const FAILURE_EDGE = '!'
const ITEM_EDGE = '['

function isOfItem(edge: string): boolean {
  return edge.startsWith(ITEM_EDGE)
}

/** The fallback gets what reached the node that failed, and its failure. */
function arrivalsOfFallback(stand: GraphNode, node: GraphNode, claim: Claim): Arrival[] {
  const reached = claim.arrivals.filter(({ edge }) => !isOfItem(edge))
  const of = reached.length + 1
  const own = { edge: `${node.id}${FAILURE_EDGE}`, from: claim.instanceId, fate: 'failed' as const }
  const to = visitedId(stand.id, visitsOf(claim.instanceId, node.loops.length))
  return [...reached, own].map(({ edge, from, fate }) => ({ to, edge, from, fate, rule: 'all', of }))
}

function itemArrival(claim: Claim, fate: Fate): Arrival | undefined {
  if (claim.item === undefined) return undefined
  const parent = parentOfItem(claim.instanceId)
  if (parent === undefined) return undefined
  return { to: parent.map, edge: itemEdge(parent.index), from: claim.instanceId, fate, rule: 'map', of: 0 }
}

function someOf(settlements: Cascade['settlements']): { settlements?: Cascade['settlements'] } {
  return settlements.length === 0 ? {} : { settlements }
}
