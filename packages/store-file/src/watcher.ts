/**
 * Wakes those who wait for a folder or file to change. The operating system's hint comes at once; a slow poll repairs
 * the hints that get lost, and takes over where there are none (a file system without notices, or more watches than
 * the system allows).
 */
import { type FSWatcher, watch } from 'node:fs'
import { type IClock, onAbort } from '@baton/core/adapter'

export interface WatcherOptions {
  readonly path: string
  readonly clock: IClock
  /** How long a lost hint can go unnoticed. */
  readonly pollMs: number
}

export interface ChangedOptions {
  readonly since: number
  readonly signal?: AbortSignal | undefined
  readonly withinMs?: number
}

export class Watcher {
  readonly #options: WatcherOptions
  readonly #sleepers = new Set<() => void>()
  #watch: FSWatcher | undefined
  #version = 0
  #closed = false

  constructor(options: WatcherOptions) {
    this.#options = options
    this.#start()
  }

  /** Grows with every change. Note it, look at what is there, then wait for what came `since`. */
  get version(): number {
    return this.#version
  }

  /**
   * Resolves when something has changed since that version, after the poll's time or `withinMs`, whichever is shorter,
   * when the signal fires, and when the watcher is closed. Only a hint: look for yourself what it was.
   */
  changed({ since, signal, withinMs }: ChangedOptions): Promise<void> {
    if (this.#version !== since || this.#closed || signal?.aborted === true) return Promise.resolve()
    if (this.#watch === undefined) this.#start()
    const { clock, pollMs } = this.#options
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(wake)
        stopListening()
        cancel()
        resolve()
      }
      const cancel = clock.after(Math.max(0, Math.min(pollMs, withinMs ?? pollMs)), wake)
      this.#sleepers.add(wake)
      const stopListening = onAbort(signal, wake)
    })
  }

  /** For changes that this process knows of because it made them: faster than the way through the system. */
  wake(): void {
    this.#version += 1
    for (const wake of [...this.#sleepers]) wake()
  }

  close(): void {
    this.#closed = true
    this.#stop()
    this.wake()
  }

  #start(): void {
    if (this.#closed) return
    try {
      // Not persistent: a process that has nothing else to do may end.
      this.#watch = watch(this.#options.path, { persistent: false })
      this.#watch.on('change', () => this.wake())
      this.#watch.on('error', () => this.#stop())
    } catch {
      // ENOSPC, EMFILE: no watch to be had. ENOENT: not yet. The poll does it, and each round tries again.
      this.#stop()
    }
  }

  #stop(): void {
    this.#watch?.close()
    this.#watch = undefined
  }
}
