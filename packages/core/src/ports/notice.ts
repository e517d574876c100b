/** Notices: news for a run from outside any claim. */
import type { Gate } from '../model/gate.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { ChildEnd, RunMessage } from '../model/message.ts'
import type { ApprovalDecision, PauseCode } from '../model/run.ts'
import type { RunSignal } from './claim.ts'

export type Notice =
  | { readonly type: 'cancel'; readonly runId: RunId; readonly reason: string }
  | {
      readonly type: 'signal'
      readonly runId: RunId
      readonly name: string
      readonly payload?: JsonValue
      /** The same id twice is one signal. A run remembers the last 10,000 ids. */
      readonly signalId?: string
    }
  | {
      readonly type: 'decide'
      readonly runId: RunId
      readonly approvalId: string
      readonly decision: ApprovalDecision
    }
  | { readonly type: 'deadline'; readonly runId: RunId }
  /**
   * By an operator: nothing of the run is claimed until `unpause`, and `due` names no instance of it. What is claimed
   * may record what happened, news is taken, the deadline runs on; whatever stops the run ends the pause as well. The
   * first pause stands.
   */
  | {
      readonly type: 'pause'
      readonly runId: RunId
      readonly reason: string
      readonly by?: string
      readonly code?: PauseCode
    }
  /**
   * By an operator: opens dead letters of a live run again, one or, without `instanceId`, all of them or none, and undoes
   * what their failures have decided, as long as nothing behind them has started. `model/reopen.ts` says what that is.
   */
  | { readonly type: 'redrive'; readonly runId: RunId; readonly instanceId?: InstanceId; readonly by?: string }
  /** Answers with everything that may be claimed now as `ready`. */
  | { readonly type: 'unpause'; readonly runId: RunId; readonly by?: string }
  /**
   * A run goes on for the one before it, and this first one of them all is told: `continuedBy` of its answers and
   * `newestRunId` of its summary say so from now on, unless it knows of a later link. No event speaks of it; the run has ended.
   */
  | { readonly type: 'continued'; readonly runId: RunId; readonly by: RunId; readonly link: number }
  /** From a run that this one started. */
  | { readonly type: 'child-ended'; readonly runId: RunId; readonly childRunId: RunId; readonly end: ChildEnd }
  /** To a run that waits at a gate: it may go on. */
  | { readonly type: 'slot-grant'; readonly runId: RunId; readonly limiter: RunId }
  | LimiterNotice

/** News for a limiter. */
export type LimiterNotice =
  /** From a run that waits at a gate. */
  | {
      readonly type: 'slot-request'
      readonly runId: RunId
      readonly from: RunId
      readonly gate: Gate
      readonly priority: number
    }
  /** From a run that has ended. */
  | { readonly type: 'slot-release'; readonly runId: RunId; readonly from: RunId }
  /** Time may have made room. */
  | { readonly type: 'slots-due'; readonly runId: RunId }
  /** To the first run of a limiter. */
  | { readonly type: 'limiter-move'; readonly runId: RunId; readonly generation: number }

/** Why a dead letter stays one; `stopping` and `gone-on` until the run has ended. */
export type RedriveRefusal =
  | { readonly status: 'not-dead-lettered' }
  | { readonly status: 'stopping' }
  /** `instanceId` has acted on the failure of `deadLetter`. */
  | { readonly status: 'gone-on'; readonly deadLetter: InstanceId; readonly instanceId: InstanceId }

export type NoticeResult =
  | {
      readonly status: 'accepted'
      readonly ready: readonly InstanceId[]
      /** What it posted to other runs: to be delivered. Absent for nothing. */
      readonly sent?: readonly RunMessage[]
      /** Of a limiter: after how long time alone lets the next run in. */
      readonly againInMs?: number
      readonly run: RunSignal
    }
  /** This limiter is another run now. Nothing was written. */
  | { readonly status: 'moved'; readonly to: RunId }
  /** It changed nothing: a signal or cancel that was there, a decision made before in the same way. */
  | { readonly status: 'unchanged'; readonly againInMs?: number; readonly run: RunSignal }
  /** The approval was decided before, and differently. */
  | { readonly status: 'conflict'; readonly decision: ApprovalDecision }
  | { readonly status: 'unknown-approval' }
  | RedriveRefusal
  /**
   * With `continuedBy`, another run goes on for it: the newest that is known here. The news is for that one. A signal whose id
   * the run knows is `unchanged` after its end too, so that no signal is taken by two of them.
   */
  | { readonly status: 'ended'; readonly run: RunSignal; readonly continuedBy?: RunId }
  | { readonly status: 'too-large'; readonly limitBytes: number }
  | { readonly status: 'unknown-run' }
