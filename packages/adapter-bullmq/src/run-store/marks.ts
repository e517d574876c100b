/**
 * When others have to look at a run: its marks in the indexes of its shard, and the note about it.
 *
 * An appended command sets a mark of its own accord, so that the sweep looks at the run before long whatever becomes of
 * the process that wrote it. What stands here is what that process does next: it puts the marks where they belong, on
 * condition that nobody has written since. A mark that is too early costs a look, and the look moves it. Whoever makes
 * something due earlier than it was moves the mark there; moving it later is never urgent.
 */
import { isTerminal } from '@baton/core'
import { isNoted, noteOf, type RunMachine, type RunNote } from '@baton/core/adapter'
import type { Applied, LoggedRun } from './logged-run.ts'
import { noteOfEnd } from './notes.ts'
import type { Step } from './script-line.ts'

const NEVER = Number.POSITIVE_INFINITY
const NO_TEXTS: readonly string[] = []
/** Marks as the script takes them; others are an instant, or '<' and an instant. */
const STAYS = '.'
const GOES = '-'
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

  /** Lines were applied. @returns how soon a step is to follow; undefined for none */
  applied(run: LoggedRun, lookMs: number, { own, foreign, rewound }: Applied): 'now' | 'soon' | undefined {
    const { machine, nowMs } = run
    if (machine === undefined) return undefined
    // Marks and notes went back with the log.
    if (rewound) this.disbelieve()
    if (own && run.position === 1) {
      this.#created(machine, nowMs, lookMs)
      return machine.state.claimed > 0 ? 'soon' : undefined
    }
    if (foreign) this.#forget()
    if (!own) return undefined
    this.#remindMs = Math.min(this.#remindMs ?? NEVER, nowMs + lookMs)
    this.#freshMs = Math.min(this.#freshMs, machine.takeNewDueAtMs())
    this.#changesSinceScan += 1
    const { state } = machine
    if (isTerminal(state.status) || this.#freshMs < (this.#dueMs ?? NEVER)) return 'now'
    if (this.#note === undefined || !isNoted(state, this.#note)) return state.status === 'running' ? 'soon' : 'now'
    return this.#mayScan(machine) ? 'soon' : undefined
  }

  /** @returns what to send; undefined when all is well */
  step(run: LoggedRun, lookMs: number, isLook = false): Step | undefined {
    const { machine, nowMs, dueKey } = run
    if (machine === undefined || dueKey === undefined) return undefined
    // Whoever has been led here by a mark sees that it is not where it should be.
    if (isLook) this.disbelieve()
    const freshMs = Math.min(this.#freshMs, machine.takeNewDueAtMs())
    this.#freshMs = NEVER
    const { state } = machine
    let due = STAYS
    let remind = STAYS
    let ended = STAYS
    if (machine.isDone) {
      due = GOES
      remind = GOES
      ended = String(state.endedAtMs ?? nowMs)
    } else if (isLook || this.#mayScan(machine)) {
      this.#changesSinceScan = 0
      const dueMs = machine.nextDueAtMs()
      const remindMs = machine.nextRemindAtMs()
      due = this.#moved(this.#dueMs, dueMs, nowMs)
      remind = this.#moved(this.#remindMs, remindMs, nowMs, state.claimed === 0)
      if (due !== STAYS) this.#dueMs = dueMs
      if (remind !== STAYS) this.#remindMs = remindMs
    } else if (freshMs < (this.#dueMs ?? NEVER)) {
      due = `<${freshMs}`
      if (freshMs > nowMs && freshMs < nowMs + lookMs) remind = due
    }
    const note = this.#newNote(run)
    if (due === STAYS && remind === STAYS && ended === STAYS && note === undefined) return undefined
    const letters = state.deadLetters?.size ? String(state.head.createdAtMs) : note === undefined ? STAYS : GOES
    const isOver = note !== undefined && isTerminal(state.status) ? 1 : 0
    return {
      name: 'index',
      keys: [run.logKey, dueKey],
      words: `${run.position} ${run.stamp} ${due} ${remind} ${ended} ${letters} ${isOver}`,
      texts: note === undefined ? NO_TEXTS : [note],
    }
  }

  /** A step was not answered, or came too late: where the marks are, and what the note says, is not known any more. */
  disbelieve(): void {
    this.#forget()
    this.#note = undefined
    this.#noteOfEnd = undefined
    this.#changesSinceScan = Number.POSITIVE_INFINITY
  }

  /** The script has put the marks there when it made the run. */
  #created(machine: RunMachine, nowMs: number, lookMs: number): void {
    machine.takeNewDueAtMs()
    const { startAtMs = nowMs } = machine.state
    const isLater = startAtMs > nowMs
    this.#dueMs = isLater ? startAtMs : nowMs
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

  /** @returns the mark as the script takes it */
  #moved(knownMs: number | undefined, exactMs: number, nowMs: number, isQuiet = false): string {
    const wanted = knownMs === undefined || exactMs < knownMs || (exactMs > knownMs && (knownMs <= nowMs || isQuiet))
    if (!wanted) return STAYS
    return exactMs === NEVER ? GOES : String(exactMs)
  }

  /** Undefined when the one that is there says it. */
  #newNote(run: LoggedRun): string | undefined {
    const { machine, position } = run
    if (machine === undefined) return undefined
    const { state } = machine
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
