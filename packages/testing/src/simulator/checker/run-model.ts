/**
 * One run as the referee follows it: each event must be allowed by what came before, by the blueprint and by the time.
 * It shares no code with the engine, so that a mistake there is not repeated here.
 */
import { defaults, nodeOfInstance, type RunEvent } from '@baton/core'
import type { NewRun } from '@baton/core/adapter'
import type { SimFlow } from '../workload/random-flow.ts'
import type { Source } from './beginning-again.ts'
import { claim } from './claiming.ts'
import { FamilyModel } from './family-model.ts'
import { Fates } from './fates.ts'
import { GatesModel } from './gates-model.ts'
import { InstanceModel } from './instance-model.ts'
import type { InvariantId } from './invariants.ts'
import { type JoinRules, rulesOf } from './join-rules.ts'
import { reopen } from './reopening.ts'
import { begin, end } from './run-bounds.ts'
import { settle } from './settling.ts'
import { Violation } from './violation.ts'
import { WaitsModel } from './waits-model.ts'

/** Where a run that begins again was taken from. */
export type SourceOf = (runId: string) => Source | undefined

export class RunModel {
  readonly runId: string
  readonly flow: SimFlow
  readonly rules: JoinRules
  fates: Fates
  readonly family = new FamilyModel()
  instances = new Map<string, InstanceModel>()
  decisions = new Map<string, boolean>()
  signalIds = new Set<string>()
  waits = new WaitsModel()
  /** Work that is kept for an operator, and the event by which it failed. */
  deadLetters = new Map<string, number>()
  /** What an operator may have done over who has asked when the last of other events came. */
  redrivable = new Set<string>()
  /** Failures that nobody takes. */
  failures = new Set<string>()
  readonly leaseMs: number
  readonly sourceOf: SourceOf
  seq = 0
  atMs = 0
  /** Times that a loop began again. */
  revisits = 0
  /** Nothing new may start. */
  isStopping = false
  cancelRequested = false
  /** Nothing may start until an operator says so. */
  isHeld = false
  end: RunEvent['type'] | undefined
  input: unknown
  /** Nothing of it starts before. */
  startsAtMs = 0
  /** The first of its row: the id by which all are known that go on for each other. */
  firstRunId: string
  link = 1
  /** The run that shall go on for it, as its node said. */
  continueAs: NewRun | undefined
  /** The run that goes on for it. */
  next: NewRun | undefined
  gates: GatesModel
  deadlineAtMs = Number.POSITIVE_INFINITY
  isTooLate = false
  failFast = true
  /** Its journal is to be published; and up to which event the store knows that it was. */
  isPublished = false
  publishedSeq = 0
  starts: readonly string[] = []

  constructor(runId: string, flow: SimFlow, leaseMs: number, sourceOf: SourceOf) {
    this.runId = runId
    this.flow = flow
    this.firstRunId = runId
    this.gates = new GatesModel([], this.family, 0)
    this.rules = rulesOf(flow)
    this.fates = new Fates(this.rules.layout)
    this.leaseMs = leaseMs
    this.sourceOf = sourceOf
  }

  get hasFailed(): boolean {
    return this.isTooLate || this.failures.size > 0
  }

  /** The same run, as far as these of its events go. */
  replay(events: readonly RunEvent[]): RunModel {
    const again = new RunModel(this.runId, this.flow, this.leaseMs, this.sourceOf)
    for (const event of events) again.saw(event)
    return again
  }

  /** Begins with what another run had come to, but for its children. */
  takesOver({ fates, instances, decisions, signalIds, waits, deadLetters, failures }: RunModel): void {
    Object.assign(this, { fates, instances, decisions, signalIds, waits, deadLetters: new Map(deadLetters), failures })
    for (const instance of instances.values()) instance.failedSeq = 1
  }

  /** It has ended, and all that it had to say was heard, and published where it is to be. */
  get isDone(): boolean {
    const isBehind = this.isPublished && this.publishedSeq < this.seq
    return this.end !== undefined && this.family.outbox.size === 0 && !isBehind
  }

  saw(event: RunEvent): void {
    this.must('I6', event.seq === this.seq + 1, `event ${event.seq} follows ${this.seq}`)
    this.must('I6', event.atMs >= this.atMs, `event ${event.seq} is older than the one before`)
    this.must('I5', this.end === undefined, `${event.type} after ${this.end}`)
    this.seq = event.seq
    this.atMs = event.atMs
    // All dead letters are opened together: the first may leave another one that is none any more.
    if (event.type !== 'node-reopened') this.redrivable.clear()
    else if (this.redrivable.size === 0) this.redrivable = new Set(this.deadLetters.keys())
    switch (event.type) {
      case 'run-started':
        return begin(this, event)
      case 'slot-granted': {
        const isDue = !this.isStopping && this.gates.passes(event.limiter, event.atMs)
        this.must('LIMIT', isDue, `it is given a slot of ${event.limiter}, for which it does not wait`)
        if (!this.gates.isClosed) for (const id of this.starts) this.becomes(this.instance(id), 'ready', event.atMs)
        return
      }
      case 'run-pause-ordered':
        this.must('I8', this.goesOn && !this.isHeld, 'a pause of what does not go on')
        this.isHeld = true
        return
      case 'run-pause-lifted':
        this.must('I8', this.isHeld, 'a pause is lifted that was not there')
        this.isHeld = false
        return
      case 'run-cancel-requested':
        this.must('I8', this.goesOn, 'a cancel after the run was stopped')
        this.isStopping = true
        this.cancelRequested = true
        this.continueAs = undefined
        return this.letsGo()
      case 'run-deadline-passed':
        this.must('I15', event.atMs >= this.deadlineAtMs, 'the deadline passed before its time')
        this.isStopping = true
        this.isTooLate = true
        return this.letsGo()
      case 'run-completed':
      case 'run-failed':
      case 'run-cancelled':
        return end(this, event)
      case 'node-claimed':
        return claim(this, event)
      case 'node-lost': {
        const instance = this.held(event)
        this.must('I7', event.atMs >= instance.leaseUntilMs, `the lease of ${instance.id} had not ended`)
        instance.lost += 1
        return this.becomes(instance, 'ready', event.atMs)
      }
      case 'node-released':
        return this.becomes(this.held(event), 'ready', event.atMs)
      case 'attempt-failed': {
        const instance = this.held(event)
        instance.failures += 1
        const { attempts = defaults.attempts } = this.configOf(instance).retry ?? {}
        this.must('I16', instance.failures < attempts, `${instance.id} is tried again after ${instance.failures}`)
        return this.becomes(instance, 'ready', event.retryAtMs)
      }
      case 'step-recorded':
        return this.#recorded(this.held(event), event.step)
      case 'node-slept':
        return this.becomes(this.held(event), 'sleeping', event.wakeAtMs)
      case 'node-awaited': {
        const instance = this.held(event)
        const { kind, name } = event.wait
        const hasCome = kind === 'child' ? this.family.waits(instance, name) : this.waits.waits(instance, kind, name)
        instance.parkedAt = event.step.position
        if (hasCome && kind === 'child') this.#hears(instance, name)
        if (hasCome) return this.becomes(instance, 'ready', event.atMs)
        return this.becomes(instance, 'awaiting', event.timeoutAtMs ?? Number.POSITIVE_INFINITY)
      }
      case 'child-started':
        this.held(event)
        return this.family.starts(event)
      case 'child-ended': {
        const child = this.family.children.get(event.childRunId)
        this.must('TREE', child !== undefined, `${event.childRunId} is no child of it, and is told to have ended`)
        this.must('TREE', child?.end === undefined, `${event.childRunId} is told to have ended twice`)
        for (const instance of this.family.ended(event.childRunId, event.end)) {
          this.#hears(instance, event.childRunId)
          this.#wakes(instance, event.atMs)
        }
        return
      }
      case 'message-sent':
        this.held(event)
        return this.family.sends(event.message)
      case 'map-expanded': {
        const instance = this.held(event)
        instance.isMap = true
        return this.becomes(instance, 'expanded', event.atMs)
      }
      case 'node-reopened': {
        this.must('REDO', !this.isStopping, `${event.instanceId} is opened again in a run that stops`)
        const mistake = reopen(this, event)
        return this.must('REDO', mistake === undefined, mistake ?? '')
      }
      case 'node-succeeded':
      case 'node-failed':
      case 'node-skipped':
      case 'node-cancelled':
        return settle(this, event)
      case 'signal-received':
        if (event.signalId !== undefined) {
          this.must('I9', !this.signalIds.has(event.signalId), `signal ${event.signalId} counts twice`)
          this.signalIds.add(event.signalId)
        }
        return this.#wakes(this.waits.comes('signal', event.name), event.atMs)
      case 'approval-decided':
        this.must('I11', !this.decisions.has(event.approvalId), `${event.approvalId} is decided twice`)
        this.decisions.set(event.approvalId, event.decision.approved)
        return this.#wakes(this.waits.comes('approval', event.approvalId), event.atMs)
      default:
        return
    }
  }

  /** Joins whose rule is met must be ready: looked at when something has settled. */
  checkJoins(isOpen: (instanceId: string) => boolean): void {
    if (this.isStopping || this.end !== undefined) return
    for (const region of this.fates.regions) {
      for (const id of this.rules.joinsOf(region)) {
        if (this.instances.get(id)?.hasStarted === true || this.fates.of(id) !== undefined) continue
        const state = this.rules.stateNow(id, this.fates)
        this.must('I2', state === 'waits' || isOpen(id), `${id} still waits, where its predecessors say ${state}`)
      }
    }
  }

  /** It is not stopped; or only so that another one goes on for it, which others may still prevent. */
  get goesOn(): boolean {
    return !this.isStopping || this.continueAs !== undefined
  }

  /** It stops for good: a pause holds nothing any more, and its children have nobody to run for. */
  letsGo(): void {
    this.isHeld = false
    this.family.callsOff()
  }

  #recorded(instance: InstanceModel, step: { readonly position: number; readonly name: string }): void {
    this.must('P2', !instance.steps.has(step.position), `step ${step.name} of ${instance.id} is recorded twice`)
    instance.steps.set(step.position, { name: step.name, seq: this.seq })
  }

  /** The instance of an event that only the holder of its newest claim may cause. */
  held({ instanceId, fence, type }: { instanceId: string; fence?: number; type: string }): InstanceModel {
    const instance = this.instance(instanceId)
    this.must('I7', instance.phase === 'claimed', `${type} of ${instanceId}, which is ${instance.phase}`)
    this.must('I7', fence === instance.fence, `${type} with fence ${fence} of ${instanceId}, now ${instance.fence}`)
    return instance
  }

  /** How a child of it has ended. */
  #hears({ vainAt, parkedAt }: InstanceModel, childRunId: string): void {
    if (this.family.children.get(childRunId)?.end?.status !== 'completed') vainAt.add(parkedAt)
  }

  leaves(instance: InstanceModel): void {
    this.waits.leaves(instance)
    this.family.leaves(instance)
  }

  #wakes(instance: InstanceModel | undefined, atMs: number): void {
    if (instance !== undefined) this.becomes(instance, 'ready', atMs)
  }

  becomes(instance: InstanceModel, phase: 'ready' | 'sleeping' | 'awaiting' | 'expanded', notBeforeMs: number): void {
    instance.phase = phase
    instance.notBeforeMs = notBeforeMs
  }

  instance(id: string): InstanceModel {
    const known = this.instances.get(id)
    if (known !== undefined) return known
    const made = new InstanceModel(id)
    this.instances.set(id, made)
    return made
  }

  configOf({ id }: InstanceModel) {
    return this.rules.layout.place(nodeOfInstance(id)).node.config ?? {}
  }

  must(invariant: InvariantId, holds: boolean, message: string): void {
    if (!holds) throw new Violation(invariant, this.runId, message)
  }
}
