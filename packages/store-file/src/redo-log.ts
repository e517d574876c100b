/**
 * Makes lines of many logs durable with one sync.
 *
 * What a process appends to the logs of runs goes into its redo log too, as `{file, offset, bytes}`, and only that one
 * file is synced before an answer is given: commits of different runs share a sync, and a new run needs none of its folder.
 * A power cut may take the lines from the logs themselves; then whoever opens the folder next puts them back
 * (`recovery.ts`). A redo log that has grown long is replaced; when everything that it mentions has been synced where
 * it belongs, it is removed. The same happens after a minute: a redo log must not outlive the tombstone of a run that it
 * mentions, or it would bring that run back.
 *
 * A batch that cannot be written (a full disk, no descriptor left) is refused, and goes with the next one. A sync that
 * fails is final: nobody knows what the disk holds. A redo log that mentions a log which could not be synced is kept.
 *
 * The file is made longer 256 KiB of zeros at a time. To overwrite these, the file system need not change what it
 * knows of the file, and a sync takes a quarter less (measured on ext4).
 *
 * What one run alone waits for is synced in place while the disk is quick (`lone-sync.ts`). For several runs a thread does
 * it, and the next batch collects meanwhile.
 *
 * Somebody may take this process for dead and recover from its redo log, which then has another name. So after each
 * sync its name is looked at. Gone: it was read at a time nobody knows, and everything in it is synced where it belongs
 * before the answer. Still there: whoever takes it later will read what has just been written.
 */
import { closeSync, constants, existsSync, fdatasync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { BatonError, ILogger } from '@baton/core'
import { messageOf } from '@baton/core/adapter'
import { APPEND, CREATE, FILE_MODE, type FolderSync, makeFolder, READ, removeFile } from './disk.ts'
import { hasCode, storeFailure } from './failure.ts'
import { LoneSync } from './lone-sync.ts'
import type { Paths } from './paths.ts'
import { encodeBatch, type RedoRecord } from './redo-batch.ts'
import { giveUpRedoName, newRedoName } from './redo-name.ts'

export interface RedoLogOptions {
  readonly paths: Paths
  readonly folders: FolderSync
  readonly logger: ILogger
  /** A file of that length is replaced. */
  readonly limitBytes: number
  /** The same for one of that age. Real time: it is about files, not about runs. */
  readonly limitMs: number
}

interface RedoFile {
  readonly fd: number
  readonly name: string
  readonly path: string
  /** The logs whose lines it has. */
  readonly logs: Set<string>
  readonly ageing: NodeJS.Timeout
  isOld: boolean
  position: number
  /** Up to here it is on the disk, be it as zeros. */
  allocated: number
}

const EXTENT_BYTES = 256 * 1024
/** Lines nobody waits for are not kept in memory beyond this; lines that cannot be written, not beyond twice as much. */
const PENDING_BYTES = 1024 * 1024
const SYNCS_AT_ONCE = 4
const DONE = Promise.resolve()

export class RedoLog {
  readonly #options: RedoLogOptions
  readonly #limitBytes: number
  readonly #limitMs: number
  readonly #loneSync = new LoneSync()
  #file: RedoFile | undefined
  #pending: RedoRecord[] = []
  #pendingLogs: string[] = []
  #pendingBytes = 0
  /** The batch that collects, and the last one that is safe. */
  #batch = 1
  #safeBatch = 0
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #checkpoints: Promise<void> = DONE
  /** Logs whose sync failed. */
  readonly #distrusted = new Set<string>()
  #failed: BatonError | undefined

  constructor(options: RedoLogOptions) {
    this.#options = options
    this.#limitBytes = options.limitBytes
    this.#limitMs = options.limitMs
  }

  /** After a failed sync nobody knows what the disk holds: nothing more can be made safe. */
  get failure(): BatonError | undefined {
    return this.#failed
  }

  /** Takes a line that has been appended to a log. @returns what to wait for: the number of its batch */
  add(path: string, atByte: number, bytes: Buffer): number {
    const file = relative(this.#options.paths.root, path)
    this.#pending.push({ file: sep === '/' ? file : file.replaceAll(sep, '/'), atByte, bytes })
    this.#pendingLogs.push(path)
    this.#pendingBytes += bytes.length
    const batch = this.#batch
    // Who waits for it will be told of a failure.
    if (this.#pendingBytes > PENDING_BYTES) this.flush(batch).catch(() => {})
    return batch
  }

  /**
   * Waits until that batch is on the disk. Those that come while a sync is under way share the next one.
   * @param isAlone nothing else of this process waits for the disk
   */
  flush(batch: number, isAlone = false): Promise<void> {
    if (this.#safeBatch >= batch) return DONE
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    // Not the one that collects, so it is on its way.
    if (batch < this.#batch) return this.#running ?? DONE
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#start(isAlone)
    this.#next = this.#running.then(() => this.#start())
    return this.#next
  }

  /** That log could not be synced. A later sync may report success without having written, so what is here is kept. */
  distrust(path: string): void {
    this.#distrusted.add(path)
  }

  /** Syncs what it has where it belongs, and removes it. */
  async close(): Promise<void> {
    await (this.#next ?? this.#running)?.catch(() => {})
    const file = this.#file
    if (this.#failed === undefined && file !== undefined) {
      for (const path of this.#pendingLogs) file.logs.add(path)
      this.#retire(file, SYNCS_AT_ONCE)
    } else if (file !== undefined) this.#abandon(file)
    await this.#checkpoints
  }

  #start(isAlone = false): Promise<void> {
    this.#next = undefined
    const batch = this.#batch
    let file: RedoFile
    try {
      file = this.#append()
    } catch (error) {
      if (this.#pendingBytes > 2 * PENDING_BYTES) return Promise.reject(this.#fail(error))
      return Promise.reject(storeFailure(error, 'writing the redo log'))
    }
    try {
      let synced: Promise<unknown> = DONE
      if (this.#loneSync.may(isAlone)) {
        this.#loneSync.now(() => fdatasyncSync(file.fd))
        if (this.#isStillOurs(file)) {
          this.#safeBatch = batch
          return DONE
        }
      } else synced = this.#loneSync.elsewhere(() => syncContent(file.fd))
      this.#running = this.#settle(file, batch, synced)
      return this.#running
    } catch (error) {
      return Promise.reject(this.#fail(error))
    }
  }

  async #settle(file: RedoFile, batch: number, synced: Promise<unknown>): Promise<void> {
    try {
      await synced
      if (!this.#isStillOurs(file)) await this.#yield(file)
      this.#safeBatch = batch
    } catch (error) {
      throw this.#fail(error)
    } finally {
      this.#running = undefined
    }
  }

  /** Writes what has been collected. When that throws, it is still collected. */
  #append(): RedoFile {
    this.#file ??= this.#make()
    const file = this.#file
    append(file, this.#pending)
    for (const path of this.#pendingLogs) file.logs.add(path)
    this.#batch += 1
    this.#pending = []
    this.#pendingLogs = []
    this.#pendingBytes = 0
    return file
  }

  #isStillOurs(file: RedoFile): boolean {
    if (!hasItsName(file)) return false
    if (file.isOld || file.position > this.#limitBytes) this.#retire(file, 1)
    return true
  }

  #fail(error: unknown): BatonError {
    this.#failed = storeFailure(error, 'syncing the redo log')
    return this.#failed
  }

  #make(): RedoFile {
    const { paths, folders } = this.#options
    const name = newRedoName()
    const path = join(paths.redo, name)
    let fd: number | undefined
    try {
      fd = openNew(path)
      folders.syncNow(paths.redo)
    } catch (error) {
      if (fd !== undefined) closeSync(fd)
      removeFile(path)
      giveUpRedoName(name)
      throw error
    }
    const ageing = setTimeout(() => this.#age(file), this.#limitMs).unref()
    const file: RedoFile = { fd, name, path, logs: new Set(), ageing, isOld: false, position: 0, allocated: 0 }
    return file
  }

  #age(file: RedoFile): void {
    file.isOld = true
    // Whoever is about to sync it will see.
    if (this.#running === undefined && this.#file === file && this.#failed === undefined) this.#retire(file, 1)
  }

  /** Somebody has taken it. */
  async #yield(file: RedoFile): Promise<void> {
    this.#abandon(file)
    await this.#syncLogs(file.logs, SYNCS_AT_ONCE)
  }

  #abandon(file: RedoFile): void {
    if (this.#file === file) this.#file = undefined
    giveUpRedoName(file.name)
    clearTimeout(file.ageing)
    closeSync(file.fd)
  }

  /** Goes on with another file, and removes this one when it is not needed any more. */
  #retire(file: RedoFile, atOnce: number): void {
    this.#file = undefined
    clearTimeout(file.ageing)
    closeSync(file.fd)
    this.#checkpoints = this.#checkpoints
      .then(() => this.#syncLogs(file.logs, atOnce))
      .then(() => {
        const distrusted = [...file.logs].find((path) => this.#distrusted.has(path))
        if (distrusted !== undefined) throw new Error(`an earlier sync of ${distrusted} failed`)
        removeFile(file.path)
      })
      .catch((error: unknown) => {
        // It stays, and whoever opens the folder when this process is gone recovers from it.
        this.#options.logger.log('error', 'could not sync the logs of runs', { error: messageOf(error) })
      })
      .finally(() => giveUpRedoName(file.name))
  }

  async #syncLogs(logs: ReadonlySet<string>, atOnce: number): Promise<void> {
    const left = logs.values()
    const work = async () => {
      for (const path of left) await syncFile(path)
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    const { folders } = this.#options
    for (const folder of new Set([...logs].map((path) => dirname(path)))) await folders.sync(folder)
  }
}

function append(file: RedoFile, records: readonly RedoRecord[]): void {
  let end = 0
  let allocated = file.allocated
  const bytes = encodeBatch(records, (length) => {
    end = file.position + length
    if (end <= allocated) return length
    allocated = Math.ceil(end / EXTENT_BYTES) * EXTENT_BYTES
    return allocated - file.position
  })
  const written = writeSync(file.fd, bytes, 0, bytes.length, file.position)
  if (written < bytes.length) throw new Error(`wrote ${written} of ${bytes.length} bytes, is the disk full?`)
  file.position = end
  file.allocated = allocated
}

function openNew(path: string): number {
  const flags = constants.O_RDWR | CREATE | constants.O_EXCL | READ
  try {
    return openSync(path, flags, FILE_MODE)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    makeFolder(dirname(path))
    return openSync(path, flags, FILE_MODE)
  }
}

/**
 * Its name is like no other. Only whether it is there: a `stat` would make the file system keep finer times for the file,
 * and the next sync take 40 µs longer (measured on ext4, Linux 6.18).
 */
function hasItsName({ path }: RedoFile): boolean {
  return existsSync(path)
}

/** A log that is gone was purged. */
async function syncFile(path: string): Promise<void> {
  let fd: number
  try {
    fd = openSync(path, APPEND)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  try {
    await syncContent(fd)
  } finally {
    closeSync(fd)
  }
}

function syncContent(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error === null ? resolve() : reject(error)))
  })
}
