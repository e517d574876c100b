/** Transitions: what a worker wants to happen, and what a store answers. All of it is JSON. */
import type { Delta } from '../model/delta.ts'
import type { RecordedError } from '../model/errors.ts'
import type { SkipReason } from '../model/event.ts'
import type { Fence, InstanceId, NodeId, RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { RunMessage } from '../model/message.ts'
import type { Arrival, NewRun, RecordedStep, Wait } from '../model/run.ts'
import type { Claim, ClaimNeeds, RunSignal } from './claim.ts'

/**
 * What a worker wants to happen, guarded by its claim. A store may refuse one that names more than it can write at once
 * as `too-large`; every store takes 10,000 arrivals, 10,000 cancels and 50 settlements.
 */
export interface Transition {
  readonly runId: RunId
  /** Unique per transition: what tells a lost answer, asked again, from a second commit. */
  readonly commitId: string
  readonly instanceId: InstanceId
  readonly fence: Fence
  readonly outcome: Outcome
  readonly next?: NextClaim
}

export interface NextClaim {
  readonly workerId: string
  readonly leaseMs: number
  /** Which of the instances made ready may be claimed: by node, each with its own needs. */
  readonly candidates: readonly (ClaimNeeds & { readonly nodeId: NodeId })[]
}

/** For whoever makes a run and has a place to begin it in: which of its start instances to claim in the same operation. */
export interface FirstClaim extends NextClaim {
  /** As in `ClaimRequest`. */
  readonly claimId: string
}

/** What became of the claimed instance. */
export type Outcome =
  | {
      readonly type: 'succeeded'
      readonly output?: JsonValue
      readonly action?: string
      readonly deltas?: readonly Delta[]
      readonly arrivals: readonly Arrival[]
      readonly settlements?: readonly Settlement[]
      /** The name of its output in that of the run. Of two with one name the later one counts. */
      readonly resultOf?: NodeId
      /**
       * The run shall end as completed, and this one go on for it. Nothing new starts, what is not claimed is called off, and with
       * the last claim the run ends; what it takes over is filled in then. No arrivals and no output.
       */
      readonly continueAs?: NewRun
      /** Unsettled instances to call off: the losers of an `any` join. */
      readonly cancels?: readonly InstanceId[]
    }
  | {
      readonly type: 'failed'
      readonly error: RecordedError
      readonly takenBy: FailureTakers
      readonly arrivals: readonly Arrival[]
      readonly settlements?: readonly Settlement[]
    }
  | {
      readonly type: 'skipped'
      readonly reason: SkipReason
      readonly arrivals: readonly Arrival[]
      readonly settlements?: readonly Settlement[]
    }
  /** The attempt failed and will be tried again. */
  | { readonly type: 'retried'; readonly error: RecordedError; readonly delayMs: number }
  /** A step is recorded; the claim goes on. */
  | {
      readonly type: 'stepped'
      readonly step: RecordedStep
      readonly deltas?: readonly Delta[]
      readonly sends?: readonly Send[]
    }
  | { readonly type: 'slept'; readonly step: RecordedStep; readonly delayMs?: number; readonly wakeAtMs?: number }
  | {
      readonly type: 'awaited'
      readonly step: RecordedStep
      readonly wait: Wait
      readonly timeoutMs?: number
      readonly sends?: readonly Send[]
    }
  | {
      readonly type: 'expanded'
      readonly items: readonly JsonValue[]
      readonly concurrency: number
      readonly maxFailures: number
    }
  /** Handed back by a worker that stops: costs neither an attempt nor a lost lease. */
  | { readonly type: 'released' }
  /** Called off: the run is being cancelled and the node stopped. */
  | { readonly type: 'cancelled'; readonly reason: string }

/** What another run is to be told with this transition. */
export type Send =
  | { readonly type: 'start-child'; readonly run: NewRun; readonly detached: boolean }
  | { readonly type: 'message'; readonly message: RunMessage }

/**
 * Whether a failure is taken, so that it does not decide the run: always (a fallback, an `any` join that ignores
 * failures), or if one of these `any` joins has already started without it.
 */
export interface FailureTakers {
  readonly always: boolean
  readonly ifStarted: readonly InstanceId[]
}

/**
 * The fate of an instance that needs no code: skipped, or failed by its predecessor. Applied only while the instance
 * has not started, and, with `after`, only if the settlement of that index was applied.
 */
export interface Settlement {
  readonly instanceId: InstanceId
  readonly after?: number
  readonly fate:
    | { readonly type: 'skipped'; readonly reason: SkipReason }
    | { readonly type: 'failed'; readonly error: RecordedError; readonly takenBy: FailureTakers }
  readonly arrivals: readonly Arrival[]
}

export type CommitResult =
  | {
      /** `already-committed`: the answer to this transition was lost, and here it is again. */
      readonly status: 'committed' | 'already-committed'
      /** Instances that became ready by it, the claimed one left out: the jobs to send. */
      readonly ready: readonly InstanceId[]
      /** What it posted to other runs: to be delivered. Absent for nothing. */
      readonly sent?: readonly RunMessage[]
      readonly claim?: Claim
      readonly run: RunSignal
    }
  /** The claim is no longer the newest, or has been settled. */
  | { readonly status: 'fenced' }
  | { readonly status: 'ended' }
  /** A delta does not fit the context, or another child of the run has that id; the field is named. */
  | {
      readonly status: 'conflict'
      readonly code: 'DELTA_CONFLICT' | 'RUN_EXISTS'
      readonly field: string
      readonly message: string
    }
  | { readonly status: 'too-large'; readonly limitBytes: number }
  | { readonly status: 'unknown-run' }
