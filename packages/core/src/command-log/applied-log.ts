/**
 * As much of a run's log as this process has read, and what it has made of it. Everybody who applies the same lines in
 * their order has the same state, and the answer to a command is what core's machine says at its line.
 */
import { applyCommand, type CommandResult } from '../machine/apply.ts'
import type { Command } from '../machine/command.ts'
import { type BlobPlace, fatten } from '../machine/large-values.ts'
import type { MachineOptions } from '../machine/machine-options.ts'
import type { RunMachine } from '../machine/run-machine.ts'
import type { StoredCommand } from '../machine/stored-command.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import { messageOf } from '../model/message-of.ts'
import type { RunSummary } from '../model/run.ts'
import { summaryOf } from '../model/run-state.ts'
import type { Draft } from './draft.ts'
import { commandOf } from './line-form.ts'

/** A line that was parsed. */
export interface Line {
  /** When it was appended, by the backend. */
  readonly atMs: number
  readonly command: Command
  /** Where its large values belong. */
  readonly blobs: readonly BlobPlace[]
}

/** A line that says only where it is. */
export interface LineApart {
  readonly atMs: number
  readonly sha256: string
}

export interface AppliedLogOptions {
  readonly runId: RunId
  /** How the log is called in messages. */
  readonly key: string
  readonly redispatchMs: number
}

const NO_BLOBS: readonly BlobPlace[] = []
const NONE: readonly never[] = []

export class AppliedLog {
  readonly #options: AppliedLogOptions
  readonly machineOptions: Listening
  #machine: RunMachine | undefined
  #position = 0
  #appliedCount = 0
  #rewinds = 0
  #rewoundListeners: Set<() => void> | undefined
  #stamp = ''
  #nowMs = 0
  #chars = 0
  #summary: RunSummary | undefined
  /** How many lines the summary speaks of. */
  #summarized = 0
  #broken: BatonError | undefined

  constructor(options: AppliedLogOptions) {
    this.#options = options
    this.machineOptions = new Listening(options.redispatchMs)
  }

  get machine(): RunMachine | undefined {
    return this.#machine
  }

  /** How the run stands, for those who only look. At an end several ask for it. */
  get summary(): RunSummary | undefined {
    if (this.#machine === undefined) return undefined
    if (this.#summarized !== this.#position) this.#summary = summaryOf(this.#machine.state)
    this.#summarized = this.#position
    return this.#summary
  }

  /** How many lines it is made of. */
  get position(): number {
    return this.#position
  }

  /** How many lines were ever applied, those that were forgotten too: it grows where the position falls. */
  get appliedCount(): number {
    return this.#appliedCount
  }

  /** How often what was known had to be forgotten. Events from before and after may be of two histories. */
  get rewinds(): number {
    return this.#rewinds
  }

  /** The time of the last of them, as it stands there; '' before the first. */
  get stamp(): string {
    return this.#stamp
  }

  /** The run's time: that of its last line, and never less than that of one before. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** How many characters it was made from. */
  get chars(): number {
    return this.#chars
  }

  /** A line could not be read: the state may be half-way between two lines. */
  get broken(): BatonError | undefined {
    return this.#broken
  }

  /** Tells of every event from now on. @returns how to end it */
  listen(listener: (event: RunEvent) => void): () => void {
    const { listeners } = this.machineOptions
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  /** Tells when all was forgotten, before any line is applied anew. @returns how to end it */
  onRewound(callback: () => void): () => void {
    // Made when it is first needed: most runs are never followed.
    this.#rewoundListeners ??= new Set()
    const listeners = this.#rewoundListeners
    listeners.add(callback)
    return () => listeners.delete(callback)
  }

  /** A line of this process: what the others will read is applied without reading it. */
  applyOwn({ command, text }: Draft, atMs: number): CommandResult | undefined {
    this.#chars += text.length
    return this.#apply(command, atMs)
  }

  /** @param values the JSON of large values, by their digest */
  applyLine({ atMs, command, blobs }: Line, values: ReadonlyMap<string, string>): void {
    fatten(command, blobs, (sha256) => JSON.parse(values.get(sha256) ?? 'null') as JsonValue)
    this.#apply(command, atMs)
  }

  /** @returns what to fetch where the line stands apart from the log: then it is read by `parseApart` */
  parse(text: string): Line | LineApart {
    this.#chars += text.length
    try {
      const end = text.indexOf('|')
      const content = JSON.parse(text.slice(end + 1)) as LineContent | { readonly apart: string }
      const atMs = Number(text.slice(0, end))
      return 'apart' in content ? { atMs, sha256: content.apart } : this.#lineOf(atMs, content)
    } catch (error) {
      throw this.corrupt(error)
    }
  }

  parseApart({ atMs }: LineApart, text: string): Line {
    try {
      return this.#lineOf(atMs, JSON.parse(text) as LineContent)
    } catch (error) {
      throw this.corrupt(error)
    }
  }

  noteValue(text: string): void {
    this.#chars += text.length
  }

  /** Begins again: what was known is not, or not any more, how the log begins. */
  forget(): void {
    if (this.#position === 0) return
    this.#rewinds += 1
    this.#machine = undefined
    this.#position = 0
    this.#stamp = ''
    this.#nowMs = 0
    this.#chars = 0
    this.#summarized = 0
    for (const tell of this.#rewoundListeners ?? NONE) tell()
  }

  corrupt(error: unknown): BatonError {
    const { runId, key } = this.#options
    const message = `line ${this.#position} of ${key}: ${messageOf(error)}`
    this.#broken = new BatonError('STORE_CORRUPT', { runId, message, cause: error })
    return this.#broken
  }

  #lineOf(atMs: number, content: LineContent): Line {
    const { runId } = this.#options
    if (!('blobs' in content)) return { atMs, command: commandOf(content, runId), blobs: NO_BLOBS }
    return { atMs, command: commandOf(content.command, runId), blobs: content.blobs }
  }

  #apply(command: Command, atMs: number): CommandResult | undefined {
    this.#nowMs = Math.max(this.#nowMs, atMs)
    this.#stamp = String(atMs)
    this.#position += 1
    this.#appliedCount += 1
    try {
      const result = applyCommand(this.#machine, command, this.#nowMs, this.machineOptions)
      if (result?.type === 'create') this.#machine = result.machine
      return result
    } catch (error) {
      throw this.corrupt(error)
    }
  }
}

/** A class, as what is made with every run and leads to it should be: `logged-run.ts` says why. */
class Listening implements MachineOptions {
  readonly redispatchMs: number
  readonly listeners = new Set<(event: RunEvent) => void>()

  constructor(redispatchMs: number) {
    this.redispatchMs = redispatchMs
  }

  readonly onEvent = (event: RunEvent): void => {
    for (const listener of this.listeners) listener(event)
  }
}

type LineContent = StoredCommand | LineWithBlobs | readonly unknown[]

interface LineWithBlobs {
  readonly command: StoredCommand
  readonly blobs: readonly BlobPlace[]
}
