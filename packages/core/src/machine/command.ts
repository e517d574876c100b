import type { InstanceId, RunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import type { ClaimRequest, RenewRequest } from '../ports/claim.ts'
import type { Notice } from '../ports/notice.ts'
import type { FirstClaim, Transition } from '../ports/transition.ts'

/**
 * Everything that can change a run. A store that keeps commands in one order (memory, files) has a run's state by
 * applying them; `apply.ts` says what each does. All of it is JSON.
 */
export type Command =
  | { readonly type: 'create'; readonly run: NewRun; readonly first?: FirstClaim }
  | { readonly type: 'claim'; readonly request: ClaimRequest }
  | { readonly type: 'commit'; readonly transition: Transition }
  | { readonly type: 'notify'; readonly notice: Notice }
  | { readonly type: 'renew'; readonly request: RenewRequest }
  | {
      readonly type: 'redispatch'
      readonly runId: RunId
      readonly instances: readonly string[]
      /** Keys of messages; `journal` for what was not published. */
      readonly messages: readonly string[]
      readonly redispatchMs: number
      readonly redispatchMaxMs: number
    }
  | { readonly type: 'enlist'; readonly runId: RunId; readonly instanceId: InstanceId }
  | { readonly type: 'delivered'; readonly runId: RunId; readonly keys: readonly string[] }
