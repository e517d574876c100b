import type { InstanceId, RunId } from '../model/ids.ts'
import type { Awaitable } from './awaitable.ts'
import type { DueFlow } from './run-store.ts'

/**
 * The part of a run store that keeps work which only certain workers can do: a list for each flow and version, and one
 * for each flow whose runs have no version.
 *
 * Whoever gets a job for a version that it lacks puts the instance there. From then on no reminder is sent for it, so
 * that a version without workers costs nothing however long that lasts; a worker that has the version looks at its
 * lists when it starts and with every sweep, and claims what it finds there as it claims anything else. A claim takes
 * the instance off the list; and a run that is called off takes all of its own off, so that anybody may bury its dead.
 */
export interface IWaitingLists {
  /**
   * Puts an instance on the list of its run's flow and version: one conditional write, and only if it may be claimed
   * now. Once it is `enlisted`, `due({ flows, enlisted: true })` finds it, no other `due` does (but that of its run), and
   * its job may be forgotten. Asked again, it answers the same and changes nothing.
   */
  enlist(request: EnlistRequest): Awaitable<EnlistResult>

  /** The lists that have something on them: what waits for which version. For operators; may cost what waits. */
  waitingLists(): Awaitable<readonly WaitingList[]>

  /**
   * Calls back soon after something was put on a list of these flows. A hint, which may be late, missing or too many: a
   * store that has no way to tell does nothing, and its workers find the work with their next sweep.
   * @returns how to end it
   */
  onEnlisted(flows: readonly DueFlow[], wake: () => void): () => void
}

export interface EnlistRequest {
  readonly runId: RunId
  readonly instanceId: InstanceId
}

export type EnlistResult =
  | { readonly status: 'enlisted' }
  /** Somebody has it, or it is settled, or its time has not come: there is nothing to wait for. */
  | { readonly status: 'not-claimable' }
  /** Nothing new starts in this run, so that a claim is no right to execute anything, and everybody may make one. */
  | { readonly status: 'cancelled' }
  | { readonly status: 'ended' }
  | { readonly status: 'unknown-run' }

export interface WaitingList {
  readonly flowId: string
  /** Absent for runs without a version. */
  readonly version?: string
  /** How many instances are on it. */
  readonly count: number
  /** Since when the one that came first has been there. */
  readonly sinceMs: number
}
