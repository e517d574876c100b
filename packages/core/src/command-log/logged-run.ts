/**
 * One run, as this process works with it: its log as far as it was applied, and the exchange with the backend by which it
 * grows. Of several processes that want the same thing the first line wins, and nobody needs a lock.
 *
 * One exchange at a time: it appends what has gathered meanwhile, and brings what others have written.
 *
 * What is made with every run or command, and leads to a run, is made by a class and not by a literal. Five hundred runs that
 * start at once all wait, and of what a literal makes V8 learns from that that it lives long; from then on it would put each where
 * only a full collection finds it, with all that hangs on it: and on what leads to a run, all of the run does.
 */
import { applyCommand } from '../machine/apply.ts'
import type { Command } from '../machine/command.ts'
import { answerWithoutChange } from '../machine/no-change.ts'
import { type Answer, ownAnswer } from '../machine/own-answer.ts'
import type { RunMachine } from '../machine/run-machine.ts'
import { noteOf } from '../machine/run-note.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { RunId } from '../model/ids.ts'
import type { RunSummary } from '../model/run.ts'
import { AppliedLog } from './applied-log.ts'
import type { Draft } from './draft.ts'
import { type LogAnswer, MADE, type MarkMove, NO_LOG, PURGED, REWOUND, type RunLog } from './log-backend.ts'
import { LogReader } from './log-reader.ts'

/** What the runs of a store have in common. */
export interface RunAccess {
  readonly redispatchMs: number
  /** The most characters of lines that are appended at once; a line that is longer goes alone. */
  readonly batchChars: number
  readonly sha256: (text: string) => string
}

export interface LoggedRunListener {
  /** Lines were applied. */
  applied(news: Applied): void
  /** After each exchange, whatever came of it. */
  exchanged(): void
}

export interface Applied {
  readonly own: boolean
  readonly foreign: boolean
  /** What was known before was forgotten. */
  readonly rewound: boolean
}

class Pending {
  readonly draft: Draft
  readonly resolve: (answer: Answer | undefined) => void
  readonly reject: (error: unknown) => void

  constructor(draft: Draft, resolve: (answer: Answer | undefined) => void, reject: (error: unknown) => void) {
    this.draft = draft
    this.resolve = resolve
    this.reject = reject
  }
}

interface Reader {
  /** Is served by knowing so many. */
  readonly lines: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Commands in one exchange: Lua passes that many arguments at once. */
const MOST_LINES = 500
const NONE: readonly never[] = []

export class LoggedRun {
  readonly runId: RunId
  /** Where it is kept. */
  readonly #backend: RunLog
  readonly #access: RunAccess
  readonly #listener: LoggedRunListener | undefined
  readonly #log: AppliedLog
  readonly #reader: LogReader
  readonly #pending: Pending[] = []
  readonly #readers: Reader[] = []
  #isBusy = false
  #exchanges = 0
  #removed = false

  constructor(backend: RunLog, access: RunAccess, listener?: LoggedRunListener) {
    const { runId, name } = backend
    this.runId = runId
    this.#backend = backend
    this.#access = access
    this.#listener = listener
    this.#log = new AppliedLog({ runId, key: name, redispatchMs: access.redispatchMs })
    this.#reader = new LogReader(this.#log, backend, access.sha256)
  }

  get machine(): RunMachine | undefined {
    return this.#log.machine
  }

  /** Belongs to the run: copy it before it goes to others. */
  get summary(): RunSummary | undefined {
    return this.#log.summary
  }

  get position(): number {
    return this.#log.position
  }

  /** How often the log turned out not to begin as this process knew it: events from before may not be in it. */
  get rewinds(): number {
    return this.#log.rewinds
  }

  get stamp(): string {
    return this.#log.stamp
  }

  get nowMs(): number {
    return this.#log.nowMs
  }

  /** It was purged, or never there: the handle is of no use any more. */
  get removed(): boolean {
    return this.#removed
  }

  /** A line could not be read. A new handle may try again. */
  get broken(): boolean {
    return this.#log.broken !== undefined
  }

  /** Something is under way between it and the backend. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** About how much memory it takes. */
  get weight(): number {
    return this.#log.chars + 2_000
  }

  /** Tells of every event from now on, as soon as its line was read or written. @returns how to end it */
  listen(listener: (event: RunEvent) => void): () => void {
    return this.#log.listen(listener)
  }

  /** Tells when what is known has to be read anew, before it is. @returns how to end it */
  onRewound(callback: () => void): () => void {
    return this.#log.onRewound(callback)
  }

  /** What the machine answers to a command that changes nothing; undefined when it may change something. */
  answerWithoutChange(command: Command, nowMs: number): Answer | undefined {
    const { machine, nowMs: runMs, machineOptions } = this.#log
    if (machine === undefined) return undefined
    const answer = answerWithoutChange(machine, command, Math.max(nowMs, runMs), machineOptions)
    return answer && ownAnswer(answer)
  }

  /** Reads what others have written. @param lines nothing is read when so many are known by then */
  read(lines = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ lines, resolve, reject })
      this.#begin()
    })
  }

  /** Puts its marks where they belong, if nobody has written since. @returns whether it did */
  mark(move: MarkMove): Promise<boolean> {
    return this.#backend.mark(this.#log, move)
  }

  /** How many exchanges with the backend have ended: what was there before one began is known when it has. */
  get exchanges(): number {
    return this.#exchanges
  }

  /** Writes a command, and says what it did. Undefined when there is no such run. */
  write(draft: Draft): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      this.#pending.push(new Pending(draft, resolve, reject))
      this.#begin()
    })
  }

  #begin(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    void this.#work()
  }

  async #work(): Promise<void> {
    while (this.#pending.length > 0 || this.#readers.length > 0) {
      const batch = this.#takeBatch()
      const readers = this.#readers.length === 0 ? NONE : this.#readers.splice(0)
      try {
        if (this.#log.broken !== undefined) throw this.#log.broken
        const { position, appliedCount, rewinds } = this.#log
        const isNeeded = batch.length > 0 || readers.some(({ lines }) => lines > position)
        if (isNeeded) {
          const [first] = batch
          if (first === undefined) await this.#readUpTo(Number.POSITIVE_INFINITY)
          else if (first.draft.command.type === 'create') await this.#create(first)
          else {
            // Here, and without a wait for nothing: this is done for every node.
            const rest = this.#appended(batch, await this.#send(batch))
            if (rest !== undefined) await rest
          }
          this.#exchanges += 1
        }
        // Not by the position: a log that was set back may end before the place where it ended as we knew it.
        const applied = this.#log.appliedCount - appliedCount
        if (applied > 0) {
          const rewound = this.#log.rewinds > rewinds
          this.#listener?.applied({ own: batch.length > 0, foreign: applied > batch.length, rewound })
        }
        for (const { resolve } of readers) resolve()
      } catch (error) {
        for (const { reject } of [...batch, ...readers]) reject(error)
      }
      this.#listener?.exchanged()
    }
    this.#isBusy = false
  }

  /** A creation goes alone: it is another call. */
  #takeBatch(): readonly Pending[] {
    const waiting = this.#pending
    let chars = 0
    let count = 0
    for (const { draft } of waiting) {
      const isCreation = draft.command.type === 'create'
      chars += draft.text.length
      if (count > 0 && (isCreation || count >= MOST_LINES || chars > this.#access.batchChars)) break
      count += 1
      if (isCreation) break
    }
    return count === 0 ? NONE : waiting.splice(0, count)
  }

  #send(batch: readonly Pending[]): Promise<LogAnswer> {
    return this.#backend.append(this.#log, batch)
  }

  /** @returns what has to be done before the batch is answered; undefined when it is */
  #appended(batch: readonly Pending[], answer: LogAnswer): Promise<void> | undefined {
    if (answer.count === REWOUND) {
      this.#log.forget()
      return this.#appendAgain(batch)
    }
    if (answer.count === NO_LOG) {
      this.#removed = true
      for (const { resolve } of batch) resolve(undefined)
      return undefined
    }
    this.#removed = false
    const ownFrom = answer.count - batch.length
    if (this.position !== ownFrom || answer.lines.length > 0) return this.#catchUp(batch, answer, ownFrom)
    this.#applyOwn(batch, answer.nowMs)
    return undefined
  }

  async #appendAgain(batch: readonly Pending[]): Promise<void> {
    await this.#appended(batch, await this.#send(batch))
  }

  /** Others have written since: their lines come first. */
  async #catchUp(batch: readonly Pending[], { lines, nowMs }: LogAnswer, ownFrom: number): Promise<void> {
    if (lines.length > 0) await this.#apply(lines)
    if (this.position < ownFrom) await this.#readUpTo(ownFrom)
    if (this.position !== ownFrom) throw this.#lost()
    this.#applyOwn(batch, nowMs)
  }

  #applyOwn(batch: readonly Pending[], nowMs: number): void {
    for (const { draft, resolve } of batch) {
      const answer = this.#log.applyOwn(draft, nowMs)
      resolve(answer && ownAnswer(answer))
    }
  }

  async #create(pending: Pending): Promise<void> {
    const { draft, resolve } = pending
    const { command } = draft
    if (command.type !== 'create') return
    const { run } = command
    const answer = await this.#backend.create({ draft, run, ...this.#foresee(command) })
    if (answer.count === PURGED) {
      this.#removed = true
      resolve({ type: 'create', result: { status: 'purged' } })
      return
    }
    // It is there, whatever was found a moment before.
    this.#removed = false
    // Whatever we know of it: if there was none, that is about one that was purged, and else its lines are told from the
    // first on.
    this.#log.forget()
    if (answer.count === MADE) {
      this.#applyOwn([pending], answer.nowMs)
      return
    }
    await this.#apply(answer.lines)
    await this.#readUpTo(answer.count)
    const same = this.machine?.isSameStart(run) === true
    resolve({ type: 'create', result: { status: 'exists', same } })
  }

  /** What the machine will say: nothing has happened to the run yet. */
  #foresee(command: Extract<Command, { readonly type: 'create' }>): {
    readonly note: string
    readonly dueInMs: number
  } {
    const preview = applyCommand(undefined, command, 0, { redispatchMs: this.#access.redispatchMs })
    if (preview?.type !== 'create') return { note: '', dueInMs: 0 }
    const { machine } = preview
    return {
      note: JSON.stringify(noteOf(machine.state)),
      dueInMs: machine.state.claimed > 0 ? machine.nextDueAtMs() : 0,
    }
  }

  async #readUpTo(lines: number): Promise<void> {
    if (!(await this.#reader.readUpTo(lines))) this.#removed = true
  }

  async #apply(lines: readonly string[]): Promise<void> {
    if (!(await this.#reader.apply(lines))) this.#removed = true
  }

  #lost(): BatonError {
    const message = `the log of ${this.runId} was removed while it was read`
    return new BatonError('STORE_UNAVAILABLE', { runId: this.runId, message })
  }
}
