/**
 * Keeps logs open between uses, but not more than a process may have open: the one that was not used for longest is
 * closed first. A file on which a sync is under way stays.
 */
import { closeSync, fstatSync, openSync, promises, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { BatonError } from '@baton/core'
import { APPEND, CREATE, FILE_MODE, makeFolder } from './disk.ts'
import { hasCode } from './failure.ts'

export interface OpenFile {
  readonly fd: number
  /** Tells the file from a later one of the same name. */
  readonly identity: string
  /** How many operations are under way. */
  pins: number
  doomed: boolean
}

export class OpenFiles {
  readonly #limit: number
  // A Map keeps the order of insertion: the first one is the one that was not used for longest.
  readonly #files = new Map<string, OpenFile>()
  #closed = false

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#files.size
  }

  /** @returns undefined when there is no such file and `create` is not set */
  open(path: string, create: boolean): OpenFile | undefined {
    if (this.#closed) throw new BatonError('CLOSED')
    const known = this.#files.get(path)
    if (known !== undefined) {
      this.#files.delete(path)
      this.#files.set(path, known)
      return known
    }
    this.#makeRoom()
    try {
      const fd = openSync(path, create ? APPEND | CREATE : APPEND, FILE_MODE)
      const file = { fd, identity: identityOf(fstatSync(fd)), pins: 0, doomed: false }
      this.#files.set(path, file)
      return file
    } catch (error) {
      if (hasCode(error, 'ENOENT') && !create) return undefined
      throw error
    }
  }

  /**
   * Makes a file, and its folder, if they are not there. Not on the main thread: a file system may have to look long for a
   * free inode (measured on ext4: 70 µs, and 800 after thousands of files were removed).
   */
  async create(path: string): Promise<void> {
    if (this.#files.has(path)) return
    const make = () => promises.open(path, APPEND | CREATE, FILE_MODE)
    const file = await make().catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error
      makeFolder(dirname(path))
      return make()
    })
    await file.close()
  }

  /** The same in place, for who has nothing else to do meanwhile; the file stays open. */
  createNow(path: string): void {
    try {
      this.open(path, true)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      makeFolder(dirname(path))
      this.open(path, true)
    }
  }

  forget(path: string): void {
    const file = this.#files.get(path)
    if (file === undefined) return
    this.#files.delete(path)
    // Work under way goes by the number, which another file might get at once: the last to unpin it closes it.
    file.doomed = true
    if (file.pins === 0) closeSync(file.fd)
  }

  close(): void {
    this.#closed = true
    for (const path of [...this.#files.keys()]) this.forget(path)
  }

  #makeRoom(): void {
    if (this.#files.size < this.#limit) return
    for (const [path, file] of this.#files) {
      if (file.pins > 0) continue
      this.forget(path)
      return
    }
  }

  /** Runs an operation that is over when it returns. */
  usedNow(file: OpenFile, work: (fd: number) => void): void {
    work(file.fd)
  }

  /** Runs an operation that needs the file to stay open until it is over. */
  async pinned(file: OpenFile, work: (fd: number) => Promise<void>): Promise<void> {
    file.pins += 1
    try {
      await work(file.fd)
    } finally {
      file.pins -= 1
      if (file.doomed && file.pins === 0) closeSync(file.fd)
    }
  }
}

/** A number of a removed file may be given to a new one, hence the time. */
export function identityOf({ ino, birthtimeMs }: Stats): string {
  return `${ino}.${birthtimeMs}`
}
