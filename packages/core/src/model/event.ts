/**
 * The facts of a run. A journal is a list of these with `seq` 1, 2, 3 …; `fold.ts` says what each one means.
 * A name is a noun and a past participle. Values are encoded by the run's serializer.
 */
import type { Delta } from './delta.ts'
import type { RecordedError } from './errors.ts'
import type { Gate } from './gate.ts'
import type { Fence, InstanceId, NodeId, RunId } from './ids.ts'
import type { JsonValue } from './json.ts'
import type { ChildEnd, RunMessage } from './message.ts'
import type { ApprovalDecision, Arrival, NewRun, Outcome, PauseCode, RecordedStep, RunHead, Wait } from './run.ts'
import type { RunSnapshot } from './run-snapshot.ts'
import type { Carried } from './succession.ts'

/** What every event has: its place in the journal and the store's time. */
export interface EventStamp {
  readonly seq: number
  readonly atMs: number
}

/** Which claim an event came from. A stale claim has no events. */
interface ByClaim {
  readonly instanceId: InstanceId
  readonly fence: Fence
}

export type RunFact =
  // The run.
  | {
      readonly type: 'run-started'
      readonly head: RunHead
      readonly input?: JsonValue
      readonly context?: { readonly [key: string]: JsonValue }
      /** The instances that may run at once, or from `startAtMs` on. */
      readonly starts: readonly InstanceId[]
      readonly startAtMs?: number
      /** Of a run that begins where another one was. */
      readonly from?: RunSnapshot
      readonly carried?: Carried
    }
  | { readonly type: 'run-paused' }
  | { readonly type: 'run-resumed' }
  /** By an operator; the two above tell of a run that waits for the outside. */
  | {
      readonly type: 'run-pause-ordered'
      readonly reason: string
      readonly by?: string
      readonly code?: PauseCode
    }
  | { readonly type: 'run-pause-lifted'; readonly by?: string }
  | { readonly type: 'run-cancel-requested'; readonly reason: string }
  | { readonly type: 'run-deadline-passed'; readonly error: RecordedError }
  /** With the run that goes on for it, where there is one. */
  | { readonly type: 'run-completed'; readonly next?: NewRun }
  | { readonly type: 'run-failed'; readonly error: RecordedError; readonly instanceId?: InstanceId }
  | { readonly type: 'run-cancelled'; readonly reason: string }
  // Claims.
  | (ByClaim & {
      readonly type: 'node-claimed'
      readonly attempt: number
      readonly workerId: string
      readonly claimId: string
    })
  | (ByClaim & { readonly type: 'node-lost'; readonly workerId: string })
  | (ByClaim & { readonly type: 'node-released' })
  // Fates.
  | (ByClaim & {
      readonly type: 'node-succeeded'
      readonly output?: JsonValue
      readonly action?: string
      readonly deltas?: readonly Delta[]
      readonly arrivals: readonly Arrival[]
      /** The name under which the output is part of the run's output: set on nodes that nothing follows. */
      readonly resultOf?: NodeId
      readonly cancels?: readonly InstanceId[]
      /** The run shall end, and this one go on for it. */
      readonly continueAs?: NewRun
    })
  | {
      readonly type: 'node-failed'
      readonly instanceId: InstanceId
      /** Absent where a predecessor's failure decided the fate and nobody ran the node. */
      readonly fence?: Fence
      readonly error: RecordedError
      readonly arrivals: readonly Arrival[]
      /** True when nothing takes this failure: the run will end as failed, as long as it stands. */
      readonly fixesOutcome: boolean
      /** The work is kept for an operator: its attempts are spent, and nothing takes its failure. */
      readonly deadLetter?: true
    }
  /** An operator gives it another chance. What its failure had decided is undone. */
  | {
      readonly type: 'node-reopened'
      readonly instanceId: InstanceId
      readonly undone: readonly InstanceId[]
      readonly by?: string
    }
  | {
      readonly type: 'node-skipped'
      readonly instanceId: InstanceId
      readonly fence?: Fence
      readonly reason: SkipReason
      readonly arrivals: readonly Arrival[]
    }
  | { readonly type: 'node-cancelled'; readonly instanceId: InstanceId; readonly reason: string }
  // Between claim and fate.
  | (ByClaim & {
      readonly type: 'attempt-failed'
      readonly attempt: number
      readonly error: RecordedError
      readonly retryAtMs: number
    })
  | (ByClaim & {
      readonly type: 'step-recorded'
      readonly step: RecordedStep
      readonly deltas?: readonly Delta[]
    })
  | (ByClaim & { readonly type: 'node-slept'; readonly step: RecordedStep; readonly wakeAtMs: number })
  | (ByClaim & {
      readonly type: 'node-awaited'
      readonly step: RecordedStep
      readonly wait: Wait
      readonly timeoutAtMs?: number
    })
  | (ByClaim & {
      readonly type: 'map-expanded'
      readonly items: readonly JsonValue[]
      readonly concurrency: number
      readonly maxFailures: number
    })
  // Other runs.
  | (ByClaim & {
      readonly type: 'child-started'
      readonly run: NewRun
      readonly detached: boolean
    })
  | { readonly type: 'child-ended'; readonly childRunId: RunId; readonly end: ChildEnd }
  | (ByClaim & { readonly type: 'message-sent'; readonly message: RunMessage })
  // Limits: what a run hears from a limiter, and what happens to a limiter.
  | { readonly type: 'slot-granted'; readonly limiter: RunId }
  | {
      readonly type: 'slot-requested'
      readonly from: RunId
      readonly gate: Gate
      readonly priority: number
    }
  | { readonly type: 'slot-released'; readonly from: RunId }
  | { readonly type: 'slots-reviewed' }
  | { readonly type: 'limiter-moved'; readonly generation: number }
  // News from outside.
  | {
      readonly type: 'signal-received'
      readonly name: string
      readonly payload?: JsonValue
      readonly signalId?: string
    }
  | { readonly type: 'approval-decided'; readonly approvalId: string; readonly decision: ApprovalDecision }

export type SkipReason = 'not-taken' | 'upstream-failed'

export type RunEvent = EventStamp & RunFact

export type EventType = RunFact['type']

export type { Outcome }
