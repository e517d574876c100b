/**
 * A state to start a run with: what a run was at one place of its journal, as JSON. A run that begins with one has it in
 * its first event, and never looks at the run that it was taken from. What is about time alone (leases, reminders) and
 * what speaks of the old journal (checkpoints, the events that settled instances) is left behind.
 */
import type { ContextEntry } from './delta.ts'
import type { RecordedError } from './errors.ts'
import { addChild, type ChildState } from './family.ts'
import type { InstanceId, NodeId } from './ids.ts'
import { newInstance, setStatus } from './instance-status.ts'
import type { JsonValue } from './json.ts'
import type { ChildEnd } from './message.ts'
import {
  type ApprovalDecision,
  type ArrivedEdge,
  type InstanceStatus,
  isSettled,
  type JoinRule,
  type NewRun,
  type Outcome,
  type RecordedStep,
  type Wait,
} from './run.ts'
import { type HeldArrival, type InstanceState, NEVER, newsOf, type RunState, setDue } from './run-state.ts'

export interface RunSnapshot {
  readonly context: { readonly [key: string]: ContextEntry }
  /** Nobody holds a claim: what was claimed is `ready`. */
  readonly instances: readonly InstanceSnapshot[]
  /** Those that wait for news, in the order in which they began to. Absent where there are not two. */
  readonly awaiting?: readonly InstanceId[]
  /** Whose outputs make the run's, in order. */
  readonly results: readonly (readonly [NodeId, InstanceId])[]
  readonly signals: readonly KeptSignal[]
  readonly signalIds: readonly string[]
  readonly decisions: { readonly [approvalId: string]: ApprovalDecision }
  readonly children: readonly ChildSnapshot[]
  readonly deadLetters?: readonly (readonly [InstanceId, number])[]
  /** How it will end, where that is fixed and it goes on all the same. */
  readonly outcome?: Outcome
}

interface KeptSignal {
  readonly name: string
  readonly payload?: JsonValue
}

export interface InstanceSnapshot {
  readonly id: InstanceId
  readonly status: Exclude<InstanceStatus, 'claimed'>
  readonly started?: true
  readonly arrivals?: readonly ArrivedEdge[]
  readonly arrivalsDue?: number
  readonly rule?: JoinRule
  readonly failures?: number
  readonly lostLeases?: number
  readonly fence?: number
  readonly steps?: readonly RecordedStep[]
  readonly parked?: { readonly step: RecordedStep; readonly wait?: Wait; readonly sinceMs: number }
  readonly output?: JsonValue
  readonly action?: string
  readonly error?: RecordedError
  readonly untaken?: true
  readonly reason?: string
  readonly map?: MapSnapshot
  readonly item?: JsonValue
  /** Absent for one that waits for ever, and for one that may run at once. */
  readonly dueAtMs?: number
}

interface MapSnapshot {
  readonly items: readonly JsonValue[]
  readonly concurrency: number
  readonly maxFailures: number
  readonly next: number
  readonly fates: readonly ArrivedEdge[]
  readonly failures: number
  readonly redo?: readonly number[]
}

export interface ChildSnapshot {
  /** What it was started with. */
  readonly run: NewRun
  readonly instanceId: InstanceId
  readonly detached: boolean
  /** It is shared with the run that started it. */
  readonly end?: ChildEnd
  /** The run that begins here starts it. */
  readonly isNew?: true
  /** None of its nodes has started it. */
  readonly isCarried?: true
}

/**
 * @param atMs what is due by then may run at once
 * @returns the state, and the instances that it starts with
 */
export function snapshotOf(
  state: RunState,
  atMs: number,
): { readonly from: RunSnapshot; readonly starts: readonly InstanceId[] } {
  const starts: InstanceId[] = []
  const instances: InstanceSnapshot[] = []
  for (const instance of state.instances.values()) {
    const startsNow =
      (instance.status === 'claimed' && !instance.calledOff) ||
      (instance.status === 'ready' && instance.dueAtMs <= atMs)
    if (startsNow) starts.push(instance.id)
    instances.push(instanceSnapshot(instance, startsNow))
  }
  const { news } = state
  const awaiting = [...(news?.awaiting.keys() ?? [])]
  const from: RunSnapshot = {
    context: Object.fromEntries(state.context),
    instances,
    ...(awaiting.length > 1 ? { awaiting } : {}),
    results: [...state.results].map(([name, { id }]) => [name, id] as const),
    signals: [...(news?.signals ?? [])].flatMap(([name, payloads]) =>
      payloads.map((payload) => ({ name, ...(payload === undefined ? {} : { payload }) })),
    ),
    signalIds: [...(news?.signalIds ?? [])],
    decisions: Object.fromEntries(news?.decisions ?? []),
    children: [...(state.children?.values() ?? [])].map(childSnapshot),
    ...(state.deadLetters === undefined ? {} : { deadLetters: [...state.deadLetters] }),
    ...(state.stopping ? {} : ifAny('outcome', state.outcome)),
  }
  return { from, starts }
}

/** @param startsNow it is opened by the list of what starts, and until then waits */
function instanceSnapshot(instance: InstanceState, startsNow: boolean): InstanceSnapshot {
  const { id, status, arrivals, parked, map, dueAtMs } = instance
  // Called off while somebody held it: nobody holds it any more.
  const isHeldInVain = status === 'claimed' && !startsNow
  const isTimed = !startsNow && (status === 'ready' || status === 'sleeping' || status === 'awaiting')
  return {
    id,
    status: startsNow ? 'waiting' : isHeldInVain ? 'cancelled' : (status as InstanceSnapshot['status']),
    ...(instance.started ? { started: true } : {}),
    ...(arrivals.length === 0 ? {} : { arrivals: arrivals.map(arrivedEdge), arrivalsDue: instance.arrivalsDue }),
    ...ifAny('rule', instance.rule),
    ...(instance.failures === 0 ? {} : { failures: instance.failures }),
    ...(instance.lostLeases === 0 ? {} : { lostLeases: instance.lostLeases }),
    ...(instance.fence === 0 ? {} : { fence: instance.fence }),
    ...(instance.steps === undefined ? {} : { steps: [...instance.steps] }),
    ...(parked === undefined
      ? {}
      : { parked: { step: parked.step, ...ifAny('wait', parked.wait), sinceMs: parked.sinceMs } }),
    ...ifAny('output', instance.output),
    ...ifAny('action', instance.action),
    ...ifAny('error', instance.error),
    ...(instance.untaken ? { untaken: true } : {}),
    ...ifAny('reason', instance.reason),
    ...(map === undefined ? {} : { map: mapSnapshot(map) }),
    ...ifAny('item', instance.item),
    ...(isTimed && dueAtMs !== NEVER ? { dueAtMs } : {}),
  }
}

function mapSnapshot(map: NonNullable<InstanceState['map']>): MapSnapshot {
  const { items, concurrency, maxFailures, next, fates, failures, redo } = map
  const again = redo.length === 0 ? {} : { redo: [...redo] }
  return { items, concurrency, maxFailures, next, fates: fates.map(arrivedEdge), failures, ...again }
}

function arrivedEdge({ edge, from, fate }: ArrivedEdge): ArrivedEdge {
  return { edge, from, fate }
}

function childSnapshot({ run, instanceId, detached, end, isCarried }: ChildState): ChildSnapshot {
  return { run, instanceId, detached, ...ifAny('end', end), ...ifAny('isCarried', isCarried) }
}

function ifAny<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]: Value })
}

/** Puts a snapshot into a run that has nothing yet. */
export function restore(state: RunState, from: RunSnapshot, atMs: number): void {
  for (const [key, entry] of Object.entries(from.context)) state.context.set(key, entry)
  for (const each of from.instances) restoreInstance(state, each)
  for (const id of from.awaiting ?? []) waitsLast(state, id)
  // Only now are all of them there to point to.
  for (const each of from.instances) link(state, each)
  for (const [name, id] of from.results) {
    const instance = state.instances.get(id)
    if (instance === undefined) continue
    instance.resultOf = name
    state.results.set(name, instance)
  }
  for (const child of from.children) restoreChild(state, child, atMs)
  if (from.deadLetters !== undefined) state.deadLetters = new Map(from.deadLetters)
  state.outcome = from.outcome
  const { signals, signalIds, decisions } = from
  if (signals.length + signalIds.length + Object.keys(decisions).length === 0) return
  const news = newsOf(state)
  for (const { name, payload } of signals) {
    const kept = news.signals.get(name)
    if (kept === undefined) news.signals.set(name, [payload])
    else kept.push(payload)
  }
  for (const id of signalIds) news.signalIds.add(id)
  for (const [approvalId, decision] of Object.entries(decisions)) news.decisions.set(approvalId, decision)
}

function restoreInstance(state: RunState, from: InstanceSnapshot): void {
  const instance = newInstance(state, from.id)
  const { parked, status } = from
  instance.started = from.started === true
  instance.arrivalsDue = from.arrivalsDue ?? 0
  instance.rule = from.rule
  instance.failures = from.failures ?? 0
  instance.lostLeases = from.lostLeases ?? 0
  instance.fence = from.fence ?? 0
  if (from.steps !== undefined) instance.steps = [...from.steps]
  for (const { position } of from.steps ?? []) instance.lastPosition = Math.max(instance.lastPosition, position)
  if (parked !== undefined) instance.parked = { step: parked.step, wait: parked.wait, sinceMs: parked.sinceMs }
  instance.output = from.output
  instance.action = from.action
  instance.error = from.error
  instance.untaken = from.untaken === true
  instance.reason = from.reason
  instance.item = from.item
  setStatus(state, instance, status)
  if (!isSettled(status) && status !== 'waiting') setDue(state, instance, from.dueAtMs ?? NEVER)
}

/** Whoever has waited for longer is before it. */
function waitsLast({ news }: RunState, id: InstanceId): void {
  const instance = news?.awaiting.get(id)
  if (instance === undefined) return
  news?.awaiting.delete(id)
  news?.awaiting.set(id, instance)
}

function link(state: RunState, { id, arrivals, map }: InstanceSnapshot): void {
  const instance = state.instances.get(id)
  if (instance === undefined) return
  const held = ({ edge, from, fate }: ArrivedEdge): HeldArrival => ({
    edge,
    from,
    fate,
    source: state.instances.get(from),
  })
  if (arrivals !== undefined) instance.arrivals = arrivals.map(held)
  if (map !== undefined) {
    instance.map = { ...map, redo: [...(map.redo ?? [])], fates: map.fates.map(held), rule: 'map' }
  }
}

function restoreChild(state: RunState, child: ChildSnapshot, atMs: number): void {
  const { run, instanceId, detached, end, isNew = false, isCarried } = child
  if (isNew) return addChild(state, instanceId, run, { detached, atMs, ...ifAny('isCarried', isCarried) })
  state.children ??= new Map()
  state.children.set(run.runId, { run, instanceId, detached, ...ifAny('isCarried', isCarried), end })
}
