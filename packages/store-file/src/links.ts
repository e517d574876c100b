/**
 * Empty files by the thousand, as hard links to one. That one lies apart and only lends its inode; its own name may be
 * removed at any time, and the links stay.
 */
import { linkSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeFolder, touch } from './disk.ts'
import { hasCode } from './failure.ts'

export class Links {
  readonly #folder: string
  #source: string | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes an empty file, or leaves the one that is there. The folder is made when it is missing. */
  put(path: string): void {
    for (let tries = 0; ; tries++) {
      try {
        this.#source ??= this.#newSource()
        return linkSync(this.#source, path)
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return
        if (tries === 8) throw error
        // The inode has as many names as it may have.
        if (hasCode(error, 'EMLINK')) this.close()
        // Somebody may remove an empty folder at the same moment that we make it; or tidy our source away.
        else if (hasCode(error, 'ENOENT')) {
          makeFolder(dirname(path))
          if (tries > 0) this.#source = undefined
        } else throw error
      }
    }
  }

  close(): void {
    if (this.#source !== undefined) rmSync(this.#source, { force: true })
    this.#source = undefined
  }

  #newSource(): string {
    const path = join(this.#folder, `${process.pid}.${Math.random().toString(36).slice(2)}`)
    touch(path)
    return path
  }
}
