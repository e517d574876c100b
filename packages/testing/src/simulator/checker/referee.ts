/**
 * The referee: sees every event, every answer of the store and every call of node code, and looks after each step at the
 * runs that have changed. The first thing that must not be is kept as the violation, and ends the simulation.
 */
import type { JournalEntry, NodeArguments, RunEvent } from '@baton/core'
import {
  type ClaimRequest,
  type ClaimResult,
  type CommitResult,
  type Notice,
  type NoticeResult,
  type RenewRequest,
  type RenewResult,
  type RunMachine,
  recordOf,
  type Transition,
} from '@baton/core/adapter'
import { nameOf, type SimFlow } from '../workload/random-flow.ts'
import type { Actor } from '../world/actor.ts'
import type { World } from '../world/world.ts'
import { AllLimits } from './all-limits.ts'
import { Published } from './published.ts'
import { RunModel } from './run-model.ts'
import { StateCheck } from './state-check.ts'
import { Tree } from './tree.ts'
import { Violation } from './violation.ts'
import { WitnessLog } from './witness-log.ts'

export interface Watched {
  readonly flow: SimFlow
  readonly model: RunModel
  readonly machine: RunMachine
  readonly state: StateCheck
  readonly events: RunEvent[]
}

export class Referee {
  violation: Violation | undefined
  readonly runs = new Map<string, Watched>()
  readonly witness = new WitnessLog()
  readonly limits = new AllLimits()
  readonly topic = new Published()
  /** Starts whose caller was told that they succeeded. */
  readonly started = new Set<string>()
  readonly #flowOf: (name: string) => SimFlow
  readonly tree: Tree
  readonly #leaseMs: number
  /** Runs of which a cancel was said to have won. */
  readonly cancelled = new Set<string>()
  /** Runs that the store has kept long enough. */
  readonly removed = new Set<string>()
  /** Runs that others were made of, and their journals as they were then. */
  readonly sources = new Map<string, { readonly redrivenAs: string; readonly journal: string }>()
  readonly #changed = new Set<string>()
  readonly #commitIds = new Set<string>()
  readonly #settled = new Set<string>()
  readonly #early: RunEvent[] = []
  world: World | undefined

  constructor(flowOf: (name: string) => SimFlow, leaseMs: number) {
    this.tree = new Tree({
      model: (runId) => this.runs.get(runId)?.model,
      summary: (runId) => {
        const run = this.runs.get(runId)
        return run && recordOf(run.machine.state)
      },
      limits: this.limits,
    })
    this.#flowOf = flowOf
    this.#leaseMs = leaseMs
  }

  /** A run was made; its first event has come before. */
  watches(runId: string, machine: RunMachine): void {
    if (this.runs.has(runId)) this.#must('I17', runId, false, 'it is made once more')
    if (machine.state.head.kind === 'limiter') {
      this.#guard(() => this.limits.watches(runId, machine))
      for (const event of this.#early.splice(0)) this.saw(runId, event)
      return
    }
    const { flowId, version } = machine.state.head
    const flow = this.#flowOf(nameOf(flowId, version))
    const model = new RunModel(runId, flow, this.#leaseMs, (id) => this.runs.get(id))
    this.runs.set(runId, { flow, model, machine, state: new StateCheck(model, machine), events: [] })
    this.#notesSource(runId, machine)
    for (const event of this.#early.splice(0)) this.saw(runId, event)
  }

  saw(runId: string, event: RunEvent): void {
    const run = this.runs.get(runId)
    const isLimiter = this.limits.limiters.has(runId)
    if (run === undefined && !isLimiter) {
      this.#early.push(event)
      return
    }
    const { world } = this
    if (world !== undefined) world.trace.tell(world.nowMs, `    → ${runId} ${event.seq} ${told(event)}`)
    if (run === undefined) return this.#guard(() => this.limits.saw(runId, event))
    this.#changed.add(runId)
    if (event.type.startsWith('node-')) this.#settled.add(runId)
    this.#must('I14', runId, !this.sources.has(runId), `${event.type} comes to a run that another one was made of`)
    run.events.push(event)
    this.#guard(() => {
      run.model.saw(event)
      run.state.saw(event)
      this.tree.saw(runId, event)
      if (event.type === 'slot-granted') this.limits.granted(event.limiter, run.model)
      if (run.model.end !== undefined) this.limits.ended(runId)
    })
  }

  /** What another run begins from is to stay as it is. */
  #notesSource(runId: string, machine: RunMachine): void {
    const { branchOriginRunId, branchCheckpointId } = machine.state.head.lineage
    if (branchOriginRunId === undefined || branchCheckpointId === undefined) return
    const before = this.sources.get(branchOriginRunId)
    this.#must(
      'REDO',
      runId,
      before === undefined,
      `${before?.redrivenAs} does the work of ${branchOriginRunId} over already`,
    )
    const journal = JSON.stringify(this.runs.get(branchOriginRunId)?.events)
    this.sources.set(branchOriginRunId, { redrivenAs: runId, journal })
  }

  claimed(actor: Actor, request: ClaimRequest, apply: () => ClaimResult): ClaimResult {
    const result = apply()
    this.#changed.add(request.runId)
    if (result.status === 'claimed') this.#granted(actor.name, result.claim)
    return result
  }

  committed(transition: Transition, apply: () => CommitResult): CommitResult {
    const { runId, instanceId, fence, commitId } = transition
    const before = this.runs.get(runId)?.model.instances.get(instanceId)
    const held = before?.phase === 'claimed' ? before.fence : undefined
    const result = apply()
    this.#changed.add(runId)
    if (result.status === 'committed') {
      this.#must('I7', runId, fence === held, `a commit of ${instanceId} with fence ${fence} counts, now ${held}`)
      this.#must('I1', runId, !this.#commitIds.has(commitId), `${commitId} is committed twice`)
      this.#commitIds.add(commitId)
    }
    if (result.status === 'already-committed' && transition.outcome.type !== 'stepped') {
      this.#must('I1', runId, this.#commitIds.has(commitId), `${commitId} was never committed`)
    }
    if ('claim' in result && result.claim !== undefined && transition.next !== undefined) {
      this.#granted(transition.next.workerId, result.claim)
    }
    return result
  }

  notified(notice: Notice, apply: () => NoticeResult): NoticeResult {
    this.#changed.add(notice.runId)
    const { model } = this.runs.get(notice.runId) ?? {}
    const dead = [...(model?.deadLetters.keys() ?? [])]
    const result = apply()
    const isHeard = result.status === 'accepted' || result.status === 'unchanged'
    const hasCome = isHeard || result.status === 'unknown-run'
    if (notice.type === 'slot-release' && hasCome) this.limits.releases(notice.runId, notice.from)
    if (result.status === 'unknown-run') this.tree.heardByNobody(notice)
    if (notice.type === 'redrive' && result.status === 'accepted') {
      const stays = notice.instanceId === undefined ? dead.find((id) => model?.fates.of(id) !== undefined) : undefined
      this.#must('REDO', notice.runId, stays === undefined, `${stays} stays as it is, and others are done over`)
    }
    if (notice.type !== 'decide' || !isHeard) return result
    const decided = model?.decisions.get(notice.approvalId)
    const told = `${notice.approvalId} is said to be ${notice.decision.approved}, and is ${decided}`
    this.#must('I11', notice.runId, decided === notice.decision.approved, told)
    return result
  }

  delivered(runId: string, keys: readonly string[], apply: () => void): void {
    this.#changed.add(runId)
    this.#guard(() => {
      this.tree.forgets(runId, keys)
      const model = this.runs.get(runId)?.model
      for (const key of keys) {
        const seq = this.topic.noted(runId, key)
        if (model?.isPublished === true) model.publishedSeq = Math.max(model.publishedSeq, seq)
      }
    })
    apply()
  }

  published(runId: string, entries: readonly JournalEntry[]): void {
    this.#guard(() => this.topic.took(runId, entries, this.runs.get(runId)?.events ?? []))
  }

  /** Only what has ended and has nothing more to say may go, and the children of a run not before it has ended. */
  purged(apply: () => number): number {
    const count = apply()
    for (const [runId, { machine, model }] of count === 0 ? [] : this.runs) {
      const { head } = machine.state
      if (this.removed.has(runId) || this.world?.store.summary(head.runId) !== undefined) continue
      this.removed.add(runId)
      const root = this.runs.get(head.lineage.rootRunId)
      this.#must('I17', runId, model.isDone, 'it was removed, and had not ended or had more to say')
      const leads = model.link === 1 && !this.tree.isOver(runId)
      this.#must('I17', runId, !leads, 'it was removed, and runs that people know by it go on')
      this.#must(
        'I17',
        runId,
        root === undefined || root.model.end !== undefined,
        'it was removed before its root has ended',
      )
    }
    return count
  }

  renewed(request: RenewRequest, apply: () => RenewResult): RenewResult {
    const { runId } = request
    const asked = request.claims.map((claim) => ({ ...claim }))
    const result = apply()
    const nowMs = this.world?.storeNowMs ?? 0
    const model = this.runs.get(runId)?.model
    for (const { instanceId, fence } of asked) {
      const instance = model?.instances.get(instanceId)
      if (instance === undefined || result.lost.includes(instanceId)) continue
      const isHeld = instance.phase === 'claimed' && instance.fence === fence
      this.#must('I7', runId, isHeld, `fence ${fence} of ${instanceId} is renewed, now ${instance.fence}`)
      this.#must('I7', runId, nowMs < instance.attemptUntilMs, `${instanceId} is renewed past its timeout`)
      instance.leaseUntilMs = Math.min(nowMs + request.leaseMs, instance.attemptUntilMs)
    }
    return result
  }

  entered(actor: Actor, args: NodeArguments, of: string): void {
    const run = this.runs.get(args.runId)
    const own = run && nameOf(run.flow.flow.id, run.flow.version)
    this.#must('I13', args.runId, of === own, `${args.instanceId} runs code of ${of}, and is of ${own}`)
    this.#guard(() => run && this.witness.entered(actor, args, run.model))
  }

  sawStep(actor: Actor, args: NodeArguments, name: string): void {
    const run = this.runs.get(args.runId)
    this.#guard(() => run && this.witness.sawStep(actor, args, name, run.model))
  }

  /** After each step: what has changed must be as it should. */
  looks(): void {
    for (const runId of this.#changed) {
      const run = this.runs.get(runId)
      if (run === undefined) continue
      this.#guard(() => {
        run.state.check()
        if (this.#settled.delete(runId)) run.model.checkJoins((id) => isOpen(run.machine, id))
      })
    }
    this.#changed.clear()
    this.#guard(() => this.limits.looks())
    for (const runId of this.started) this.#must('I4', runId, this.runs.has(runId), 'a start that returned is lost')
  }

  /** Once all is over. */
  checkLimits(): void {
    this.#guard(() => this.limits.checkEnd((runId) => this.runs.get(runId)?.model.isDone !== false))
  }

  fails(invariant: Violation['invariant'], runId: string, message: string): void {
    this.#must(invariant, runId, false, message)
  }

  #granted(worker: string, claim: NonNullable<Extract<CommitResult, { claim?: unknown }>['claim']>): void {
    const { head, instanceId, fence } = claim
    const { claimedSeq = 0, lost = 0 } = this.runs.get(head.runId)?.model.instances.get(instanceId) ?? {}
    this.witness.granted(worker, head.runId, instanceId, { fence, seq: claimedSeq, lost })
  }

  #must(invariant: Violation['invariant'], runId: string, holds: boolean, message: string): void {
    if (!holds) this.violation ??= new Violation(invariant, runId, message)
  }

  /** A violation is kept and not thrown: the engine would take it for a fault of the store. */
  #guard(check: () => unknown): void {
    if (this.violation !== undefined) return
    try {
      check()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.violation = error
    }
  }
}

/** Whether the store waits no longer for predecessors of it. */
function isOpen({ state }: RunMachine, instanceId: string): boolean {
  const status = state.instances.get(instanceId)?.status
  return status !== undefined && status !== 'waiting'
}

function told(event: RunEvent): string {
  const parts: string[] = [event.type]
  if ('instanceId' in event && event.instanceId !== undefined) parts.push(event.instanceId)
  if ('fence' in event && event.fence !== undefined) parts.push(`f${event.fence}`)
  if ('from' in event && typeof event.from === 'string') parts.push(event.from)
  if (event.type === 'run-completed' && event.next !== undefined) parts.push(`goes on as ${event.next.runId}`)
  if ('workerId' in event) parts.push(event.workerId)
  if (event.type === 'node-failed' || event.type === 'attempt-failed') parts.push(event.error.message)
  return parts.join(' ')
}
