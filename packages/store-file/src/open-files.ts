/**
 * Keeps logs open between uses, but not more than a process may have open: the one that was not used for longest is
 * closed first. A file on which a sync is under way stays.
 */
import { closeSync, fstatSync, openSync, type Stats } from 'node:fs'
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

  /** Makes the file, and its folder, when `create` is set. @returns undefined when there is no such file otherwise */
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
      const fd = create ? openOrMake(path) : openSync(path, APPEND)
      const file = { fd, identity: identityOf(fstatSync(fd)), pins: 0, doomed: false }
      this.#files.set(path, file)
      return file
    } catch (error) {
      if (hasCode(error, 'ENOENT') && !create) return undefined
      throw error
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

function openOrMake(path: string): number {
  try {
    return openSync(path, APPEND | CREATE, FILE_MODE)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    makeFolder(dirname(path))
    return openSync(path, APPEND | CREATE, FILE_MODE)
  }
}
