/**
 * One append-only file that several processes write to without a lock.
 *
 * `O_APPEND` makes the file the referee: each record is one write, writes come one after the other, and everybody
 * reads them in the same order. So a process that has appended reads on from where it was to its own record, and knows
 * what came before it. Nobody ever changes or cuts what is there. What a record looks like, and what a crash can leave
 * of one: `frame.ts`.
 *
 * Reading and writing are synchronous, a few microseconds each in the page cache, so that nothing happens in this
 * process between an append and the reading of what preceded it. `flush` waits for the disk. Appends that arrive while
 * a sync is under way share the next one. Syncs go through the thread pool, where many overlap; one that is alone on a
 * quick disk is done in place (`lone-sync.ts`).
 *
 * The logs of runs have a redo log (`redo-log.ts`): every line goes there too, in the order of this file, and `flush`
 * waits for that instead. Lines of others may be in no redo log that is safe yet, so after those it is this file
 * that is synced, once.
 *
 * After a failed sync nobody can know what the disk holds, and a second try would report success without having
 * written: such a log refuses all further work in this process.
 */
import { existsSync, fdatasync, fdatasyncSync, fstatSync, readSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { BatonError } from '@baton/core'
import type { FolderSync } from './disk.ts'
import { onDisk, storeFailure } from './failure.ts'
import { encodeFrame } from './frame.ts'
import { LogReader, type LogRecord } from './log-reader.ts'
import { LoneSync } from './lone-sync.ts'
import { identityOf, type OpenFile, type OpenFiles } from './open-files.ts'
import type { RedoLog } from './redo-log.ts'

export interface SharedLogOptions {
  readonly path: string
  readonly files: OpenFiles
  readonly folders: FolderSync
  /** False: `flush` does nothing, and what was written survives the process but not a power cut. */
  readonly fsynced: boolean
  /** What is written goes there too, and waits for its sync instead of one of its own. */
  readonly redo?: RedoLog | undefined
}

export interface Appended {
  /** Everything new, in the order of the file; others' records may follow the own one. */
  readonly records: readonly LogRecord[]
  /** Which of them is the own one. */
  readonly mine: number
}

interface AppendOptions {
  readonly create?: boolean
  readonly isLive?: boolean
}

export const MAX_RECORD_BYTES = 16 * 1024 * 1024

let logCount = 0
const processTag = Math.floor(Math.random() * 36 ** 4).toString(36)

export class SharedLog {
  readonly #options: SharedLogOptions
  readonly #reader: LogReader
  readonly #writer = `${processTag}${(logCount++ % 36 ** 4).toString(36)}`
  #appendCount = 0
  #identity: string | undefined
  #removed = false
  #syncedTo = 0
  #runningTo = 0
  /** The end of what others wrote, as far as this log knows; and where the last own line is in the redo log. */
  #foreignTo = 0
  #redoBatch = 0
  #folderSynced = false
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failed: BatonError | undefined

  constructor(options: SharedLogOptions) {
    this.#options = options
    this.#reader = new LogReader(options.path)
  }

  /** The file was there and is gone, or another one has taken its name: this log will never change again. */
  get removed(): boolean {
    return this.#removed
  }

  /** A sync failed: nothing more can be done with it. */
  get failed(): boolean {
    return this.#failed !== undefined
  }

  /** There is such a file, as far as the last look told. */
  get found(): boolean {
    return this.#identity !== undefined && !this.#removed
  }

  /** Whether the file at this path is still the one that was read. Looks for itself. */
  hasItsName(): boolean {
    const entry = statSync(this.#options.path, { throwIfNoEntry: false })
    return entry !== undefined && identityOf(entry) === this.#identity
  }

  /** It was seen that the file is gone. */
  giveUp(): void {
    this.#removed = true
    this.#options.files.forget(this.#options.path)
  }

  /** The end of what has been read or written. */
  get endByte(): number {
    return this.#reader.position
  }

  get tornCount(): number {
    return this.#reader.tornCount
  }

  /**
   * What has been appended since the last look; nothing when there is no file.
   * @param isLive nobody would put another file in its place: a look without `stat` will do
   */
  read(isLive = false): readonly LogRecord[] {
    this.#assertSound()
    return onDisk('reading a log', () => {
      const file = this.#file(false)
      if (file === undefined || (isLive && this.#isUnchanged(file))) return NOTHING
      const size = this.#sizeOf(file)
      return size === this.#reader.position && !this.#removed ? NOTHING : this.#readTo(file, size)
    })
  }

  /**
   * Appends one record and reads whatever came before it. Throws `STORE_UNAVAILABLE` when the record may or may not
   * be there. The file is made when `create` is set, and must be there otherwise: a record that went to one that has
   * been removed is nowhere, and `removed` is true. `isLive` is as for `read`.
   */
  append(text: string, { create = false, isLive = false }: AppendOptions = {}): Appended {
    this.#assertSound()
    const tag = `${this.#writer}.${this.#appendCount++}`
    const frame = encodeFrame(tag, text)
    if (frame.length > MAX_RECORD_BYTES)
      throw new BatonError('TOO_LARGE', { message: `a record of ${frame.length} bytes` })
    return onDisk('appending to a log', () => {
      const file = this.#file(create)
      if (file === undefined) return { records: [], mine: -1 }
      const written = writeSync(file.fd, frame)
      // Never write the rest: others may have appended meanwhile. What is there is a torn record.
      if (written < frame.length) throw new Error(`wrote ${written} of ${frame.length} bytes, is the disk full?`)
      const atByte = this.#reader.position
      const isNext = isLive && this.#isAt(file, atByte, frame) && existsSync(this.#options.path)
      const size = isNext ? undefined : this.#sizeOf(file)
      if (size === undefined || (size === atByte + frame.length && !this.#removed)) {
        this.#reader.skip(frame.length)
        this.#redoBatch = this.#options.redo?.add(this.#options.path, atByte, frame) ?? 0
        return { records: [{ tag, text, atByte }], mine: 0 }
      }
      const records = this.#readTo(file, size)
      const mine = records.findIndex((record) => record.tag === tag)
      // It is there, and so before the place to which this log had been read.
      if (mine === -1 && !this.#removed) throw this.#reader.cut()
      return { records, mine }
    })
  }

  /**
   * Waits until everything that was read or written is on the disk.
   * @param isAlone nothing else of this process waits for the disk
   */
  flush(isAlone = false): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    const toByte = this.#reader.position
    const { fsynced, redo } = this.#options
    if (!fsynced || (this.#folderSynced && this.#syncedTo >= toByte)) return DONE
    // What others wrote may be in no redo log yet, so it takes a sync of this file; that covers the own lines as well.
    if (redo !== undefined && this.#foreignTo <= this.#syncedTo) return redo.flush(this.#redoBatch, isAlone)
    if (this.#running === undefined) return loneSync.may(isAlone) ? this.#syncNow() : this.#startSync()
    // It may have begun after the last of what we wait for was written; else the next one will.
    if (this.#runningTo >= toByte) return this.#running
    this.#next ??= this.#running.then(() => this.#startSync())
    return this.#next
  }

  #startSync(): Promise<void> {
    this.#next = undefined
    this.#running = this.#sync().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  #syncNow(): Promise<void> {
    const { files, folders, path } = this.#options
    try {
      const file = this.#file(false)
      if (file === undefined) return DONE
      loneSync.now(() => {
        files.usedNow(file, fdatasyncSync)
        if (!this.#folderSynced) folders.syncNow(dirname(path))
      })
    } catch (error) {
      return Promise.reject(this.#fail(error))
    }
    this.#folderSynced = true
    this.#syncedTo = this.#reader.position
    return DONE
  }

  async #sync(): Promise<void> {
    const { files, folders, path } = this.#options
    const upTo = this.#reader.position
    this.#runningTo = upTo
    try {
      const file = this.#file(false)
      if (file === undefined) return
      await loneSync.elsewhere(async () => {
        const content = files.pinned(file, syncContent)
        // Whoever made the file may have died before its entry in the folder was safe.
        await (this.#folderSynced ? content : Promise.all([content, folders.sync(dirname(path))]))
      })
    } catch (error) {
      throw this.#fail(error)
    }
    this.#folderSynced = true
    this.#syncedTo = upTo
  }

  #fail(error: unknown): BatonError {
    const { path, redo } = this.#options
    this.#failed = storeFailure(error, `syncing ${path}`)
    redo?.distrust(path)
    return this.#failed
  }

  #file(create: boolean): OpenFile | undefined {
    const { files, path } = this.#options
    const file = this.#removed ? undefined : files.open(path, create && this.#identity === undefined)
    if (file === undefined || (this.#identity !== undefined && this.#identity !== file.identity)) {
      if (this.#identity !== undefined) this.#removed = true
      return undefined
    }
    this.#identity = file.identity
    return file
  }

  /**
   * Whether the file still ends where it was read to, and has its name. A `stat` would tell more, but makes the file system
   * keep finer times for the file, and with them the next sync of any file takes 40 µs longer (measured on ext4, Linux 6.18).
   */
  #isUnchanged({ fd }: OpenFile): boolean {
    const { position } = this.#reader
    const from = Math.max(0, position - 1)
    return readSync(fd, look, 0, 2, from) === position - from && existsSync(this.#options.path)
  }

  /** Whether that frame is what lies there: no other one begins as it does. */
  #isAt({ fd }: OpenFile, atByte: number, frame: Buffer): boolean {
    const bytes = Math.min(frame.length, look.length)
    return readSync(fd, look, 0, bytes, atByte) === bytes && look.compare(frame, 0, bytes, 0, bytes) === 0
  }

  #sizeOf(file: OpenFile): number {
    const { size, nlink } = fstatSync(file.fd)
    if (nlink === 0) this.#removed = true
    return size
  }

  #readTo(file: OpenFile, size: number): readonly LogRecord[] {
    const records = this.#reader.read(file.fd, size)
    this.#foreignTo = this.#reader.position
    // The name is free for another file now.
    if (this.#removed) this.#options.files.forget(this.#options.path)
    return records
  }

  #assertSound(): void {
    const failed = this.#failed ?? this.#options.redo?.failure
    if (failed !== undefined) throw failed
  }
}

const DONE = Promise.resolve()
/** One for the process: its disk is as quick for one log as for another. */
const loneSync = new LoneSync()
/** Longer than what a frame has before its text. */
const look = Buffer.alloc(64)
const NOTHING: readonly LogRecord[] = []

function syncContent(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error === null ? resolve() : reject(error)))
  })
}
