/**
 * One run, as far as this process has read its log. The fold of the log's lines is the run: everybody who reads the
 * same lines has the same state, and the answer to a command is what the fold says at its line. A line whose guard
 * fails changes nothing for anybody; so of several processes that want the same thing the first line wins.
 */
import { BatonError, isTerminal, type RunEvent } from '@baton/core'
import {
  answerWithoutChange,
  applyCommand,
  type CachedRun,
  type Command,
  type CommandResult,
  fatten,
  type MachineOptions,
  type RunMachine,
  withRunId,
} from '@baton/core/adapter'
import { readBlob } from './blobs.ts'
import { storeFailure } from './failure.ts'
import type { LogRecord } from './log-reader.ts'
import type { RunPaths } from './paths.ts'
import type { CommandLine, MarkerLine, RunLine } from './run-line.ts'
import { SharedLog, type SharedLogOptions } from './shared-log.ts'

export interface StoredRunOptions extends Omit<SharedLogOptions, 'path'> {
  readonly paths: RunPaths
  readonly redispatchMs: number
}

export class StoredRun implements CachedRun {
  readonly paths: RunPaths
  readonly #log: SharedLog
  readonly #options: MachineOptions
  readonly #listeners = new Set<(event: RunEvent) => void>()
  #machine: RunMachine | undefined
  #nowMs = 0
  /** Where the run's marker lies by the log, and where this process has put one since. */
  #loggedMarkerMs = Number.POSITIVE_INFINITY
  #ownMarkerMs = Number.POSITIVE_INFINITY
  #blobBytes = 0
  #broken: BatonError | undefined

  constructor({ paths, redispatchMs, ...log }: StoredRunOptions) {
    this.paths = paths
    const onEvent = (event: RunEvent) => {
      for (const listener of this.#listeners) listener(event)
    }
    this.#options = { redispatchMs, onEvent }
    this.#log = new SharedLog({ ...log, path: paths.log })
  }

  /** Undefined before the run is created: a creator may have died before its line was whole. */
  get machine(): RunMachine | undefined {
    return this.#machine
  }

  /** The run was purged; its handle is of no use any more. */
  get removed(): boolean {
    return this.#log.removed
  }

  get found(): boolean {
    return this.#log.found
  }

  /** A sync failed. The handle must not be forgotten: a new one would sync again, and be told that all is well. */
  get failed(): boolean {
    return this.#log.failed
  }

  /** A line could not be read. A new handle may try again. */
  get broken(): boolean {
    return this.#broken !== undefined
  }

  /** As far as this process knows. Only runs that have ended are ever removed, and it would read of the end first. */
  get isLive(): boolean {
    return this.#machine !== undefined && !isTerminal(this.#machine.state.status)
  }

  get logBytes(): number {
    return this.#log.endByte
  }

  /** About how much memory it takes. */
  get weightBytes(): number {
    return this.#log.endByte + this.#blobBytes
  }

  get hasEnded(): boolean {
    return this.#machine !== undefined && isTerminal(this.#machine.state.status)
  }

  get mustStay(): boolean {
    return this.failed
  }

  /** The earliest bucket in which the run surely has a marker; never when it has none. */
  get markerMs(): number {
    return Math.min(this.#loggedMarkerMs, this.#ownMarkerMs)
  }

  /** All buckets in which it may have one, as far as this process knows. */
  get markersMs(): readonly number[] {
    const known =
      this.#loggedMarkerMs === this.#ownMarkerMs ? [this.#ownMarkerMs] : [this.#loggedMarkerMs, this.#ownMarkerMs]
    return known.filter(Number.isFinite)
  }

  /** The run's time: the clock, but never before what has happened. */
  timeAt(clockMs: number): number {
    return Math.max(clockMs, this.#nowMs)
  }

  /** A marker was put there. */
  noteMarker(bucketMs: number): void {
    this.#ownMarkerMs = Math.min(this.#ownMarkerMs, bucketMs)
  }

  /** Tells of every event from now on, as soon as its line was read or written. @returns how to end it */
  listen(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What the machine answers to a command that changes nothing; undefined when it may change something. */
  answerWithoutChange(command: Command, clockMs: number): CommandResult | undefined {
    if (this.#machine === undefined) return undefined
    return answerWithoutChange(this.#machine, command, this.timeAt(clockMs), this.#options)
  }

  /** Reads what others have written. */
  sync(): void {
    this.#fold(this.#log.read(this.isLive))
  }

  /** Writes a command's line, and says what it did. @returns undefined when the run was not there, or no more */
  append(text: string, { create = false }: { readonly create?: boolean } = {}): CommandResult | undefined {
    this.#assertWhole()
    const { records, mine } = this.#log.append(text, { create, isLive: !create && this.isLive })
    // Also of a run that is gone by now: its followers are told how it ended.
    const answer = this.#fold(records)[mine]
    // A run is purged after its end, so its log says what became of the line. One that goes on was robbed of its log.
    return this.#log.removed && this.isLive ? undefined : answer
  }

  /** Notes that the marker was moved. @returns whether that counts: not when somebody wrote meanwhile */
  moveMarker(atMs: number, markerMs: number): boolean {
    const line: MarkerLine = {
      atMs,
      markerMs: markerMs === Number.POSITIVE_INFINITY ? null : markerMs,
      seenToByte: this.#log.endByte,
    }
    const { records, mine } = this.#log.append(JSON.stringify(line))
    this.#fold(records)
    return records[mine]?.atByte === line.seenToByte
  }

  flush(isAlone = false): Promise<void> {
    return this.#log.flush(isAlone)
  }

  /** @returns what each of the lines did */
  #fold(records: readonly LogRecord[]): readonly (CommandResult | undefined)[] {
    this.#assertWhole()
    let isWhole = true
    return records.map((record) => {
      if (!isWhole) return undefined
      try {
        const line = this.#parse(record.text)
        return 'command' in line ? this.#apply(line) : this.#noteMove(line, record)
      } catch (error) {
        // It was purged while we read its lines through a descriptor: what they refer to is gone with it.
        if (!this.#log.hasItsName()) {
          this.#log.giveUp()
          isWhole = false
          return undefined
        }
        // The state may be half-way between two lines now.
        const { message } = storeFailure(error, `line at byte ${record.atByte} of ${this.paths.log}`)
        this.#broken = BatonError.is(error) ? error : new BatonError('STORE_CORRUPT', { message, cause: error })
        throw this.#broken
      }
    })
  }

  #parse(text: string): RunLine {
    const line = JSON.parse(text) as RunLine
    if ('command' in line && line.blobs !== undefined) {
      fatten(line.command, line.blobs, (sha256) => {
        const { value, bytes } = readBlob(this.paths, sha256)
        this.#blobBytes += bytes
        return value
      })
    }
    return line
  }

  #apply(line: CommandLine): CommandResult | undefined {
    this.#nowMs = Math.max(this.#nowMs, line.atMs)
    const before = this.#machine
    const command = withRunId(line.command, before?.state.head.runId)
    const result = command && applyCommand(before, command, this.#nowMs, this.#options)
    if (result?.type === 'create' && before === undefined) {
      this.#machine = result.machine
      this.#loggedMarkerMs = line.markerMs ?? Number.POSITIVE_INFINITY
    }
    return result
  }

  #noteMove({ atMs, markerMs, seenToByte }: MarkerLine, { atByte }: LogRecord): undefined {
    this.#nowMs = Math.max(this.#nowMs, atMs)
    if (atByte !== seenToByte) return
    this.#loggedMarkerMs = markerMs ?? Number.POSITIVE_INFINITY
    // It may have been ours that was moved.
    this.#ownMarkerMs = Number.POSITIVE_INFINITY
  }

  #assertWhole(): void {
    if (this.#broken !== undefined) throw this.#broken
  }
}
