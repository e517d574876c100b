/**
 * When others have to look at a run: its marks in the indexes of the backend, and the note about it.
 *
 * An appended command sets a mark of its own accord, so that the sweep looks at the run before long whatever becomes of
 * the process that wrote it. What stands here is what that process does next: it puts the marks where they belong, on
 * condition that nobody has written since. A mark that is too early costs a look, and the look moves it. Whoever makes
 * something due earlier than it was moves the mark there; moving it later is never urgent.
 */
import type { RunMachine } from '../machine/run-machine.ts'
import { isNoted, noteOf, type RunNote } from '../machine/run-note.ts'
import { isTerminal } from '../model/run.ts'
import type { RunState } from '../model/run-state.ts'
import type { MarkMove, Stands } from './log-backend.ts'
import type { Applied, LoggedRun } from './logged-run.ts'
import { noteOfEnd } from './stored-note.ts'

const NEVER = Number.POSITIVE_INFINITY
/** A longer summary is read from the log. */
const SUMMARY_CHARS = 4_096

export class Marks {
  /** Where this process knows the marks to be; undefined after others have written. */
  #dueMs: number | undefined
  #remindMs: number | undefined
  /** The earliest instant at which something has become due that no mark speaks of. */
  #freshMs = NEVER
  #note: RunNote | undefined
  #noteOfEnd: string | undefined
  #changesSinceScan = 0
  #isDisbelieved = false

  /** Lines were applied. @returns how soon a move is to follow; undefined for none */
  applied(run: LoggedRun, lookMs: number, { own, foreign, rewound }: Applied): 'now' | 'soon' | undefined {
    const { machine, nowMs } = run
    if (machine === undefined) return undefined
    // Marks and notes went back with the log.
    if (rewound) this.disbelieve()
    if (own && run.position === 1) {
      this.#created(machine, nowMs, lookMs)
      return undefined
    }
    if (foreign) this.#forget()
    if (!own) return undefined
    this.#remindMs = Math.min(this.#remindMs ?? NEVER, nowMs + lookMs)
    this.#freshMs = Math.min(this.#freshMs, machine.takeNewDueAtMs())
    this.#changesSinceScan += 1
    const { state } = machine
    this.#note ??= this.#isDisbelieved ? undefined : noteOfStart(state)
    // By then somebody looks anyway: the line has seen to that.
    const looksByMs = nowMs + lookMs
    if (isTerminal(state.status) || this.#freshMs < (this.#dueMs ?? looksByMs)) return 'now'
    if (this.#note === undefined || !isNoted(state, this.#note)) return state.status === 'running' ? 'soon' : 'now'
    return this.#mayScan(machine) ? 'soon' : undefined
  }

  /** @returns what to do; undefined when all is well */
  move(run: LoggedRun, lookMs: number, isLook = false): MarkMove | undefined {
    const { machine, nowMs } = run
    if (machine === undefined) return undefined
    // Whoever has been led here by a mark sees that it is not where it should be.
    if (isLook) this.disbelieve()
    const freshMs = Math.min(this.#freshMs, machine.takeNewDueAtMs())
    this.#freshMs = NEVER
    const { state } = machine
    let dueMs: number | undefined
    let remindMs: number | undefined
    let earlier = false
    let stands: Stands | undefined
    if (machine.isDone) {
      dueMs = NEVER
      remindMs = NEVER
    } else if (isLook || this.#mayScan(machine)) {
      this.#changesSinceScan = 0
      dueMs = this.#moved(this.#dueMs, machine.nextDueAtMs(), nowMs)
      remindMs = this.#moved(this.#remindMs, machine.nextRemindAtMs(), nowMs, state.claimed === 0)
      this.#dueMs = dueMs ?? this.#dueMs
      this.#remindMs = remindMs ?? this.#remindMs
      stands = { dueMs: this.#dueMs ?? NEVER, remindMs: this.#remindMs ?? NEVER }
    } else if (freshMs < (this.#dueMs ?? NEVER)) {
      earlier = true
      dueMs = freshMs
      if (freshMs > nowMs && freshMs < nowMs + lookMs) remindMs = freshMs
    }
    const note = this.#newNote(run)
    if (dueMs === undefined && remindMs === undefined && note === undefined) return undefined
    return {
      flow: state.head,
      createdMs: state.head.createdAtMs,
      ...(dueMs === undefined ? {} : { dueMs }),
      ...(remindMs === undefined ? {} : { remindMs }),
      ...(machine.isDone ? { endedMs: state.endedAtMs ?? nowMs } : {}),
      ...(note === undefined ? {} : { note }),
      earlier,
      stands,
      hasLetters: (state.deadLetters?.size ?? 0) > 0,
      isOver: note !== undefined && isTerminal(state.status),
      isAwaited: isLook,
    }
  }

  /** A move was not answered, or came too late: where the marks are, and what the note says, is not known any more. */
  disbelieve(): void {
    this.#isDisbelieved = true
    this.#forget()
    this.#note = undefined
    this.#noteOfEnd = undefined
    this.#changesSinceScan = Number.POSITIVE_INFINITY
  }

  /** The backend has put the marks there when it made the run. */
  #created(machine: RunMachine, nowMs: number, lookMs: number): void {
    machine.takeNewDueAtMs()
    const { startAtMs = nowMs } = machine.state
    const isLater = startAtMs > nowMs
    // With its first claim: until that is over, or something else of it may be claimed.
    this.#dueMs = machine.state.claimed > 0 ? machine.nextDueAtMs() : isLater ? startAtMs : nowMs
    this.#remindMs = isLater ? startAtMs : nowMs + lookMs
    this.#changesSinceScan += 1
    this.#note = noteOf(machine.state)
  }

  /** Whether enough has happened to look at all of it again. */
  #mayScan({ state }: RunMachine): boolean {
    return this.#changesSinceScan * 4 >= state.instances.size
  }

  #forget(): void {
    this.#dueMs = undefined
    this.#remindMs = undefined
  }

  /** @returns where to put a mark; undefined where it may stay */
  #moved(knownMs: number | undefined, exactMs: number, nowMs: number, isQuiet = false): number | undefined {
    const wanted = knownMs === undefined || exactMs < knownMs || (exactMs > knownMs && (knownMs <= nowMs || isQuiet))
    return wanted ? exactMs : undefined
  }

  /** Undefined when the one that is there says it. */
  #newNote(run: LoggedRun): string | undefined {
    const { machine, position } = run
    if (machine === undefined) return undefined
    const { state } = machine
    this.#isDisbelieved = false
    if (!isTerminal(state.status)) {
      if (this.#note !== undefined && isNoted(state, this.#note)) return undefined
      this.#note = noteOf(state)
      return JSON.stringify(this.#note)
    }
    const note = noteOf(state)
    const withSummary = noteOfEnd(note, position, run.summary)
    const whole = withSummary.length > SUMMARY_CHARS ? JSON.stringify({ ...note, lines: position }) : withSummary
    if (whole === this.#noteOfEnd) return undefined
    this.#note = note
    this.#noteOfEnd = whole
    return whole
  }
}

/**
 * What was noted when the run was made. Whoever has read all of it and finds it to stand as then, takes that for what is still
 * noted: where it is not, whoever is led to the run by a mark writes it anew.
 */
function noteOfStart({ head }: RunState): RunNote {
  const { runId, lineage, flowId, tags, createdAtMs } = head
  return { runId, rootRunId: lineage.rootRunId, flowId, tags, status: 'pending', createdAtMs }
}
