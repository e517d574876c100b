/**
 * The rules by which a run's state changes: what every run store does, in one place and without I/O.
 *
 * A machine is asked, checks the guard, turns what it accepts into events, and folds them. It decides nothing that
 * needs a blueprint: that is `engine/decide.ts`. Stores that keep a run in memory or as an ordered log use it as it
 * is; stores that run their own scripts do the same and are held to it by the conformance kit.
 *
 * A node instance goes:
 *
 *   waiting ─► ready ─► claimed ─► succeeded | failed | skipped | cancelled
 *                ▲         ├──► sleeping ──(time)──┐
 *                │         ├──► awaiting ──(news)──┤
 *                └─────────┴── retry, lost lease ◄─┘
 *
 * Several claims of one instance may be out there, held by workers that do not know of each other; the fence, which
 * grows with every claim, says which one counts.
 */
import type { RunEvent, RunFact } from '../model/event.ts'
import { fold } from '../model/fold.ts'
import { isHeldBack } from '../model/hold.ts'
import type { InstanceId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import { notePublished } from '../model/publication.ts'
import type { NewRun } from '../model/run.ts'
import { isSettled, isTerminal } from '../model/run.ts'
import { forget, type InstanceState, isDone, NEVER, newDueAtMs, RunState } from '../model/run-state.ts'
import { delist, delistAll } from '../model/waiting-list.ts'
import type { Claim, ClaimNeeds, ClaimRequest, ClaimResult, RenewRequest, RenewResult } from '../ports/claim.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import type { DueItem } from '../ports/run-store.ts'
import type { CommitResult, FirstClaim, NextClaim, Settlement, Transition } from '../ports/transition.ts'
import type { EnlistResult } from '../ports/waiting-lists.ts'
import { answerAgain, hasStep, noteAnswer } from './answer-again.ts'
import { claimView } from './claim-view.ts'
import { maySettle, sendFact, settlementFact } from './commit-facts.ts'
import { type DueFilter, dueItems, isClaimable, nextDueAtMs } from './due.ts'
import { conclusionOf, deadlinePassed } from './ending.ts'
import { enlist } from './enlist.ts'
import { beginLease, claimedEvent, lostEvent, renewLeases } from './lease.ts'
import type { MachineOptions } from './machine-options.ts'
import { notify } from './notify.ts'
import { goesOnAsNew, isMoot, outcomeEvent } from './outcome-event.ts'
import { childConflict, deltaConflict } from './refusal.ts'
import { NO_IDS, type ReminderTimes, remindLater, remindOfJournal, takeOpened, takeSent } from './reminders.ts'
import { signalOf } from './run-signal.ts'
import { headOf, isSameStart, runStarted } from './run-start.ts'

export class RunMachine {
  readonly state: RunState
  readonly #options: MachineOptions

  constructor(state: RunState, options: MachineOptions) {
    this.state = state
    this.#options = options
  }

  static create(run: NewRun, atMs: number, options: MachineOptions): RunMachine {
    const head = headOf(run, atMs)
    const machine = new RunMachine(new RunState(head), options)
    machine.#emit(runStarted(run, head, atMs))
    if (run.from !== undefined) {
      machine.#conclude(atMs)
      machine.#takeSent(atMs)
    }
    machine.#takeOpened(atMs)
    // Whoever creates a run knows what it says first; `engine/first-words.ts`.
    machine.#takeSent(atMs)
    return machine
  }

  /** It has ended, and all that it had to say has been taken, and published: nothing will change it any more. */
  get isDone(): boolean {
    return isDone(this.state)
  }

  /** Whether a `create` with this content asks for the run that is already here. */
  isSameStart(run: NewRun): boolean {
    return isSameStart(this.state, run)
  }

  /** What whoever makes the run claims with that. */
  claimFirst({ claimId, workerId, leaseMs, candidates }: FirstClaim, atMs: number): Claim | undefined {
    const { runId } = this.state.head
    for (const { nodeId, ...needs } of candidates) {
      const request = { runId, instanceId: nodeId, claimId, workerId, leaseMs, ...needs }
      const result = this.claim(request, atMs)
      if (result.status === 'claimed') return result.claim
    }
    return undefined
  }

  claim(request: ClaimRequest, atMs: number): ClaimResult {
    const { state } = this
    if (isTerminal(state.status)) return { status: 'ended' }
    if (this.#passDeadline(atMs)) {
      // Whatever the claim is for: with no claim left, nobody else would come by to end the run.
      this.#conclude(atMs)
      if (isTerminal(state.status)) return { status: 'ended' }
    }
    const instance = state.instances.get(request.instanceId)
    if (instance === undefined) return { status: state.stopping ? 'cancelled' : 'not-claimable' }
    if (instance.status === 'claimed' && instance.claimId === request.claimId) {
      return { status: 'claimed', claim: claimView(state, instance, request) }
    }
    if (isHeldBack(state)) return { status: 'not-claimable' }
    if (!isClaimable(instance, atMs)) return { status: state.stopping ? 'cancelled' : 'not-claimable' }
    if (instance.status === 'claimed') {
      this.#emit(lostEvent(state, instance, atMs))
      if (instance.calledOff || state.stopping) {
        this.#record({ type: 'node-cancelled', instanceId: instance.id, reason: 'called-off' }, atMs)
      }
    }
    if (state.stopping || isSettled(instance.status)) {
      this.#conclude(atMs)
      return { status: isTerminal(state.status) ? 'ended' : state.stopping ? 'cancelled' : 'not-claimable' }
    }
    const claim = this.#grant(instance, request, request, request.claimId, atMs)
    this.#conclude(atMs)
    this.#takeOpened(atMs)
    return { status: 'claimed', claim }
  }

  commit(transition: Transition, atMs: number): CommitResult {
    const { state } = this
    const instance = state.instances.get(transition.instanceId)
    if (instance !== undefined && instance.commitId === transition.commitId) {
      return answerAgain(state, instance, transition, signalOf(state))
    }
    if (isTerminal(state.status)) return { status: 'ended' }
    if (instance === undefined || instance.fence !== transition.fence || instance.status !== 'claimed') {
      return { status: 'fenced' }
    }
    const { outcome } = transition
    if (outcome.type === 'stepped' && hasStep(instance, outcome.step.position)) {
      return { status: 'already-committed', ready: NO_IDS, run: signalOf(state) }
    }
    const conflict = deltaConflict(state, outcome)
    if (conflict !== undefined) return conflict
    const sends = 'sends' in outcome && !isMoot(state, instance, outcome) ? (outcome.sends ?? []) : []
    const taken = childConflict(state, sends)
    if (taken !== undefined) return taken

    delist(state, instance)
    // What other runs are to be told comes before the step that asked for it.
    for (const send of sends) this.#record(sendFact(instance, send), atMs)
    const isLast = goesOnAsNew(state, outcome)
    this.#emit(outcomeEvent(state, instance, outcome, atMs))
    const isAlone = isLast || hasStatus(instance, 'cancelled')
    if (!isAlone && 'settlements' in outcome && outcome.settlements !== undefined) {
      this.#settleBehind(outcome.settlements, atMs)
    }
    // No lease to wait for any more: the sweep may remind of it as soon as its time has come.
    if (outcome.type === 'slept' || outcome.type === 'awaited') instance.remindAtMs = instance.dueAtMs
    this.#conclude(atMs)
    const claim = this.#claimNext(transition, atMs)
    const ready = this.#takeOpened(atMs)
    noteAnswer(instance, transition.commitId, ready, claim?.instanceId)
    if (this.#options.forgets?.(instance.nodeId) === true) forget(state, instance)
    const run = signalOf(state)
    if (state.sent.length > 0) return { status: 'committed', ready, sent: this.#takeSent(atMs), ...maybe(claim), run }
    return claim === undefined ? { status: 'committed', ready, run } : { status: 'committed', ready, claim, run }
  }

  notify(notice: Notice, atMs: number): NoticeResult {
    return notify(this.state, notice, {
      atMs,
      options: this.#options,
      record: (fact) => this.#record(fact, atMs),
      conclude: () => this.#conclude(atMs),
    })
  }

  renew(request: RenewRequest, atMs: number): RenewResult {
    return renewLeases(this.state, request, signalOf(this.state), atMs)
  }

  /** Notes that jobs were sent again, or messages were not taken; the next reminder comes after twice the time. */
  redispatch(
    instanceIds: readonly InstanceId[],
    times: ReminderTimes,
    atMs: number,
    messages: readonly string[] = [],
  ): void {
    remindLater(this.state, instanceIds, messages, times, atMs)
  }

  /** Puts an instance on the waiting list for the run's version. No event speaks of it: it is only about who may take it. */
  enlist(instanceId: InstanceId, atMs: number): EnlistResult {
    return enlist(this.state, instanceId, atMs)
  }

  /** Those messages have been taken by the runs that they were for, or events published. No event speaks of it. */
  delivered(keys: readonly string[]): void {
    for (const key of keys) if (this.state.outbox?.delete(key) !== true) notePublished(this.state, key)
  }

  /** What may be claimed at the given instant, and the deadline if it has passed; oldest first. */
  due(atMs: number, filter: DueFilter = {}): DueItem[] {
    return dueItems(this.state, atMs, filter)
  }

  /** The earliest instant at which `due` may have something to say; never when the run has ended. Looks at all of it. */
  nextDueAtMs(): number {
    return nextDueAtMs(this.state)
  }

  /** The same for `due` with `unsentOnly`: when the sweep has something to do next. */
  nextRemindAtMs(): number {
    return nextDueAtMs(this.state, { unsentOnly: true })
  }

  /**
   * The earliest instant at which something becomes due that was not known when this was last asked; `NEVER` for none.
   * Costs nothing, so that an index of due runs can be kept up to date with every commit.
   */
  takeNewDueAtMs(): number {
    const atMs = newDueAtMs(this.state)
    this.state.newDueAtMs = NEVER
    this.state.newDue = undefined
    return atMs
  }

  #emit(event: RunEvent): void {
    fold(this.state, event)
    if (this.state.publication !== undefined) remindOfJournal(this.state, this.#options.redispatchMs, event.atMs)
    this.#options.onEvent?.(event)
  }

  #grant(
    instance: InstanceState,
    needs: ClaimNeeds,
    { workerId, leaseMs }: { readonly workerId: string; readonly leaseMs: number },
    claimId: string,
    atMs: number,
  ): Claim {
    this.#emit(claimedEvent(this.state, instance, workerId, claimId, atMs))
    beginLease(this.state, instance, leaseMs, needs.timeoutMs, atMs)
    return claimView(this.state, instance, needs)
  }

  #record(fact: RunFact, atMs: number): void {
    this.#emit({ seq: this.state.seq + 1, atMs, ...fact })
  }

  /** Applied one by one: whether a fate still holds may depend on those before it. */
  #settleBehind(settlements: readonly Settlement[], atMs: number): void {
    const { state } = this
    const applied: boolean[] = []
    for (const settlement of settlements) {
      const may = maySettle(state, settlement, applied)
      applied.push(may)
      if (may) this.#record(settlementFact(state, settlement), atMs)
    }
  }

  #passDeadline(atMs: number): boolean {
    const fact = deadlinePassed(this.state, atMs)
    if (fact !== undefined) this.#record(fact, atMs)
    return fact !== undefined
  }

  #conclude(atMs: number): void {
    const { state } = this
    if (isTerminal(state.status) || state.limiter !== undefined) return
    if (state.stopping || state.held !== undefined) delistAll(state)
    const fact = conclusionOf(state)
    if (fact !== undefined) this.#record(fact, atMs)
  }

  /** Claims the first instance made ready that a candidate allows; the others are the jobs to send. */
  #claimNext({ next, commitId }: Transition, atMs: number): Claim | undefined {
    const { state } = this
    if (next === undefined || state.opened.length === 0 || state.stopping || isTerminal(state.status)) return undefined
    if (isHeldBack(state)) return undefined
    // A chain of commits must not outrun the deadline: a claim that came by itself would be refused.
    if (this.#passDeadline(atMs)) {
      this.#conclude(atMs)
      return undefined
    }
    for (const instance of state.opened) {
      const needs = candidateFor(next, instance, atMs)
      if (needs !== undefined) return this.#grant(instance, needs, next, commitId, atMs)
    }
    return undefined
  }

  #takeOpened(atMs: number): readonly InstanceId[] {
    return takeOpened(this.state, this.#options.redispatchMs, atMs)
  }

  #takeSent(atMs: number): readonly RunMessage[] {
    return takeSent(this.state, this.#options.redispatchMs, atMs)
  }
}

/** Asked after something was folded: what the compiler knows of the status from before no longer holds. */
function hasStatus(instance: InstanceState, status: InstanceState['status']): boolean {
  return instance.status === status
}

function maybe(claim: Claim | undefined): { readonly claim?: Claim } {
  return claim === undefined ? {} : { claim }
}

function candidateFor(next: NextClaim, instance: InstanceState, atMs: number) {
  if (instance.status !== 'ready' || instance.dueAtMs > atMs) return undefined
  for (const candidate of next.candidates) if (candidate.nodeId === instance.nodeId) return candidate
  return undefined
}
