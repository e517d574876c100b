import { checkNumber, checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import type { NewRun, RunRecord, RunStatus, RunSummary } from '../model/run.ts'
import type { ContextSource } from './async-context.ts'
import type { Awaitable } from './awaitable.ts'
import type { Claim, ClaimRequest, ClaimResult, RenewRequest, RenewResult } from './claim.ts'
import type { Notice, NoticeResult } from './notice.ts'
import type { CommitResult, FirstClaim, Transition } from './transition.ts'
import type { IWaitingLists } from './waiting-lists.ts'

/**
 * The durable truth about runs.
 *
 * A run changes in one way only: an atomic operation that checks, then writes everything or nothing. Four calls do
 * that, and each is one operation of the backend: `create`, `claim`, `commit` and `notify`. `renew` and `redispatch`
 * move times that no journal records, and `enlist` moves work to a list. Everything else reads.
 *
 * The thinking is core's. A store checks the guard it is given, writes, keeps the sets of arrivals, and makes a join
 * `ready` when its set is complete (the rule and the size travel with each arrival). It never looks into a value.
 *
 * Time in here is the store's own clock, or one that the adapter holds within a stated error of it, so that two workers'
 * clocks need not agree; callers say how long, the store says until when. Safety rests on fences alone.
 *
 * Expected outcomes are values. A throw means that the backend failed (`STORE_UNAVAILABLE`): the caller cannot know
 * whether the call took effect, and the same call again is safe.
 */
export interface IRunStore extends IWaitingLists {
  readonly durability: Durability

  /**
   * Creates a run, once. After `created`, the run survives whatever the store's durability names (P1), its start
   * instances are ready, and the sweep will find them even if nobody ever sends a job.
   *
   * With `first`, the same operation claims the first of its instances that a candidate allows and that may run now. A store
   * may leave it out: whoever gets no claim asks for one.
   */
  create(run: NewRun, first?: FirstClaim): Awaitable<CreateResult>

  /**
   * Takes one instance for `leaseMs`, if it may run now: it is `ready` and its time has come, it sleeps and is due, it
   * awaits and its time is up, or its lease has ended. The fence of the claim is newer than all before it (P2).
   *
   * Asked again with the same `claimId` by the same worker it gives the same claim, so a lost answer costs nothing.
   */
  claim(request: ClaimRequest): Awaitable<ClaimResult>

  /**
   * Makes a transition so, whole or not at all.
   *
   * Before: the caller holds `transition.fence` for `transition.instanceId`. After `committed`, the deltas are in the
   * context, the events are in the journal with the next sequence numbers, arrivals are in their joins, and every
   * reader sees all of it. A stale fence, or a run that has ended, is not an error: the answer says so and nothing
   * has changed. Asked again with the same `commitId`, the answer is `already-committed` (P2). So it is for a step whose
   * position is recorded: steps run side by side, and the one asked again need not be the newest commit.
   *
   * With `next`, the same operation claims the first instance that this transition made ready and that a candidate
   * allows. A backend that cannot return data from a write reads it afterwards.
   */
  commit(transition: Transition): Awaitable<CommitResult>

  /** News from outside any claim: cancel, signal, decision, a deadline that has passed. One conditional operation. */
  notify(notice: Notice): Awaitable<NoticeResult>

  /**
   * Makes leases longer, for all of one run's instances that a worker holds. A lease is never made longer than the
   * attempt's timeout. The answer also tells what the holder should know: that the run is being cancelled.
   */
  renew(request: RenewRequest): Awaitable<RenewResult>

  /** The run whole, or undefined. */
  load(runId: RunId): Awaitable<RunRecord | undefined>

  /** The run in few words: head, status, output. Costs the same for a run of ten nodes and of ten thousand. */
  summary(runId: RunId): Awaitable<RunSummary | undefined>

  /**
   * Where the run's context is read from, key by key and encoded. Writing is for commits. Reading throws `UNKNOWN_RUN`.
   */
  context(runId: RunId): ContextSource

  /**
   * The run's events with `seq >= from`, in order, without gap or duplicate (P6). With `live`, it goes on until the
   * run has ended or the signal fires. Throws `UNKNOWN_RUN`, and `JOURNAL_REWOUND` where the store's server has lost
   * events that were given out: what comes after them would be of another history.
   */
  journal(runId: RunId, options?: JournalOptions): AsyncIterable<RunEvent>

  /**
   * Resolves with the run's summary when it has ended: as it was then, or as it is now; at once where it had ended
   * before. Undefined when the signal fires first. Throws `UNKNOWN_RUN`. A store that leaves this out has its journal
   * followed for it, which costs every event of the run.
   */
  untilEnd?(runId: RunId, signal?: AbortSignal): Promise<RunSummary | undefined>

  /**
   * Runs that match, newest first, a page at a time. A page may hold fewer runs than the limit, even none, and still
   * have a cursor: the last page is the one without.
   */
  list(query?: RunQuery): Awaitable<RunPage>

  /**
   * What time has made ready, oldest first: instances that may be claimed now, runs past their deadline, and messages
   * that nobody has delivered, and journals that nobody has published, of runs that have ended too.
   * Messages of one run come in the order in which it posted them: a run is started before it is called off.
   * The cost is in what is due, not in what exists. An index may be a little late. It may report what another worker has just taken: a claim decides.
   */
  due(query: DueQuery): Awaitable<readonly DueItem[]>

  /**
   * Notes that jobs were sent again for these instances, or that messages could not be delivered, or a journal not published, so that the next
   * reminder comes after a longer interval (`redispatchMs`, doubled each time up to `redispatchMaxMs`). Losing this note
   * costs one job too many.
   */
  redispatch(items: readonly DueItem[]): Awaitable<void>

  /**
   * Removes messages that the runs they are for have taken, also from a run that has ended. No event speaks of it: losing
   * this note costs a delivery too many, and every message is applied once.
   *
   * The key `journal:SEQ` says that every event of the run up to that one was published; the highest counts.
   */
  delivered(runId: RunId, keys: readonly string[]): Awaitable<void>

  /**
   * Removes runs that ended before the given instant, everything of a run together, whose root has ended too and whose
   * messages have all been delivered, and journal published where it is to be.
   * The first of runs that go on for each other (`continuedBy` in its summary) goes only when the newest that it knows of has
   * ended before that instant as well and is not continued, or is gone: its id is the one by which people know them all.
   * Leaves a tombstone per run for `tombstoneMs`, so that a late double of a start cannot create it again.
   * @returns how many were removed
   */
  purge(options: PurgeOptions): Awaitable<number>

  close(): Awaitable<void>
}

/** What an acknowledged write survives: nothing, `kill -9`, power loss, the loss of a machine. */
export type Durability = 'none' | 'process' | 'power' | 'replicated'

export type CreateResult =
  | { readonly status: 'created'; readonly claim?: Claim }
  /** `same` is false when it was started with another flow, version, input or context. */
  | { readonly status: 'exists'; readonly same: boolean }
  /** The run ended and was removed; its id is kept from use for a while. */
  | { readonly status: 'purged' }
  | { readonly status: 'too-large'; readonly limitBytes: number }

export interface JournalOptions {
  /** First sequence number, 1 unless set. */
  readonly from?: number
  readonly live?: boolean
  /** Instead of `from`: begins behind what was noted as published. Of a run that is not published it gives nothing. */
  readonly unpublished?: true
  readonly signal?: AbortSignal
}

export interface RunQuery {
  readonly status?: readonly RunStatus[]
  readonly flowId?: string
  readonly tag?: string
  readonly createdAfterMs?: number
  readonly createdBeforeMs?: number
  /** Only those that have dead letters. Rare among runs: a sparse index. */
  readonly deadLettered?: true
  /** At most this many, 100 unless set, 1,000 at most. */
  readonly limit?: number
  readonly cursor?: string
}

export interface RunPage {
  readonly runs: readonly RunSummary[]
  /** Pass it on for the next page; absent on the last. */
  readonly cursor?: string
}

export interface DueQuery {
  readonly limit: number
  /** Only instances whose reminder is due too: what a sweep sends jobs for. Without it, all that may be claimed. */
  readonly unsentOnly?: boolean
  /**
   * Only instances of these flows and versions: what the asker can execute. Without it a worker would see the oldest
   * work only, and never its own behind that of versions it lacks.
   */
  readonly flows?: readonly DueFlow[]
  /**
   * What is on the waiting lists of these flows, and nothing else. What is there is told in answer to this, or to a
   * question about its run, and in no other: nobody shall be reminded of what nobody can do.
   */
  readonly enlisted?: boolean
  /**
   * Journals that nobody has published in time, and nothing else: what a worker with a sink looks for. Without it, of those
   * only such that none of these workers has come for either.
   */
  readonly journals?: boolean
  /** Only this run: for those who know where to look. */
  readonly runId?: RunId
}

export interface DueFlow {
  readonly flowId: string
  readonly version?: string | undefined
}

export type DueItem =
  | {
      readonly type: 'instance'
      readonly runId: RunId
      readonly flowId: string
      readonly version?: string
      readonly instanceId: InstanceId
      readonly priority: number
      /** Since when it may be claimed. */
      readonly dueAtMs: number
      /** How many reminders were sent. */
      readonly dispatch: number
    }
  | { readonly type: 'deadline'; readonly runId: RunId; readonly dueAtMs: number }
  /** A limiter under a rate may let in another run. */
  | { readonly type: 'slots'; readonly runId: RunId; readonly dueAtMs: number }
  | {
      readonly type: 'message'
      readonly runId: RunId
      readonly message: RunMessage
      /** Since when it may be delivered. */
      readonly dueAtMs: number
    }
  /** Events of a run that is to be published were not, for as long as a job may go unanswered. */
  | { readonly type: 'journal'; readonly runId: RunId; readonly dueAtMs: number }

export interface PurgeOptions {
  readonly endedBeforeMs: number
  /** At most this many, 1,000 unless set. */
  readonly limit?: number
}

/** For stores: a slip must not be taken for "all of them". */
export function checkPurgeOptions(options: PurgeOptions): PurgeOptions {
  checkOptions(options, ['endedBeforeMs', 'limit'] satisfies (keyof PurgeOptions)[])
  const { endedBeforeMs, limit } = options
  if (typeof endedBeforeMs !== 'number' || Number.isNaN(endedBeforeMs)) {
    const message = `must be an instant in milliseconds, not ${String(endedBeforeMs)}`
    throw new BatonError('INVALID_OPTION', { field: 'endedBeforeMs', message })
  }
  checkNumber(limit, 'limit', { least: 1, whole: true })
  return options
}
