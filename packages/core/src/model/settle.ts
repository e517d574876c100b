/**
 * What a fate does to those behind it: arrivals go into the sets of their joins, a join whose rule is met becomes ready,
 * an item that has settled makes room for the next one of its map.
 */

import { runsNothing } from './dead-letters.ts'
import { unreachable } from './errors.ts'
import { callOffChildren } from './family.ts'
import { type EdgeId, type InstanceId, itemEdge, itemInstanceId, parentOfItem } from './ids.ts'
import { newInstance, open, setStatus } from './instance-status.ts'
import { type Arrival, isSettled, type SettledStatus } from './run.ts'
import type { HeldArrival, InstanceState, RunState } from './run-state.ts'

const CALLED_OFF = 'the node that started it was called off'

export function settle(
  state: RunState,
  instance: InstanceState,
  status: SettledStatus,
  arrivals: readonly Arrival[],
  atMs: number,
): void {
  setStatus(state, instance, status)
  if (status === 'cancelled') callOffChildren(state, CALLED_OFF, atMs, instance.id)
  instance.settledSeq = state.seq
  instance.parked = undefined
  for (const arrival of arrivals) arrive(state, arrival, sourceOf(state, instance, arrival.from), atMs)
  if (instance.map !== undefined) closeMap(state, instance, atMs)
  const ofMap = arrivals.length === 0 || arrivals[0]?.rule === 'map' ? parentOfItem(instance.id) : undefined
  if (ofMap !== undefined) {
    const parent = state.instances.get(ofMap.map)
    if (parent?.map !== undefined && parent.status === 'waiting') openNextItem(state, parent, atMs)
  }
}

/** A fallback's arrivals are those of the node that it stands in for, and come from that node's predecessors. */
function sourceOf(state: RunState, settled: InstanceState, from: InstanceId): InstanceState | undefined {
  if (from === settled.id) return settled
  return settled.arrivals.find((arrival) => arrival.from === from)?.source ?? state.instances.get(from)
}

/** Puts a predecessor's fate into the set of its join; the join is ready when its rule is met. */
function arrive(state: RunState, arrival: Arrival, source: InstanceState | undefined, atMs: number): void {
  const known = state.instances.get(arrival.to)
  if (arrival.rule === 'map') {
    // A map that has settled may be forgotten while its last items are still on their way.
    if (known !== undefined) arriveAtMap(state, known, arrival, source, atMs)
    return
  }
  const target = known ?? newInstance(state, arrival.to)
  if (target.status === 'succeeded' || target.status === 'cancelled') return
  // One whose fate is decided without it having run still keeps its set: what has decided it may be undone.
  if (target.started && !runsNothing(target)) return
  const { edge, from, fate } = arrival
  const held: HeldArrival = { edge, from, fate, source }
  if (target.arrivals.length === 0) {
    target.arrivals = [held]
    target.arrivalsDue = arrival.of
    target.rule = arrival.rule
  } else {
    // A set of edges, never a counter: the same edge twice is one arrival (I2).
    if (hasArrived(target, edge)) return // The list is this instance's own from the first arrival on.
    ;(target.arrivals as HeldArrival[]).push(held)
  }
  if (target.status === 'waiting' && meetsRule(arrival, target.arrivals.length)) open(state, target, atMs)
}

/** A join from which arrivals were taken back may be ready all the same, by one that has stayed. */
export function openIfMet(state: RunState, instance: InstanceState, atMs: number): void {
  const { rule, arrivals, arrivalsDue: of } = instance
  if (rule === undefined || rule === 'map') return
  const isMet = arrivals.some(({ fate }, index) => meetsRule({ rule, fate, of }, index + 1))
  if (isMet) open(state, instance, atMs)
}

/** Few edges are looked through, many are kept in a set. */
function hasArrived(target: InstanceState, edge: EdgeId): boolean {
  const { arrivals } = target
  if (arrivals.length < 8) return arrivals.some((arrived) => arrived.edge === edge)
  target.arrivedEdges ??= new Set(arrivals.map((arrived) => arrived.edge))
  if (target.arrivedEdges.has(edge)) return true
  target.arrivedEdges.add(edge)
  return false
}

/** Whether this arrival, the n-th of its join, makes it ready. */
function meetsRule({ rule, fate, of }: Pick<Arrival, 'rule' | 'fate' | 'of'>, count: number): boolean {
  if (count >= of) return true
  switch (rule) {
    case 'all':
      return fate === 'failed'
    case 'any':
      return fate !== 'skipped'
    case 'any-ignore':
      return fate === 'succeeded'
    case 'map':
      return false
    default:
      return unreachable(rule)
  }
}

function arriveAtMap(
  state: RunState,
  target: InstanceState,
  { edge, from, fate }: Arrival,
  source: InstanceState | undefined,
  atMs: number,
): void {
  const { map } = target
  if (map === undefined || target.status !== 'waiting') return
  map.fates.push({ edge, from, fate, source })
  if (fate === 'failed') map.failures += 1
  if (map.fates.length === map.items.length || map.failures > map.maxFailures) open(state, target, atMs)
}

export function openNextItem(state: RunState, parent: InstanceState, atMs: number): void {
  const { map } = parent
  if (map === undefined) return
  const again = map.redo.shift()
  if (again !== undefined) {
    const item = state.instances.get(itemInstanceId(parent.id, again))
    if (item !== undefined) open(state, item, atMs)
    return
  }
  if (map.next >= map.items.length) return
  const index = map.next++
  const item = newInstance(state, itemInstanceId(parent.id, index))
  item.item = map.items[index]
  open(state, item, atMs)
}

/** A map that starts afresh keeps what has succeeded; the other items that were begun come first. */
export function redoItems(state: RunState, parent: InstanceState, atMs: number): void {
  const { map } = parent
  if (map === undefined) return
  const kept = map.fates.filter(({ fate }) => fate === 'succeeded')
  const done = new Set(kept.map(({ from }) => from))
  map.fates.splice(0, map.fates.length, ...kept)
  map.failures = 0
  map.redo = []
  for (let index = 0; index < map.next; index++) {
    const item = state.instances.get(itemInstanceId(parent.id, index))
    if (item === undefined || done.has(item.id)) continue
    // It came when the map had had enough of failures already.
    if (item.status === 'succeeded') {
      map.fates.push({ edge: itemEdge(index), from: item.id, fate: 'succeeded', source: item })
      continue
    }
    reset(state, item)
    setStatus(state, item, 'waiting')
    map.redo.push(index)
  }
  for (let place = 0; place < map.concurrency; place++) openNextItem(state, parent, atMs)
  // What has failed is the gathering alone.
  if (map.fates.length === map.items.length) open(state, parent, atMs)
}

/** Not settled, and without what its end has left. */
export function reset(state: RunState, instance: InstanceState): void {
  if (isSettled(instance.status)) state.open += 1
  instance.failures = 0
  instance.lostLeases = 0
  instance.error = undefined
  instance.untaken = false
  instance.reason = undefined
  instance.settledSeq = 0
  instance.calledOff = false
  instance.parked = undefined
}

/** A map that has settled calls off the items that are still on their way. */
function closeMap(state: RunState, parent: InstanceState, atMs: number): void {
  const { map } = parent
  if (map === undefined || map.fates.length === map.next) return
  for (let index = 0; index < map.next; index++) callOff(state, itemInstanceId(parent.id, index), 'map-settled', atMs)
}

export function callOff(state: RunState, id: InstanceId, reason: string, atMs: number): void {
  const instance = state.instances.get(id) ?? newInstance(state, id)
  if (isSettled(instance.status)) return
  if (instance.status === 'claimed') {
    instance.calledOff = true
    return
  }
  instance.reason = reason
  instance.parked = undefined
  setStatus(state, instance, 'cancelled')
  callOffChildren(state, CALLED_OFF, atMs, id)
  if (instance.map !== undefined) closeMap(state, instance, atMs)
}
