/**
 * When others have to look at a run: its marks in the indexes of its shard, and the note about it.
 *
 * An appended command sets a mark of its own accord, so that the sweep looks at the run before long whatever becomes of
 * the process that wrote it. What stands here is what that process does next: it puts the marks where they belong, on
 * condition that nobody has written since. A mark that is too early costs a look, and the look moves it. Whoever makes
 * something due earlier than it was moves the mark there; moving it later is never urgent.
 */
import { isTerminal } from '@baton/core'
import { noteOf, type RunMachine, summaryOf } from '@baton/core/adapter'
import type { Applied, LoggedRun } from './logged-run.ts'
import { noteOfEnd } from './notes.ts'
import type { Step } from './script-line.ts'

const NEVER = Number.POSITIVE_INFINITY
/** A longer summary is read from the log. */
const SUMMARY_CHARS = 4_096

export class Marks {
  /** Where this process knows the marks to be; undefined after others have written. */
  #dueMs: number | undefined
  #remindMs: number | undefined
  #note: string | undefined
  #changesSinceScan = 0

  /** @returns what to send; undefined when all is well */
  step(
    run: LoggedRun,
    lookMs: number,
    { own, foreign, isLook = false }: Applied & { isLook?: boolean },
  ): Step | undefined {
    const { machine, nowMs, dueKey } = run
    if (machine === undefined || dueKey === undefined) return undefined
    if (own && run.position === 1) {
      this.#created(machine, nowMs, lookMs)
      return undefined
    }
    if (foreign) this.#forget()
    if (own) this.#remindMs = Math.min(this.#remindMs ?? NEVER, nowMs + lookMs)
    if (!own && !isLook) return undefined
    const freshMs = machine.takeNewDueAtMs()
    const { state } = machine
    this.#changesSinceScan += 1
    let due = ''
    let remind = ''
    let ended = ''
    if (machine.isDone) {
      due = '-'
      remind = '-'
      ended = String(state.endedAtMs ?? nowMs)
    } else if (isLook || this.#changesSinceScan * 4 >= state.instances.size) {
      this.#changesSinceScan = 0
      const dueMs = machine.nextDueAtMs()
      const remindMs = machine.nextRemindAtMs()
      due = this.#moved(this.#dueMs, dueMs, nowMs)
      remind = this.#moved(this.#remindMs, remindMs, nowMs, state.claimed === 0)
      if (due !== '') this.#dueMs = dueMs
      if (remind !== '') this.#remindMs = remindMs
    } else if (freshMs < (this.#dueMs ?? NEVER)) {
      due = `<${freshMs}`
      if (freshMs > nowMs && freshMs < nowMs + lookMs) remind = due
    }
    const note = this.#newNote(run)
    if (due === '' && remind === '' && ended === '' && note === '') return undefined
    const letters = state.deadLetters?.size ? String(state.head.createdAtMs) : note === '' ? '' : '-'
    return {
      name: 'index',
      keys: [run.logKey, dueKey],
      args: [run.position, due, remind, ended, letters, note, note !== '' && isTerminal(state.status) ? '1' : ''],
    }
  }

  /** The script has put the marks there when it made the run. */
  #created(machine: RunMachine, nowMs: number, lookMs: number): void {
    machine.takeNewDueAtMs()
    const dueMs = machine.nextDueAtMs()
    const isLater = dueMs > nowMs && dueMs !== NEVER
    this.#dueMs = isLater ? dueMs : nowMs
    this.#remindMs = isLater ? dueMs : nowMs + lookMs
    this.#note = JSON.stringify(noteOf(machine.state))
  }

  #forget(): void {
    this.#dueMs = undefined
    this.#remindMs = undefined
  }

  /** @returns the mark as the script takes it */
  #moved(knownMs: number | undefined, exactMs: number, nowMs: number, isQuiet = false): string {
    const wanted = knownMs === undefined || exactMs < knownMs || (exactMs > knownMs && (knownMs <= nowMs || isQuiet))
    if (!wanted) return ''
    return exactMs === NEVER ? '-' : String(exactMs)
  }

  #newNote({ machine, position }: LoggedRun): string {
    if (machine === undefined) return ''
    const { state } = machine
    const note = noteOf(state)
    const text = JSON.stringify(note)
    if (!isTerminal(state.status)) {
      if (text === this.#note) return ''
      this.#note = text
      return text
    }
    const withSummary = noteOfEnd(note, position, summaryOf(state))
    const whole = withSummary.length > SUMMARY_CHARS ? JSON.stringify({ ...note, lines: position }) : withSummary
    if (whole === this.#note) return ''
    this.#note = whole
    return whole
  }
}
