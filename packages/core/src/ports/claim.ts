/** Claims: a worker's time-limited right to execute an instance, and what comes with it. */
import type { RecordedError } from '../model/errors.ts'
import type { Fence, InstanceId, RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { Fate, RecordedStep, RunHead, RunStatus } from '../model/run.ts'

/** What a claimer needs beside the claim itself. */
export interface ClaimNeeds {
  /** Ends the lease for good: `renew` past it is refused. */
  readonly timeoutMs?: number
  /** Context keys to read at the instant of the claim. */
  readonly reads?: readonly string[]
  /** Bring the run's input along. */
  readonly input?: boolean
}

export interface ClaimRequest extends ClaimNeeds {
  readonly runId: RunId
  readonly instanceId: InstanceId
  /** Unique per try. */
  readonly claimId: string
  readonly workerId: string
  readonly leaseMs: number
}

export type ClaimResult =
  | { readonly status: 'claimed'; readonly claim: Claim }
  /** Somebody else has it, it is not due yet, or it is settled. */
  | { readonly status: 'not-claimable' }
  /** The run is being cancelled, or fails fast: nothing new starts. */
  | { readonly status: 'cancelled' }
  | { readonly status: 'ended' }
  | { readonly status: 'unknown-run' }

/** A worker's time-limited right to execute an instance, with what it needs to do so. */
export interface Claim {
  readonly head: RunHead
  readonly instanceId: InstanceId
  readonly fence: Fence
  /** 1 for the first; grows with each failure of node code, not with lost leases. */
  readonly attempt: number
  readonly lostLeases: number
  readonly arrivals: readonly ClaimedArrival[]
  /** What earlier invocations of this instance recorded. */
  readonly steps: readonly RecordedStep[]
  readonly input?: JsonValue
  /** The item of a map that this instance is for. */
  readonly item?: JsonValue
  /** Present when a map node comes back: its items' fates (edges `[index]`) follow what had reached it in `arrivals`. */
  readonly map?: { readonly count: number; readonly maxFailures: number }
  /** Only the keys that exist, with their versions. */
  readonly context: { readonly [key: string]: { readonly value: JsonValue; readonly version: number } }
}

export interface ClaimedArrival {
  readonly edge: string
  readonly from: InstanceId
  readonly fate: Fate
  readonly output?: JsonValue
  readonly error?: RecordedError
}

/** What whoever holds a claim of a run should know about it. */
export interface RunSignal {
  readonly status: RunStatus
  /** Nothing new starts: the run is being cancelled or has failed fast. */
  readonly stopping: boolean
  /** How many events its journal has. */
  readonly seq: number
  /** Whoever made it happen, and has a journal sink, publishes it. */
  readonly publishJournal?: true
}

export interface RenewRequest {
  readonly runId: RunId
  readonly leaseMs: number
  readonly claims: readonly { readonly instanceId: InstanceId; readonly fence: Fence }[]
}

export interface RenewResult {
  readonly run: RunSignal
  /** Claims that are no longer held: the lease was taken, the attempt's time is up, or the run has ended. */
  readonly lost: readonly InstanceId[]
  /** Claims of instances that were called off: their signal should fire. */
  readonly cancelled: readonly InstanceId[]
}
