/**
 * The whole state of a run: what folding its journal gives, and beside it what no journal records, because it is only
 * about time and can be lost without harm: leases and reminders.
 */

import type { ContextEntry } from './delta.ts'
import type { RecordedError } from './errors.ts'
import type { ChildState, OutboxEntry } from './family.ts'
import { pendingSlotOf } from './gate.ts'
import { type Fence, type InstanceId, type NodeId, nodeOfInstance, type RunId } from './ids.ts'
import type { JsonValue } from './json.ts'
import type { LimiterState } from './limiter.ts'
import type { RunMessage } from './message.ts'
import type { Mutable } from './mutable.ts'
import { isBehind, newPublication, type Publication } from './publication.ts'
import type {
  ApprovalDecision,
  ArrivedEdge,
  InstanceStatus,
  JoinRule,
  OperatorPause,
  Outcome,
  PendingApproval,
  PendingPause,
  RecordedStep,
  RunHead,
  RunStatus,
  RunSummary,
  Wait,
} from './run.ts'
import { isSettled, isTerminal } from './run.ts'
import { enlistedSince } from './waiting-list.ts'

export const NEVER = Number.POSITIVE_INFINITY
const NO_IDS: readonly InstanceId[] = []

/** An arrival with the instance it came from at hand, so that claiming a join of a thousand need not look for them. */
export interface HeldArrival extends ArrivedEdge {
  readonly source: InstanceState | undefined
}

const NO_ARRIVALS: readonly HeldArrival[] = []

export class InstanceState {
  readonly id: InstanceId
  readonly nodeId: NodeId
  status: InstanceStatus = 'waiting'
  /** Somebody has claimed it at least once: later arrivals change nothing about it. */
  started = false
  arrivals: readonly HeldArrival[] = NO_ARRIVALS
  arrivedEdges: Set<string> | undefined = undefined
  /** How many edges will arrive in all. */
  arrivalsDue = 0
  /** What makes it ready, as its arrivals say; absent before the first. */
  rule: JoinRule | undefined = undefined
  failures = 0
  lostLeases = 0
  fence: Fence = 0
  steps: RecordedStep[] | undefined = undefined
  /** The highest position among them. */
  lastPosition = -1
  parked: { readonly step: RecordedStep; readonly wait: Wait | undefined; readonly sinceMs: number } | undefined =
    undefined
  output: JsonValue | undefined = undefined
  action: string | undefined = undefined
  error: RecordedError | undefined = undefined
  /** It has failed, and nothing takes its failure: as far as it goes, the run will fail. */
  untaken = false
  reason: string | undefined = undefined
  /** The event that settled it; 0 before. */
  settledSeq = 0
  /** The name of its output in the run's output. */
  resultOf: NodeId | undefined = undefined
  map: MapState | undefined = undefined
  item: JsonValue | undefined = undefined
  /** It was called off while somebody held it. */
  calledOff = false
  workerId: string | undefined = undefined
  claimId: string | undefined = undefined
  /** Since when it may be claimed; while claimed, when the lease ends. */
  dueAtMs = 0

  // Not in the journal.
  attemptUntilMs: number | undefined = undefined
  remindAtMs: number | undefined = undefined
  /** Since when it is on the waiting list for its version. */
  enlistedAtMs: number | undefined = undefined
  dispatch = 0
  /** The last transition that took effect, and what it was answered: a lost answer can be given again. */
  commitId: string | undefined = undefined
  answeredReady: readonly InstanceId[] = NO_IDS
  answeredNext: InstanceId | undefined = undefined

  constructor(id: InstanceId, nodeId: NodeId = nodeOfInstance(id)) {
    this.id = id
    this.nodeId = nodeId
  }
}

/** A map node whose items run. */
export interface MapState {
  readonly items: readonly JsonValue[]
  readonly concurrency: number
  readonly maxFailures: number
  /** Index of the next item to open. */
  next: number
  readonly fates: HeldArrival[]
  failures: number
  rule: JoinRule
  /** Items that were begun and start afresh: they come before `next`. */
  redo: number[]
}

export class RunState {
  readonly head: RunHead
  status: RunStatus = 'pending'
  seq = 0
  updatedAtMs: number
  endedAtMs: number | undefined = undefined
  input: JsonValue | undefined = undefined
  /** Nothing of it is claimed before. */
  startAtMs: number | undefined = undefined
  /** What the context was at the start: a start that comes again is the same only with the same one. */
  firstContext: { readonly [key: string]: JsonValue } | undefined = undefined
  /** How the run will end, once it is fixed. */
  outcome: Outcome | undefined = undefined
  /** Nothing new starts. */
  stopping = false
  /** An operator's pause, and what the status was before it. */
  held: (OperatorPause & { readonly before: 'pending' | 'running' }) | undefined = undefined
  /** The run that goes on for it. */
  continuedBy: RunId | undefined = undefined
  /** The newest of those that it was told of. Not in the journal. */
  newest: { readonly runId: RunId; readonly link: number } | undefined = undefined
  readonly instances = new Map<InstanceId, InstanceState>()
  /** Instances that nothing follows and that succeeded, by the name of their output: in a loop the last one counts. */
  readonly results = new Map<NodeId, InstanceState>()
  readonly context = new Map<string, ContextEntry>()
  /** Absent until the run first has to do with the outside. */
  news: News | undefined = undefined
  /** Runs that this one has started; absent until there is one. */
  children: Map<RunId, ChildState> | undefined = undefined
  /** Which of its gates it waits at; their number when it has passed them all. */
  gate = 0
  atGateSinceMs = 0
  /** What it begins with when it has passed them. */
  readonly behindGates: InstanceState[] = []
  /** Of a limiter. */
  limiter: LimiterState | undefined = undefined
  /** Messages to other runs that have not been delivered. What was delivered is no part of the journal. */
  outbox: Map<string, OutboxEntry> | undefined = undefined
  /** Of a run whose journal is published: how far that has come, which is no part of the journal either. */
  readonly publication: Publication | undefined
  /** Instances whose failure stands and nobody takes, in order, and since when; absent until there is one. */
  deadLetters: Map<InstanceId, number> | undefined = undefined
  /** Places that node code has named. */
  checkpoints: { readonly seq: number; readonly name: string; readonly instanceId: InstanceId }[] | undefined =
    undefined
  /** Live instances, and how many of them wait for predecessors or are claimed. */
  open = 0
  waiting = 0
  claimed = 0
  /** Instances on the waiting list for the run's version, and some that have left it. Not in the journal. */
  enlisted: Set<InstanceState> | undefined = undefined
  /** The earliest due instant set since somebody last asked, `newDue` left out. No part of what the journal tells. */
  newDueAtMs: number
  /** The instance whose due instant was set last: what is ready and then claimed in one go never was due for others. */
  newDue: InstanceState | undefined = undefined
  /** Instances that became ready since the list was last emptied, in order. */
  opened: InstanceState[] = []
  /** Messages that were posted since then. */
  sent: RunMessage[] = []

  constructor(head: RunHead) {
    this.head = head
    this.updatedAtMs = head.createdAtMs
    this.publication = head.publishJournal === true ? newPublication() : undefined
    this.newDueAtMs = head.deadlineAtMs ?? NEVER
  }

  get paused(): boolean {
    const awaiting = this.news?.awaiting.size ?? 0
    return awaiting > 0 && this.open === awaiting + this.waiting
  }
}

/** What a run waits for from outside, and what has come from there. */
export interface News {
  readonly awaiting: Map<InstanceId, InstanceState>
  /** Instances that wait for a child: that is no waiting for the outside. */
  readonly children: Map<InstanceId, InstanceState>
  /** Signals that came before anybody waited for them, by name. */
  readonly signals: Map<string, (JsonValue | undefined)[]>
  readonly signalIds: Set<string>
  readonly decisions: Map<string, ApprovalDecision>
}

export function newsOf(state: RunState): News {
  state.news ??= {
    awaiting: new Map(),
    children: new Map(),
    signals: new Map(),
    signalIds: new Set(),
    decisions: new Map(),
  }
  return state.news
}

/**
 * The result of the single executed node that nothing follows, else an object of all of them by node id.
 * Nodes that were skipped or failed have no part in it.
 */
export function outputOf({ results }: RunState): JsonValue | undefined {
  if (results.size <= 1) return results.values().next().value?.output
  return Object.fromEntries([...results].map(([name, { output }]) => [name, output ?? null]))
}

/** Since when, or from when on, it may be claimed. */
export function setDue(state: RunState, instance: InstanceState, atMs: number): void {
  instance.dueAtMs = atMs
  if (state.newDue !== instance) state.newDueAtMs = newDueAtMs(state)
  state.newDue = instance
}

/** The earliest instant at which something becomes due that was not known when it was last asked for. */
export function newDueAtMs({ newDueAtMs, newDue }: RunState): number {
  return newDue === undefined || isSettled(newDue.status) ? newDueAtMs : Math.min(newDueAtMs, newDue.dueAtMs)
}

/**
 * Lets go of a settled instance that no arrival can reach any more: what successors need of it they hold. Only for runs
 * whose state nobody will ever look at.
 */
export function forget(state: RunState, instance: InstanceState): void {
  if (!isSettled(instance.status)) return
  const isComplete = instance.arrivals.length >= instance.arrivalsDue
  instance.arrivals = NO_ARRIVALS
  if (isComplete) state.instances.delete(instance.id)
}

/** It has ended, and all that it had to say was taken, its journal too where that is published. */
export function isDone(state: RunState): boolean {
  return isTerminal(state.status) && (state.outbox?.size ?? 0) === 0 && !isBehind(state)
}

export function summaryOf(state: RunState): RunSummary {
  const approvals: PendingApproval[] = []
  let pause: PendingPause | undefined
  for (const instance of state.news?.awaiting.values() ?? []) {
    const { wait, sinceMs } = instance.parked ?? {}
    if (wait === undefined || sinceMs === undefined) continue
    if (wait.kind === 'approval') {
      approvals.push({
        approvalId: wait.name,
        instanceId: instance.id,
        ...(wait.request === undefined ? {} : { request: wait.request }),
        requestedAtMs: sinceMs,
      })
    } else pause ??= { instanceId: instance.id, signal: wait.name, sinceMs }
  }
  const enlistedSinceMs = enlistedSince(state)
  const { outcome, held, continuedBy, newest, deadLetters } = state
  const output = state.status === 'completed' && continuedBy === undefined ? outputOf(state) : undefined
  const slot = pendingSlotOf(state)
  const summary: Mutable<RunSummary> = {
    ...state.head,
    status: state.status,
    seq: state.seq,
    updatedAtMs: state.updatedAtMs,
    pendingApprovals: approvals,
  }
  // One by one: this is asked of every run, and spreading what is mostly not there makes an object that V8 keeps as a table.
  if (state.startAtMs !== undefined) summary.startAtMs = state.startAtMs
  if (state.endedAtMs !== undefined) summary.endedAtMs = state.endedAtMs
  if (deadLetters !== undefined && deadLetters.size > 0) summary.deadLetterCount = deadLetters.size
  if (state.input !== undefined) summary.input = state.input
  if (output !== undefined) summary.output = output
  if (outcome?.status === 'failed') summary.error = outcome.error
  if (outcome?.status === 'cancelled') summary.reason = outcome.reason
  if (approvals[0] !== undefined) summary.pendingApproval = approvals[0]
  if (pause !== undefined) summary.pendingPause = pause
  if (enlistedSinceMs !== undefined) summary.pendingWorker = { sinceMs: enlistedSinceMs }
  if (slot !== undefined) summary.pendingSlot = slot
  if (continuedBy !== undefined) summary.continuedBy = continuedBy
  if (newest !== undefined) summary.newestRunId = newest.runId
  if (held !== undefined) summary.operatorPause = withoutBefore(held)
  return summary
}

function withoutBefore({ before: _before, ...pause }: NonNullable<RunState['held']>): OperatorPause {
  return pause
}
