/**
 * One run, as far as this process has read its log. Everybody who applies the same lines in their order has the same
 * state, and the answer to a command is what core's machine says at its line; so of several processes that want the same
 * thing the first line wins, and nobody needs a lock.
 *
 * One exchange with Redis at a time: it appends what has gathered meanwhile, and brings what others have written.
 */
import { createHash } from 'node:crypto'
import { BatonError, type RunEvent } from '@baton/core'
import {
  answerWithoutChange,
  applyCommand,
  type BlobPlace,
  type Command,
  type CommandResult,
  type CreateResult,
  copyOf,
  fatten,
  type JsonValue,
  type MachineOptions,
  noteOf,
  type RunId,
  type RunMachine,
  type StoredCommand,
  withRunId,
} from '@baton/core/adapter'
import { messageOf } from '../errors.ts'
import { flowName } from '../keys.ts'
import type { Draft } from './draft.ts'
import { MOST_LINES, type ScriptLine, type StepAnswer } from './script-line.ts'
import { unshortened } from './shorthand.ts'

/** What became of a command: the machine's answer, or that there is no such run. */
export type Answer =
  | Exclude<CommandResult, { readonly type: 'create' }>
  | { readonly type: 'create'; readonly result: CreateResult }

export interface LoggedRunOptions {
  readonly runId: RunId
  readonly line: ScriptLine
  readonly keys: { readonly log: string; readonly blobs: string }
  /** The key under which the run stands as due, by its head. */
  readonly dueKey: (head: { readonly flowId: string; readonly version?: string }) => string
  readonly readBlobs: (key: string, digests: readonly string[]) => Promise<readonly (string | null)[]>
  readonly redispatchMs: number
  /** Told after lines were applied. */
  readonly onApplied: (run: LoggedRun, news: Applied) => void
}

export interface Applied {
  readonly own: boolean
  readonly foreign: boolean
}

interface Pending {
  readonly draft: Draft
  readonly resolve: (answer: Answer | undefined) => void
  readonly reject: (error: unknown) => void
}

interface Reader {
  /** Is served by knowing so many. */
  readonly lines: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Commands in one step: Lua passes that many arguments at once. */
const MOST_TEXTS = 500
/** Answers of the script. */
const PURGED = -1
const REWOUND = -2
const NONE: readonly never[] = []

export class LoggedRun {
  readonly runId: RunId
  readonly #options: LoggedRunOptions
  readonly #machineOptions: MachineOptions
  readonly #listeners = new Set<(event: RunEvent) => void>()
  #machine: RunMachine | undefined
  /** How many lines were applied. */
  #position = 0
  /** The time of the last of them, as it stands there. */
  #stamp = ''
  #nowMs = 0
  #chars = 0
  #pending: Pending[] = []
  #readers: Reader[] = []
  #isBusy = false
  #removed = false
  #broken: BatonError | undefined

  constructor(options: LoggedRunOptions) {
    this.runId = options.runId
    this.#options = options
    const onEvent = (event: RunEvent) => {
      for (const listener of this.#listeners) listener(event)
    }
    this.#machineOptions = { redispatchMs: options.redispatchMs, onEvent }
  }

  get machine(): RunMachine | undefined {
    return this.#machine
  }

  get position(): number {
    return this.#position
  }

  /** The run's time: that of its last line. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** It was purged, or never there: the handle is of no use any more. */
  get removed(): boolean {
    return this.#removed
  }

  /** A line could not be read. A new handle may try again. */
  get broken(): boolean {
    return this.#broken !== undefined
  }

  /** About how much memory it takes. */
  get weight(): number {
    return this.#chars + 2_000
  }

  get dueKey(): string | undefined {
    return this.#machine === undefined ? undefined : this.#options.dueKey(this.#machine.state.head)
  }

  get logKey(): string {
    return this.#options.keys.log
  }

  /** Tells of every event from now on, as soon as its line was read or written. @returns how to end it */
  listen(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What the machine answers to a command that changes nothing; undefined when it may change something. */
  answerWithoutChange(command: Command, nowMs: number): Answer | undefined {
    if (this.#machine === undefined) return undefined
    const atMs = Math.max(nowMs, this.#nowMs)
    return ownAnswer(answerWithoutChange(this.#machine, command, atMs, this.#machineOptions))
  }

  /** Reads what others have written. @param lines nothing is read when so many are known by then */
  read(lines = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ lines, resolve, reject })
      this.#begin()
    })
  }

  /** Writes a command, and says what it did. Undefined when there is no such run. */
  write(draft: Draft): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ draft, resolve, reject })
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
      const readers = this.#readers.splice(0)
      try {
        if (this.#broken !== undefined) throw this.#broken
        const before = this.#position
        const isNeeded = batch.length > 0 || readers.some(({ lines }) => lines > before)
        if (isNeeded) await this.#exchange(batch)
        const foreign = this.#position - before > batch.length
        if (this.#position > before) this.#options.onApplied(this, { own: batch.length > 0, foreign })
        for (const { resolve } of readers) resolve()
      } catch (error) {
        for (const { reject } of [...batch, ...readers]) reject(error)
      }
    }
    this.#isBusy = false
  }

  /** A creation goes alone: its step is another one. */
  #takeBatch(): readonly Pending[] {
    const waiting = this.#pending
    if (waiting.length === 0) return NONE
    const at = waiting.findIndex(({ draft }) => draft.command.type === 'create')
    const most = at < 0 ? waiting.length : Math.max(at, 1)
    return waiting.splice(0, Math.min(most, MOST_TEXTS))
  }

  async #exchange(batch: readonly Pending[]): Promise<void> {
    const { log } = this.#options.keys
    const [first] = batch
    if (first === undefined) {
      await this.#readUpTo(Number.POSITIVE_INFINITY)
      return
    }
    if (first.draft.command.type === 'create') return this.#create(first)
    const blobs = batch.flatMap(({ draft }) => draft.blobs)
    const answer = await this.#options.line.send({
      name: 'append',
      keys: [log, blobs.length === 0 ? '' : this.#options.keys.blobs],
      args: [
        this.#position,
        this.#stamp,
        blobs.length,
        ...blobs.flatMap(({ sha256, text }) => [sha256, text]),
        batch.length,
        ...batch.map(({ draft }) => draft.text),
      ],
    })
    if (answer.count === REWOUND) {
      this.#forget()
      return this.#exchange(batch)
    }
    if (answer.count === 0) {
      this.#removed = true
      for (const { resolve } of batch) resolve(undefined)
      return
    }
    const ownFrom = answer.count - batch.length
    await this.#apply(answer.lines)
    await this.#readUpTo(ownFrom)
    if (this.#position !== ownFrom) throw this.#lost()
    for (const { draft, resolve } of batch) resolve(this.#applyOwn(draft, answer))
  }

  async #create({ draft, resolve }: Pending): Promise<void> {
    const { line, keys, dueKey } = this.#options
    const { command } = draft
    if (command.type !== 'create') return
    const { run } = command
    // What the note says is what the machine would: nothing has happened to the run yet.
    const draftOf = applyCommand(undefined, command, 0, { redispatchMs: this.#options.redispatchMs })
    const note = draftOf?.type === 'create' ? JSON.stringify(noteOf(draftOf.machine.state)) : ''
    const answer = await line.send({
      name: 'create',
      keys: [keys.log, draft.blobs.length === 0 ? '' : keys.blobs, dueKey(run)],
      args: [
        flowName(run),
        note,
        run.startAtMs ?? 0,
        draft.blobs.length,
        ...draft.blobs.flatMap(({ sha256, text }) => [sha256, text]),
        draft.text,
      ],
    })
    if (answer.count === PURGED) {
      this.#removed = true
      resolve({ type: 'create', result: { status: 'purged' } })
      return
    }
    if (answer.count === 1 && Number(answer.lines[0]) === 0) {
      // There was none, so what we know of it is about one that was purged.
      this.#forget()
      resolve(this.#applyOwn(draft, answer))
      return
    }
    // Its lines are told from the first on, whatever we know.
    this.#forget()
    await this.#apply(answer.lines)
    await this.#readUpTo(answer.count)
    const same = this.#machine?.isSameStart(run) === true
    resolve({ type: 'create', result: { status: 'exists', same } })
  }

  /** Reads lines until so many were applied, or all there are. */
  async #readUpTo(wanted: number): Promise<void> {
    const { line, keys } = this.#options
    let end = wanted
    while (this.#position < end) {
      const most = Math.min(MOST_LINES, end - this.#position)
      const answer = await line.send({ name: 'read', keys: [keys.log], args: [this.#position, this.#stamp, most] })
      if (answer.count === 0) {
        this.#removed = true
        return
      }
      if (answer.count === REWOUND) this.#forget()
      else if (answer.lines.length === 0) return
      else {
        // What comes after is not waited for: whoever reads what is written on and on would never be done.
        end = Math.min(end, answer.count)
        await this.#apply(answer.lines)
      }
      if (this.#removed) return
    }
  }

  #applyOwn({ text, fullText }: Draft, { nowMs }: StepAnswer): Answer | undefined {
    this.#chars += text.length
    return ownAnswer(this.#applyOne(JSON.parse(fullText) as StoredCommand, nowMs))
  }

  async #apply(lines: readonly string[]): Promise<void> {
    const parsed: { atMs: number; command: StoredCommand; blobs: readonly BlobPlace[] }[] = []
    const digests = new Set<string>()
    for (const line of lines) {
      const { atMs, command, blobs } = this.#parse(line)
      parsed.push({ atMs, command, blobs })
      for (const { sha256 } of blobs) digests.add(sha256)
      this.#chars += line.length
    }
    const values = digests.size === 0 ? undefined : await this.#fetch([...digests])
    if (this.#removed) return
    for (const { atMs, command, blobs } of parsed) {
      if (values !== undefined) {
        fatten(command, blobs, (sha256) => JSON.parse(values.get(sha256) ?? 'null') as JsonValue)
      }
      this.#applyOne(command, atMs)
    }
  }

  #parse(line: string): { atMs: number; command: StoredCommand; blobs: readonly BlobPlace[] } {
    try {
      const end = line.indexOf('|')
      const content = JSON.parse(unshortened(line.slice(end + 1))) as StoredCommand | LineWithBlobs
      const atMs = Number(line.slice(0, end))
      return 'blobs' in content ? { atMs, ...content } : { atMs, command: content, blobs: NONE }
    } catch (error) {
      throw this.#corrupt(error)
    }
  }

  async #fetch(digests: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await this.#options.readBlobs(this.#options.keys.blobs, digests)
    const values = new Map<string, string>()
    for (const [index, sha256] of digests.entries()) {
      const text = found[index]
      if (text === null && (await this.#isGone())) {
        this.#removed = true
        return values
      }
      if (typeof text !== 'string' || createHash('sha256').update(text).digest('hex') !== sha256) {
        throw this.#corrupt(new Error(`the value ${sha256} is not there, or is another one`))
      }
      this.#chars += text.length
      values.set(sha256, text)
    }
    return values
  }

  #applyOne(stored: StoredCommand, atMs: number): CommandResult | undefined {
    this.#nowMs = Math.max(this.#nowMs, atMs)
    this.#stamp = String(atMs)
    this.#position += 1
    try {
      const command = stored.type === 'create' ? stored : withRunId(stored, this.#machine?.state.head.runId)
      const result = command && applyCommand(this.#machine, command, this.#nowMs, this.#machineOptions)
      if (result?.type === 'create') this.#machine = result.machine
      return result
    } catch (error) {
      throw this.#corrupt(error)
    }
  }

  /** Whether it was purged while we read it. */
  async #isGone(): Promise<boolean> {
    const { line, keys } = this.#options
    return (await line.send({ name: 'read', keys: [keys.log], args: [0, '', 1] })).count === 0
  }

  #forget(): void {
    this.#machine = undefined
    this.#position = 0
    this.#stamp = ''
    this.#nowMs = 0
    this.#chars = 0
  }

  #lost(): BatonError {
    const message = `the log of ${this.runId} was removed while it was read`
    return new BatonError('STORE_UNAVAILABLE', { runId: this.runId, message })
  }

  /** The state may be half-way between two lines now. */
  #corrupt(error: unknown): BatonError {
    const message = `line ${this.#position} of ${this.#options.keys.log}: ${messageOf(error)}`
    this.#broken = new BatonError('STORE_CORRUPT', { runId: this.runId, message, cause: error })
    return this.#broken
  }
}

interface LineWithBlobs {
  readonly command: StoredCommand
  readonly blobs: readonly BlobPlace[]
}

/** Shares nothing with the run: whoever gets it may change it. */
function ownAnswer(answer: CommandResult | undefined): Answer | undefined {
  return answer?.type === 'create' ? { type: 'create', result: answer.result } : copyOf(answer)
}
