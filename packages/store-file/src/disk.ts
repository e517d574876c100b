/**
 * What must be on the disk, and when. A file that was fsynced is still lost in a power cut if the entry in its folder
 * was not, so folders are synced too.
 */
import {
  closeSync,
  constants,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  promises,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { hasCode } from './failure.ts'

export const FOLDER_MODE = 0o700
export const FILE_MODE = 0o600

// Windows has no such flag; there, making a symbolic link takes an administrator.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0

export const APPEND = constants.O_RDWR | constants.O_APPEND | NO_FOLLOW
export const CREATE = constants.O_CREAT
export const READ = constants.O_RDONLY | NO_FOLLOW

/** Makes a folder, and those above it that are missing. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: FOLDER_MODE })
}

/** Removes a file, or finds that somebody has. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** The same on a thread: a file system that is writing lets such changes wait, and all else should not wait with them. */
export async function removeFileAside(path: string): Promise<void> {
  try {
    await promises.unlink(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** Makes an empty file, or leaves the one that is there. The folder is made when it is missing. */
export function touch(path: string): void {
  for (let tries = 0; ; tries++) {
    try {
      return closeSync(openSync(path, constants.O_WRONLY | CREATE | NO_FOLLOW, FILE_MODE))
    } catch (error) {
      // Somebody may remove the empty folder at the same moment that we make it.
      if (!hasCode(error, 'ENOENT') || tries === 8) throw error
      makeFolder(dirname(path))
    }
  }
}

/** Writes a file that is not there yet; at `fsynced`, its content is on the disk before this returns. */
export async function writeNewFile(path: string, content: string | Uint8Array, fsynced: boolean): Promise<void> {
  if (!fsynced) return writeFileSync(path, content, { flag: 'wx', mode: FILE_MODE })
  const file = await promises.open(path, 'wx', FILE_MODE)
  try {
    await file.writeFile(content)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/**
 * Makes the entries of folders durable; callers that come while a folder is being synced share the next sync. The entry
 * of the folder itself, in the one above it, is seen to once: whoever made the folder may not have come to that.
 */
export class FolderSync {
  readonly #rooted = new Set<string>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #next = new Map<string, Promise<void>>()

  sync(path: string): Promise<void> {
    const running = this.#running.get(path)
    if (running === undefined) return this.#start(path)
    let next = this.#next.get(path)
    if (next === undefined) {
      next = running.catch(() => {}).then(() => this.#start(path))
      this.#next.set(path, next)
    }
    return next
  }

  #start(path: string): Promise<void> {
    this.#next.delete(path)
    const done = this.#sync(path).finally(() => {
      if (this.#running.get(path) === done) this.#running.delete(path)
    })
    this.#running.set(path, done)
    return done
  }

  /** In place, for who may wait for it. */
  syncNow(path: string): void {
    syncFolderNow(path)
    if (this.#rooted.has(path)) return
    syncFolderNow(dirname(path))
    this.#rooted.add(path)
  }

  async #sync(path: string): Promise<void> {
    if (this.#rooted.has(path)) return syncFolder(path)
    await Promise.all([syncFolder(path), syncFolder(dirname(path))])
    this.#rooted.add(path)
  }
}

export function syncFolderNow(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder for this, and does not need it: NTFS keeps names in its own journal.
  if (process.platform === 'win32') return Promise.resolve()
  return new Promise((resolve, reject) => {
    const folder = openSync(path, constants.O_RDONLY)
    fsync(folder, (error) => {
      closeSync(folder)
      if (error === null) resolve()
      else reject(error)
    })
  })
}
