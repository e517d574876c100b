/**
 * What a run is: its head, its node instances, its context. A `RunState` is the fold of a journal; the head and the
 * instances that people see are cut from it.
 */
import type { RecordedError } from './errors.ts'
import type { Gate, PendingSlot } from './gate.ts'
import type { EdgeId, Fence, InstanceId, NodeId, RunId } from './ids.ts'
import type { JsonValue } from './json.ts'
import type { LimiterView } from './limiter.ts'
import type { RunSnapshot } from './run-snapshot.ts'
import type { Carried, Succession } from './succession.ts'

/** A `limiter` grants slots to runs whose number is limited: it is made by them, and has no nodes. */
export type RunKind = 'workflow' | 'agent' | 'limiter'

export const runStatuses = ['pending', 'running', 'paused', 'cancelling', 'completed', 'failed', 'cancelled'] as const

export type RunStatus = (typeof runStatuses)[number]

export type TerminalStatus = 'completed' | 'failed' | 'cancelled'

export function isTerminal(status: RunStatus): status is TerminalStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

export type InstanceStatus =
  | 'waiting' // some predecessors have arrived, not enough
  | 'ready' // may be claimed
  | 'claimed'
  | 'sleeping' // until `dueAtMs`
  | 'awaiting' // news from outside
  | 'succeeded'
  | 'failed'
  | 'skipped'
  | 'cancelled'

export type SettledStatus = 'succeeded' | 'failed' | 'skipped' | 'cancelled'

export function isSettled(status: InstanceStatus): status is SettledStatus {
  return status === 'succeeded' || status === 'failed' || status === 'skipped' || status === 'cancelled'
}

/** How a predecessor's branch ended. What lies behind a failure arrives as `failed`, even where it was skipped. */
export type Fate = 'succeeded' | 'failed' | 'skipped'

/**
 * What an instance waits for. `all`: every edge, or the first failure. `any`: the first success or failure.
 * `any-ignore`: the first success, or every edge. `map`: every item, or one failure more than allowed.
 */
export type JoinRule = 'all' | 'any' | 'any-ignore' | 'map'

/** A predecessor's fate on its way to the instance `to`. The rule and the number of edges travel with it. */
export interface Arrival {
  readonly to: InstanceId
  readonly edge: EdgeId
  readonly from: InstanceId
  readonly fate: Fate
  readonly rule: JoinRule
  readonly of: number
}

/** An arrival as the instance keeps it, in the order in which they came. */
export interface ArrivedEdge {
  readonly edge: EdgeId
  readonly from: InstanceId
  readonly fate: Fate
}

export type StepKind =
  | 'step'
  | 'sleep'
  | 'signal'
  | 'approval'
  | 'checkpoint'
  | 'start-child'
  | 'child'
  | 'send-signal'
  | 'start-run'
  | 'cancel-run'

/** What a node did durably inside one instance; fed back when its function is entered again. */
export interface RecordedStep {
  /** The how-many-th durable call of the function this is, from 0. */
  readonly position: number
  readonly kind: StepKind
  readonly name: string
  readonly result?: JsonValue
  /** A wait that ended because its time was up. */
  readonly timedOut?: boolean
}

/** What an `awaiting` instance waits for. */
export interface Wait {
  readonly kind: 'signal' | 'approval' | 'child'
  /** The name of the signal, the id of the approval, or of the child run. */
  readonly name: string
  /** What the person who decides is shown. */
  readonly request?: JsonValue
}

export interface Lineage {
  readonly rootRunId: RunId
  readonly parentRunId?: RunId
  /** It is no child: its end is told to the parent as a signal of this name. */
  readonly endSignal?: string
  /** How a run that begins where another one was has come about. */
  readonly kind?: 'redrive'
  readonly branchOriginRunId?: RunId
  readonly branchCheckpointId?: string
  /** Of a run that goes on for another one. */
  readonly succession?: Succession
}

/** Trace ids across hops. */
export interface TraceCorrelation {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
}

/** What is fixed when a run starts. */
export interface RunHead {
  readonly runId: RunId
  readonly kind: RunKind
  readonly flowId: string
  readonly version?: string
  readonly tags: readonly string[]
  /** Higher goes first. */
  readonly priority: number
  readonly failFast: boolean
  readonly lineage: Lineage
  readonly correlation: TraceCorrelation
  readonly createdAtMs: number
  readonly deadlineAtMs?: number
  /** What it has to pass before it may begin. */
  readonly gates?: readonly Gate[]
  /** Its events are given to a journal sink. Whatever it starts, or goes on as, is marked so too. */
  readonly publishJournal?: true
}

/** What a run is started with. Values are encoded. */
export interface NewRun {
  readonly runId: RunId
  readonly kind: RunHead['kind']
  readonly flowId: string
  readonly version?: string
  readonly input?: JsonValue
  readonly context?: { readonly [key: string]: JsonValue }
  /** The instances that may run at once: those that nothing precedes, or those of `from`. */
  readonly starts: readonly InstanceId[]
  readonly startAtMs?: number
  readonly deadlineMs?: number
  readonly tags?: readonly string[]
  readonly priority?: number
  readonly failFast?: boolean
  /** What it takes over from the run that it goes on for. */
  readonly carried?: Carried
  readonly lineage?: Lineage
  readonly correlation?: TraceCorrelation
  readonly gates?: readonly Gate[]
  readonly publishJournal?: true
  /** The state to start with, in place of `context`; it names all that `starts` does. */
  readonly from?: RunSnapshot
}

export interface PendingApproval {
  readonly approvalId: string
  readonly instanceId: InstanceId
  readonly request?: JsonValue
  readonly requestedAtMs: number
}

export interface PendingPause {
  readonly instanceId: InstanceId
  readonly signal: string
  readonly sinceMs: number
}

/** The run waits for a worker that has its flow in its version: none of those that were asked so far has it. */
export interface PendingWorker {
  readonly sinceMs: number
}

/** Why the engine itself has paused a run. */
export type PauseCode = 'JOURNAL_FULL'

/** Who has stopped a run from going on, and why. */
export interface OperatorPause {
  readonly reason: string
  readonly by?: string
  /** Where no person ordered it. */
  readonly code?: PauseCode
  readonly sinceMs: number
}

export interface ApprovalDecision {
  readonly approved: boolean
  readonly by?: string
  readonly reason?: string
  readonly payload?: JsonValue
}

/** Why a run ends as it does, fixed before its last lease is over. */
export type Outcome =
  | { readonly status: 'failed'; readonly error: RecordedError; readonly instanceId?: InstanceId }
  | { readonly status: 'cancelled'; readonly reason: string }
  /** Another run goes on for it. */
  | { readonly status: 'continued'; readonly run: NewRun }

/** A run in few words: what lists, handles and operators look at first. Values are encoded. */
export interface RunSummary extends RunHead {
  readonly status: RunStatus
  readonly seq: number
  readonly updatedAtMs: number
  /** Nothing of it was, or will be, claimed before this instant. Absent for one that might begin at once. */
  readonly startAtMs?: number
  readonly endedAtMs?: number
  readonly input?: JsonValue
  readonly output?: JsonValue
  readonly error?: RecordedError
  readonly reason?: string
  readonly pendingApproval?: PendingApproval
  readonly pendingApprovals: readonly PendingApproval[]
  readonly pendingPause?: PendingPause
  readonly pendingWorker?: PendingWorker
  /** It may not begin yet: as many runs as allowed are under way. */
  readonly pendingSlot?: PendingSlot
  /** The run that goes on for this one, which has ended as completed and has no output. */
  readonly continuedBy?: RunId
  /** Of a first run: the newest of those that go on for it that it was told of. No part of the journal. */
  readonly newestRunId?: RunId
  /** Nothing of it is claimed until the pause is lifted. */
  readonly operatorPause?: OperatorPause
  /** How many of its instances have failed for good, and nobody takes their failure. Absent for none. */
  readonly deadLetterCount?: number
}

/** A run that this one started, as far as it knows of it. */
export interface ChildView {
  readonly runId: RunId
  readonly flowId: string
  readonly version?: string
  /** Which instance started it. */
  readonly instanceId: InstanceId
  /** `running` until the news of its end is here. */
  readonly status: 'running' | TerminalStatus
  /** It goes on when this run is cancelled or fails. */
  readonly detached: boolean
}

/** One node instance for those who look at a run. */
export interface InstanceView {
  readonly instanceId: InstanceId
  readonly nodeId: NodeId
  readonly status: InstanceStatus
  readonly attempt: number
  readonly lostLeases: number
  readonly fence: Fence
  readonly arrivals: readonly ArrivedEdge[]
  readonly output?: JsonValue
  readonly action?: string
  readonly error?: RecordedError
  readonly reason?: string
  readonly workerId?: string
  readonly dueAtMs?: number
  readonly steps: readonly RecordedStep[]
  readonly wait?: Wait
}

/**
 * A place in the journal to branch or replay from. Keeping one costs a reference: the state there is the fold of the
 * journal up to `seq`.
 */
export interface Checkpoint {
  readonly id: string
  /** `run-started`, the name given to `checkpoint(name)`, or the instance that settled and how. */
  readonly label: string
  readonly seq: number
  readonly instanceId?: InstanceId
}

export interface RunMetrics {
  /** Instances by status. */
  readonly instances: { readonly [status in InstanceStatus]?: number }
  readonly attempts: number
  readonly lostLeases: number
  /** From creation to the end, or to the last event. */
  readonly durationMs: number
}

/** Work that has failed for good: its attempts are spent, and no fallback and no join takes its failure. */
export interface DeadLetter {
  readonly instanceId: InstanceId
  readonly nodeId: NodeId
  readonly error: RecordedError
  readonly attempts: number
  readonly lostLeases: number
  readonly atMs: number
}

/** A run whole: what `load` gives. */
export interface RunRecord extends RunSummary {
  /** The last error of each instance that has one. */
  readonly errors: readonly (RecordedError & { readonly instanceId: InstanceId })[]
  /** In the order in which they failed. */
  readonly deadLetters: readonly DeadLetter[]
  /** In the order of the journal. */
  readonly checkpoints: readonly Checkpoint[]
  readonly metrics: RunMetrics
  readonly instances: readonly InstanceView[]
  readonly context: { readonly [key: string]: JsonValue }
  /** In the order in which they were started. */
  readonly children: readonly ChildView[]
  /** What was decided, by approval id. */
  readonly decisions: { readonly [approvalId: string]: ApprovalDecision }
  /** Of a limiter: who has a slot, and who waits for one. */
  readonly limiter?: LimiterView
}
