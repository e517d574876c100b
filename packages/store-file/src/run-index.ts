/**
 * A few words about every run, for lists, retention and repair. They come from the logs. Those about ended runs are
 * also kept in one file, so that a process that starts need not read every log there ever was; a note that is missing
 * there, or older than its log, is made again.
 */
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { BatonError } from '@baton/core'
import { type RunNote as NoteOfRun, noteOf as noteOfRun, type RunId, type RunState } from '@baton/core/adapter'
import { FILE_MODE, type FolderSync } from './disk.ts'
import { idOfFileName } from './file-name.ts'
import { encodeFrame } from './frame.ts'
import type { LogRecord } from './log-reader.ts'
import type { OpenFiles } from './open-files.ts'
import type { Paths } from './paths.ts'
import { SharedLog } from './shared-log.ts'
import type { StoredRun } from './stored-run.ts'

/** A note, and how long the log was that says so. */
export interface RunNote extends NoteOfRun {
  readonly logBytes: number
}

/** The run was purged. */
interface Farewell {
  readonly gone: RunId
}

export interface RunIndexOptions {
  readonly paths: Paths
  readonly files: OpenFiles
  readonly folders: FolderSync
  /** Reads a run; undefined when it is not there or cannot be read. */
  readonly open: (runId: RunId) => StoredRun | undefined
}

const COMPACT_BYTES = 1024 * 1024
/** How many runs to look at before others get their turn. */
const RUNS_PER_TURN = 50
const ORPHAN_MS = 24 * 3_600_000

export class RunIndex {
  readonly #options: RunIndexOptions
  #log: SharedLog
  /** What the file says. */
  #written = new Map<RunId, RunNote>()
  /** What was found at the last scan. */
  #notes: ReadonlyMap<RunId, RunNote> = new Map()

  constructor(options: RunIndexOptions) {
    this.#options = options
    this.#log = this.#openLog()
  }

  /** All runs there are. */
  async scan(): Promise<ReadonlyMap<RunId, RunNote>> {
    this.#read()
    const { paths } = this.#options
    const notes = new Map<RunId, RunNote>()
    let looked = 0
    for (const shard of paths.runShards()) {
      for (const name of logsIn(shard)) {
        if (++looked % RUNS_PER_TURN === 0) await setImmediate()
        const runId = idOfFileName(name)
        const note = runId === undefined ? undefined : this.#note(runId)
        if (note !== undefined) notes.set(note.runId, note)
      }
    }
    this.#notes = notes
    return notes
  }

  /** Keeps a note about a run that has ended. */
  write(note: RunNote): void {
    this.#append(note)
  }

  /** The note about a purged run must not be taken for one about a later run of the same id. */
  forget(runId: RunId): void {
    this.#append({ gone: runId })
  }

  /** Replaces a file that consists mostly of old notes. What others write to it meanwhile is made again. */
  compact(): void {
    this.#read()
    const lines = [...this.#written.values()].map((note) => encodeFrame('kept.0', JSON.stringify(note)))
    const text = Buffer.concat(lines)
    if (this.#log.endByte < COMPACT_BYTES || this.#log.endByte < 2 * text.length) return
    const { notes } = this.#options.paths
    const draft = `${notes}.${process.pid}.${Math.random().toString(36).slice(2)}`
    writeFileSync(draft, text, { flag: 'wx', mode: FILE_MODE })
    renameSync(draft, notes)
  }

  #note(runId: RunId): RunNote | undefined {
    const { paths, open } = this.#options
    const run = paths.run(runId)
    const logBytes = statSync(run.log, { throwIfNoEntry: false })?.size
    if (logBytes === undefined) return undefined
    for (const known of [this.#notes.get(runId), this.#written.get(runId)]) {
      if (known?.logBytes === logBytes) return known
    }
    const stored = open(runId)
    if (stored?.machine === undefined) return undefined
    const note = noteOf(stored.machine.state, logBytes)
    if (note.endedAtMs !== undefined) this.write(note)
    return note
  }

  #append(line: RunNote | Farewell): void {
    this.#read()
    const { records } = this.#log.append(JSON.stringify(line), { create: true })
    this.#take(records)
  }

  #read(): void {
    try {
      this.#take(this.#log.read())
      if (!this.#log.removed) return
    } catch (error) {
      if (!BatonError.is(error, 'STORE_CORRUPT')) throw error
      const { paths, files } = this.#options
      files.forget(paths.notes)
      rmSync(paths.notes, { force: true })
    }
    // Somebody has compacted it, or it was damaged.
    this.#log = this.#openLog()
    this.#written = new Map()
    this.#take(this.#log.read())
  }

  #take(records: readonly LogRecord[]): void {
    for (const { text } of records) {
      const line = JSON.parse(text) as RunNote | Farewell
      if ('gone' in line) this.#written.delete(line.gone)
      else this.#written.set(line.runId, line)
    }
  }

  #openLog(): SharedLog {
    const { paths, files, folders } = this.#options
    return new SharedLog({ path: paths.notes, files, folders, fsynced: false })
  }
}

export function noteOf(state: RunState, logBytes: number): RunNote {
  return { ...noteOfRun(state), logBytes }
}

function logsIn(shard: string): string[] {
  return readdirSync(shard).flatMap((name) => (name.endsWith('.log') ? [name.slice(0, -4)] : []))
}

/** Removes values whose run was never created, or was purged by a process that died over it. */
export function removeOrphans(paths: Paths): void {
  for (const folder of paths.runShards()) {
    const names = new Set(readdirSync(folder))
    for (const name of names) {
      const of = /^(.*)\.blobs$/.exec(name)?.[1]
      if (of === undefined || names.has(`${of}.log`)) continue
      const path = join(folder, name)
      const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY }
      if (Date.now() - mtimeMs > ORPHAN_MS) rmSync(path, { recursive: true, force: true })
    }
  }
}
