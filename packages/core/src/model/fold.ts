/**
 * fold(state, event): the only place where an event gains meaning. Folding a journal from its first event gives the
 * state that the store has (P6); that is what makes every other view of a run a fold as well.
 *
 * It mutates the state it is given and reads no clock: the time is in the event.
 */
import { applyDeltas, type Delta } from './delta.ts'
import { unreachable } from './errors.ts'
import type { RunEvent } from './event.ts'
import { type EdgeId, type InstanceId, itemInstanceId, parentOfItem } from './ids.ts'
import type { Arrival, InstanceStatus, Outcome, SettledStatus } from './run.ts'
import { isSettled } from './run.ts'
import { type HeldArrival, InstanceState, NEVER, newsOf, RunState, setDue } from './run-state.ts'

/** The state of a run from its journal. */
export function foldJournal(events: Iterable<RunEvent>): RunState | undefined {
  let state: RunState | undefined
  for (const event of events) {
    if (state === undefined) {
      if (event.type !== 'run-started') return undefined
      state = new RunState(event.head)
    }
    state.opened.length = 0
    fold(state, event)
  }
  return state
}

export function fold(state: RunState, event: RunEvent): void {
  state.seq = event.seq
  state.updatedAtMs = event.atMs
  switch (event.type) {
    case 'run-started': {
      state.input = event.input
      for (const [key, value] of Object.entries(event.context ?? {})) state.context.set(key, { value, version: 1 })
      for (const id of event.starts) open(state, newInstance(state, id), event.startAtMs ?? event.atMs)
      return
    }
    case 'run-paused':
      state.status = 'paused'
      return
    case 'run-resumed':
      state.status = 'running'
      return
    case 'run-cancel-requested':
      state.stopping = true
      if (state.outcome === undefined) {
        state.outcome = { status: 'cancelled', reason: event.reason }
        state.status = 'cancelling'
      }
      return
    case 'run-deadline-passed':
      state.stopping = true
      state.outcome ??= { status: 'failed', error: event.error }
      return
    case 'run-completed':
      return end(state, 'completed', event.atMs)
    case 'run-failed':
      return end(state, 'failed', event.atMs)
    case 'run-cancelled':
      return end(state, 'cancelled', event.atMs)

    case 'node-claimed': {
      const instance = known(state, event.instanceId)
      const { parked } = instance
      if (parked !== undefined) {
        addStep(instance, parked.wait === undefined ? parked.step : { ...parked.step, timedOut: true })
        instance.parked = undefined
      }
      setStatus(state, instance, 'claimed')
      instance.started = true
      instance.fence = event.fence
      instance.workerId = event.workerId
      instance.claimId = event.claimId
      if (state.status === 'pending') state.status = 'running'
      return
    }
    case 'node-lost': {
      const instance = known(state, event.instanceId)
      instance.lostLeases += 1
      open(state, instance, event.atMs)
      return
    }
    case 'node-released':
      return open(state, known(state, event.instanceId), event.atMs)
    case 'attempt-failed': {
      const instance = known(state, event.instanceId)
      instance.failures += 1
      instance.error = event.error
      return open(state, instance, event.retryAtMs)
    }
    case 'step-recorded':
      addStep(known(state, event.instanceId), event.step)
      return changeContext(state, event.deltas)
    case 'node-slept': {
      const instance = known(state, event.instanceId)
      instance.parked = { step: event.step, wait: undefined, sinceMs: event.atMs }
      setStatus(state, instance, 'sleeping')
      setDue(state, instance, event.wakeAtMs)
      return
    }
    case 'node-awaited': {
      const instance = known(state, event.instanceId)
      const kept = event.wait.kind === 'signal' ? state.news?.signals.get(event.wait.name) : undefined
      if (kept !== undefined && kept.length > 0) {
        const payload = kept.shift()
        addStep(instance, payload === undefined ? event.step : { ...event.step, result: payload })
        return open(state, instance, event.atMs)
      }
      instance.parked = { step: event.step, wait: event.wait, sinceMs: event.atMs }
      setStatus(state, instance, 'awaiting')
      setDue(state, instance, event.timeoutAtMs ?? NEVER)
      return
    }
    case 'map-expanded': {
      const instance = known(state, event.instanceId)
      instance.map = {
        items: event.items,
        concurrency: event.concurrency,
        maxFailures: event.maxFailures,
        next: 0,
        fates: [],
        failures: 0,
        rule: 'map',
      }
      setStatus(state, instance, 'waiting')
      for (let index = 0; index < event.concurrency && index < event.items.length; index++) {
        openNextItem(state, instance, event.atMs)
      }
      return
    }

    case 'node-succeeded': {
      const instance = known(state, event.instanceId)
      instance.output = event.output
      instance.action = event.action
      if (event.resultOf !== undefined) {
        instance.resultOf = event.resultOf
        state.results.push(instance)
      }
      if (event.deltas !== undefined) changeContext(state, event.deltas)
      settle(state, instance, 'succeeded', event.arrivals, event.atMs)
      if (event.cancels !== undefined) for (const id of event.cancels) callOff(state, id, 'lost-the-join')
      return
    }
    case 'node-failed': {
      const instance = state.instances.get(event.instanceId) ?? newInstance(state, event.instanceId)
      if (event.fence !== undefined) instance.failures += 1
      instance.error = event.error
      if (event.fixesOutcome && state.outcome === undefined) {
        state.outcome = { status: 'failed', error: event.error, instanceId: instance.id } satisfies Outcome
        if (state.head.failFast) state.stopping = true
      }
      settle(state, instance, 'failed', event.arrivals, event.atMs)
      return
    }
    case 'node-skipped': {
      const instance = state.instances.get(event.instanceId) ?? newInstance(state, event.instanceId)
      instance.reason = event.reason
      return settle(state, instance, 'skipped', event.arrivals, event.atMs)
    }
    case 'node-cancelled': {
      const instance = state.instances.get(event.instanceId) ?? newInstance(state, event.instanceId)
      instance.reason = event.reason
      return settle(state, instance, 'cancelled', [], event.atMs)
    }

    case 'signal-received': {
      if (event.signalId !== undefined) newsOf(state).signalIds.add(event.signalId)
      for (const instance of newsOf(state).awaiting.values()) {
        const { parked } = instance
        if (parked?.wait?.kind !== 'signal' || parked.wait.name !== event.name) continue
        const step = event.payload === undefined ? parked.step : { ...parked.step, result: event.payload }
        return wake(state, instance, step, event.atMs)
      }
      const { signals } = newsOf(state)
      const kept = signals.get(event.name)
      if (kept === undefined) signals.set(event.name, [event.payload])
      else kept.push(event.payload)
      return
    }
    case 'approval-decided': {
      newsOf(state).decisions.set(event.approvalId, event.decision)
      for (const instance of newsOf(state).awaiting.values()) {
        const { parked } = instance
        if (parked?.wait?.kind !== 'approval' || parked.wait.name !== event.approvalId) continue
        return wake(state, instance, { ...parked.step, result: { ...event.decision } }, event.atMs)
      }
      return
    }
    default:
      return unreachable(event)
  }
}

function known(state: RunState, id: InstanceId): InstanceState {
  const instance = state.instances.get(id)
  if (instance === undefined) throw new Error(`the journal of ${state.head.runId} speaks of an unknown instance ${id}`)
  return instance
}

function newInstance(state: RunState, id: InstanceId): InstanceState {
  const instance = new InstanceState(id)
  state.instances.set(id, instance)
  state.open += 1
  state.waiting += 1
  return instance
}

function setStatus(state: RunState, instance: InstanceState, status: InstanceStatus): void {
  const before = instance.status
  if (before === 'waiting') state.waiting -= 1
  else if (before === 'claimed') state.claimed -= 1
  else if (before === 'awaiting') newsOf(state).awaiting.delete(instance.id)
  instance.status = status
  if (status === 'waiting') state.waiting += 1
  else if (status === 'claimed') state.claimed += 1
  else if (status === 'awaiting') newsOf(state).awaiting.set(instance.id, instance)
  else if (isSettled(status)) state.open -= 1
}

function open(state: RunState, instance: InstanceState, dueAtMs: number): void {
  setStatus(state, instance, 'ready')
  setDue(state, instance, dueAtMs)
  state.opened.push(instance)
}

function wake(state: RunState, instance: InstanceState, step: Parameters<typeof addStep>[1], atMs: number): void {
  addStep(instance, step)
  instance.parked = undefined
  open(state, instance, atMs)
}

function addStep(instance: InstanceState, step: NonNullable<InstanceState['steps']>[number]): void {
  if (step.position > instance.lastPosition) instance.lastPosition = step.position
  if (instance.steps === undefined) instance.steps = [step]
  else instance.steps.push(step)
}

function changeContext(state: RunState, deltas: readonly Delta[] | undefined): void {
  if (deltas === undefined || deltas.length === 0) return
  for (const [key, entry] of applyDeltas(state.context, deltas)) {
    if (entry === undefined) state.context.delete(key)
    else state.context.set(key, entry)
  }
}

function settle(
  state: RunState,
  instance: InstanceState,
  status: SettledStatus,
  arrivals: readonly Arrival[],
  atMs: number,
): void {
  setStatus(state, instance, status)
  instance.parked = undefined
  for (const arrival of arrivals) arrive(state, arrival, sourceOf(state, instance, arrival.from), atMs)
  if (instance.map !== undefined) closeMap(state, instance)
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
  const target = state.instances.get(arrival.to) ?? newInstance(state, arrival.to)
  if (arrival.rule === 'map') return arriveAtMap(state, target, arrival, source, atMs)
  if (target.started || isSettled(target.status)) return
  const { edge, from, fate } = arrival
  const held: HeldArrival = { edge, from, fate, source }
  if (target.arrivals.length === 0) {
    target.arrivals = [held]
    target.arrivalsDue = arrival.of
  } else {
    // A set of edges, never a counter: the same edge twice is one arrival (I2).
    if (hasArrived(target, edge)) return // The list is this instance's own from the first arrival on.
    ;(target.arrivals as HeldArrival[]).push(held)
  }
  if (target.status === 'waiting' && meetsRule(arrival, target.arrivals.length)) open(state, target, atMs)
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
function meetsRule({ rule, fate, of }: Arrival, count: number): boolean {
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

function openNextItem(state: RunState, parent: InstanceState, atMs: number): void {
  const { map } = parent
  if (map === undefined || map.next >= map.items.length) return
  const index = map.next++
  const item = newInstance(state, itemInstanceId(parent.id, index))
  item.item = map.items[index]
  open(state, item, atMs)
}

/** A map that has settled calls off the items that are still on their way. */
function closeMap(state: RunState, parent: InstanceState): void {
  const { map } = parent
  if (map === undefined || map.fates.length === map.next) return
  for (let index = 0; index < map.next; index++) callOff(state, itemInstanceId(parent.id, index), 'map-settled')
}

function callOff(state: RunState, id: InstanceId, reason: string): void {
  const instance = state.instances.get(id) ?? newInstance(state, id)
  if (isSettled(instance.status)) return
  if (instance.status === 'claimed') {
    instance.calledOff = true
    return
  }
  instance.reason = reason
  instance.parked = undefined
  setStatus(state, instance, 'cancelled')
  if (instance.map !== undefined) closeMap(state, instance)
}

function end(state: RunState, status: 'completed' | 'failed' | 'cancelled', atMs: number): void {
  state.status = status
  state.endedAtMs = atMs
  if (state.open === 0) return
  for (const instance of state.instances.values()) {
    if (!isSettled(instance.status)) callOff(state, instance.id, `run-${status}`)
  }
}
