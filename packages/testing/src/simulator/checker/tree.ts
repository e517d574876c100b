/** What must be so between runs: who was started by whom, who was told what, and that nothing is forgotten before it was heard. */
import { isDeepStrictEqual } from 'node:util'
import type { RunEvent, RunSummary } from '@baton/core'
import type { Notice } from '@baton/core/adapter'
import type { AllLimits } from './all-limits.ts'
import type { Told } from './family-model.ts'
import type { InvariantId } from './invariants.ts'
import type { RunModel } from './run-model.ts'
import { isAsGiven } from './succession-model.ts'
import { Violation } from './violation.ts'

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>

/** What people say who call a run off. A run that is called off by its parent hears another reason. */
export const ENOUGH = 'enough'

/** Where something to tell lies: with whom, and under which key. */
interface Posted {
  readonly from: string
  readonly key: string
}

export interface Runs {
  model(runId: string): RunModel | undefined
  summary(runId: string): RunSummary | undefined
  readonly limits: AllLimits
}

export class Tree {
  readonly #runs: Runs
  /** News that nobody has heard: whom it was for, who sent it, and its key there. */
  readonly #inVain = new Set<string>()
  /** Runs that node code wants stopped. */
  readonly #unwanted = new Set<string>()
  /** By its reason, what says that a run is to stop: a call to stop bears no other mark of who sends it. */
  readonly #callsToStop = new Map<string, Posted>()
  /** By row and signal, the run that took it. */
  readonly #takenBy = new Map<string, string>()

  constructor(runs: Runs) {
    this.#runs = runs
  }

  saw(runId: string, event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        return this.#started(runId, event)
      case 'child-ended':
        return this.#childEnded(runId, event)
      case 'message-sent':
        return this.#sent(runId, event.message)
      case 'run-cancel-requested': {
        if (event.reason === ENOUGH) return
        const first = this.#firstOf(runId)
        const isUnwanted = this.row(first).some((run) => this.#unwanted.has(run.runId))
        const isCalledOff = this.#toldBy(this.#parentOf(runId), `cancel:${first}`, first)
        return this.#must('TREE', runId, isUnwanted || isCalledOff, 'nobody called it off')
      }
      case 'signal-received':
        return this.#signalled(runId, event)
      default:
        return
    }
  }

  /** The runs that go on for each other from this one on, as far as they are there. */
  row(runId: string): readonly RunModel[] {
    const row: RunModel[] = []
    for (let run = this.#runs.model(runId); run !== undefined; ) {
      row.push(run)
      run = run.next === undefined ? undefined : this.#runs.model(run.next.runId)
    }
    return row
  }

  /** Whether it has ended, and no other run goes on for it. */
  isOver(runId: string): boolean {
    const last = this.row(runId).at(-1)
    return last?.end !== undefined && last.next === undefined
  }

  /**
   * News came to a run that was not there: nobody has heard it, and that is all that can come of it. By the time that it is
   * forgotten somebody else may have started the run, which is none of the sender's business: for it the run came later
   * than the news. Not so where the sender asked for that start first; then the news has to wait for the run.
   */
  heardByNobody(notice: Notice): void {
    const posted = this.#postedAs(notice)
    if (posted === undefined || this.#asksForFirst(notice.runId, posted)) return
    this.#inVain.add(`${notice.runId} ${posted.from}/${posted.key}`)
  }

  /** Whether a signal that was sent to a run has been taken by it, or by one that goes on for it. */
  hasTaken(runId: string, signalId: string): boolean {
    return this.#takenBy.has(`${this.#firstOf(runId)} ${signalId}`)
  }

  /** The store is asked to forget what a run had to tell. */
  forgets(runId: string, keys: readonly string[]): void {
    const family = this.#runs.model(runId)?.family
    for (const key of keys) {
      const told = family?.told.get(key)
      if (family?.outbox.delete(key) !== true || told === undefined) continue
      this.#must(
        'TREE',
        runId,
        this.#hasHeard(runId, key, told),
        `${key} is forgotten before ${told.to} has heard of it`,
      )
    }
  }

  #sent(from: string, { key, to, body }: EventOf<'message-sent'>['message']): void {
    if (body.type !== 'cancel-run') return
    this.#unwanted.add(to)
    this.#callsToStop.set(body.reason, { from, key })
  }

  /** Which message of which run it is, if it is one. */
  #postedAs(notice: Notice): Posted | undefined {
    if (notice.type === 'cancel') return this.#callsToStop.get(notice.reason)
    const [from, key] = notice.type === 'signal' ? (notice.signalId?.split('/') ?? []) : []
    return from === undefined || key === undefined ? undefined : { from, key }
  }

  /** Whether the start of a run lies before that message, in the same outbox or in that of the run before. */
  #asksForFirst(to: string, { from, key }: Posted): boolean {
    const start = `start:${to}`
    const previous = this.row(this.#firstOf(from)).find(({ next }) => next?.runId === from)
    if (previous?.family.outbox.has(start) === true) return true
    for (const each of this.#runs.model(from)?.family.outbox ?? []) {
      if (each === start || each === key) return each === start
    }
    return false
  }

  #started(runId: string, event: EventOf<'run-started'>): void {
    const { parentRunId, endSignal, succession, branchOriginRunId } = event.head.lineage
    const from = this.#runs.model(succession?.previousRunId ?? parentRunId ?? branchOriginRunId ?? '')
    const isAlike = from === undefined || from.isPublished === (event.head.publishJournal === true)
    this.#must('PUBLISH', runId, isAlike, `of it and ${from?.runId} only one is published`)
    if (succession !== undefined) return this.#goesOn(runId, succession.previousRunId, event)
    if (parentRunId === undefined) return
    if (endSignal !== undefined) {
      const isAsked = this.#toldBy(parentRunId, `start:${runId}`, runId)
      return this.#must('TREE', runId, isAsked, `${parentRunId} has not asked for it`)
    }
    const child = this.row(parentRunId).flatMap(({ family }) => family.children.get(runId) ?? [])[0]
    const isKnown = child !== undefined && child.run.flowId === event.head.flowId
    this.#must('TREE', runId, isKnown, `it is no child that ${parentRunId} has recorded`)
    this.#must('TREE', runId, isDeepStrictEqual(child?.run.input, event.input), 'it was started with another input')
  }

  /** It goes on for another run: that one must have ended so, and have said so. */
  #goesOn(runId: string, previousRunId: string, event: EventOf<'run-started'>): void {
    const next = this.#runs.model(previousRunId)?.next
    if (next?.runId !== runId) return this.#must('ROW', runId, false, `${previousRunId} has not gone on as it`)
    this.#must(
      'ROW',
      runId,
      isAsGiven(next, event),
      `it was started with something else than ${previousRunId} has left`,
    )
  }

  #childEnded(runId: string, { childRunId, end }: EventOf<'child-ended'>): void {
    const isRefused = end.status === 'failed' && end.error.code === 'RUN_EXISTS'
    const asked = this.#runs.model(runId)?.family.children.get(childRunId)?.run.input
    const isOther = !isDeepStrictEqual(this.#runs.model(childRunId)?.input, asked)
    if (this.#parentOf(childRunId) !== this.#firstOf(runId) || (isRefused && isOther)) {
      return this.#must('TREE', runId, isRefused, `${childRunId} is none of its children, and is told to have ended`)
    }
    this.#must('ROW', runId, this.isOver(childRunId), `${childRunId} is told to have ended, and goes on as new`)
    const summary = this.#runs.summary(this.row(childRunId).at(-1)?.runId ?? childRunId)
    const isSame = summary?.status === end.status
    this.#must('TREE', runId, isSame, `${childRunId} is told to be ${end.status}, and is ${summary?.status}`)
    if (end.status !== 'completed') return
    const isEqual = isDeepStrictEqual(summary?.output, end.output)
    this.#must('TREE', runId, isEqual, `${childRunId} has another output than was told`)
  }

  #signalled(runId: string, { signalId, name }: EventOf<'signal-received'>): void {
    if (signalId === undefined) return
    const taken = `${this.#firstOf(runId)} ${signalId}`
    const before = this.#takenBy.get(taken)
    this.#must('I9', runId, before === undefined, `signal ${signalId} was taken by ${before} before`)
    this.#takenBy.set(taken, runId)
    const [from, key] = signalId.split('/')
    if (from === undefined || key === undefined) return
    // Also told of a run that could not be started, since its id was another's.
    const isEnd = key === 'ended' && (this.isOver(from) || this.#toldBy(this.#firstOf(runId), `start:${from}`, from))
    const isSent = this.#runs.model(from)?.family.told.get(key)?.to === this.#firstOf(runId)
    const isPassedOn = this.row(this.#runs.model(from)?.family.told.get(key)?.to ?? '').some(
      (run) => run.runId === runId,
    )
    this.#must('TREE', runId, isEnd || isSent || isPassedOn, `${name} came from ${from}, which has not sent it`)
  }

  /** It took effect, or it never will. */
  #hasHeard(from: string, key: string, { type, to }: Told): boolean {
    const { limits } = this.#runs
    const receiver = this.row(to).at(-1)
    const sender = this.#runs.model(from)
    const isOver = receiver === undefined || this.isOver(to)
    const isCalledOff = isOver || (receiver.isStopping && receiver.continueAs === undefined)
    const isInVain = this.#inVain.has(`${to} ${from}/${key}`)
    switch (type) {
      case 'start': {
        if (key.startsWith('continue:')) return receiver !== undefined
        if (receiver !== undefined && this.#parentOf(to) === this.#firstOf(from)) return true
        // An id that is another run's: for a child that is its end, and of what is nobody's child nothing comes.
        if (sender?.family.children.has(to) !== true) return receiver !== undefined
        return sender.end !== undefined || sender.family.children.get(to)?.end !== undefined
      }
      case 'cancel':
        if (receiver === undefined || this.#parentOf(to) !== this.#firstOf(from))
          return sender?.family.outbox.has(`start:${to}`) !== true
        return isCalledOff
      case 'cancel-run':
        return isInVain || (receiver !== undefined && isCalledOff)
      case 'child-ended': {
        const childRunId = this.#firstOf(from)
        if (isOver || this.hasTaken(to, `${childRunId}/ended`)) return true
        const known = this.row(to).flatMap(({ family }) => family.children.get(childRunId) ?? [])
        // Of a detached child a later run of the row knows nothing.
        return known.some(({ end, isDetached }) => end !== undefined || (isDetached && receiver.link > 1))
      }
      case 'signal':
        return isInVain || (receiver !== undefined && isOver) || this.hasTaken(to, `${from}/${key}`)
      case 'slot-request':
        return limits.hasAsked(to, from)
      case 'slot-release':
        return limits.hasGone(to, from)
      case 'slot-grant':
      case 'limiter-move':
        return true
    }
  }

  /** Whether one of a row has told it. */
  #toldBy(first: string | undefined, key: string, to: string): boolean {
    return first !== undefined && this.row(first).some(({ family }) => family.told.get(key)?.to === to)
  }

  #firstOf(runId: string): string {
    return this.#runs.model(runId)?.firstRunId ?? runId
  }

  #parentOf(runId: string): string | undefined {
    return this.#runs.model(runId)?.family.parent
  }

  #must(invariant: InvariantId, runId: string, holds: boolean, message: string): void {
    if (!holds) throw new Violation(invariant, runId, message)
  }
}
