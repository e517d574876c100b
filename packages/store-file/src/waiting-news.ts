/**
 * Tells the processes that share a folder that something was put on a waiting list: a file that is written anew each
 * time, and watched. A hint; sweeps find what it misses.
 */
import { writeFileSync } from 'node:fs'
import type { IClock } from '@baton/core'
import { FILE_MODE } from './disk.ts'
import type { Paths } from './paths.ts'
import { Watcher } from './watcher.ts'

export interface WaitingNewsOptions {
  readonly paths: Paths
  readonly clock: IClock
  readonly pollMs: number
}

export class WaitingNews {
  readonly #options: WaitingNewsOptions
  #watcher: Watcher | undefined
  #closed = false

  constructor(options: WaitingNewsOptions) {
    this.#options = options
  }

  tell(): void {
    this.#watcher?.wake()
    try {
      writeFileSync(this.#options.paths.waitingNews, '', { mode: FILE_MODE })
    } catch {
      // They look by themselves, if later.
    }
  }

  /** @returns how to end it */
  listen(hear: () => void): () => void {
    const { paths, clock, pollMs } = this.#options
    this.#watcher ??= new Watcher({ path: paths.waiting, clock, pollMs })
    const stop = new AbortController()
    // Whoever cannot look now looks with the next sweep.
    this.#follow(this.#watcher, hear, stop.signal).catch(() => {})
    return () => stop.abort()
  }

  close(): void {
    this.#watcher?.close()
    this.#closed = true
  }

  async #follow(watcher: Watcher, hear: () => void, signal: AbortSignal): Promise<void> {
    for (let seen = watcher.version; !signal.aborted && !this.#closed; ) {
      await watcher.changed({ since: seen, signal })
      if (watcher.version === seen || signal.aborted || this.#closed) continue
      seen = watcher.version
      hear()
    }
  }
}
