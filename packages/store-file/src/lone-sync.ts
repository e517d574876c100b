/**
 * Whether a sync may be done on the main thread.
 *
 * Handing it to the thread pool lets many overlap and blocks nobody, but waking a thread and being woken by it takes
 * about as long as a sync of a quick disk. So a process that does one thing at a time, on a disk that has just been
 * quick, syncs in place; with several changes under way, or after one slow sync, the pool has it.
 */
import { performance } from 'node:perf_hooks'

/** Nobody notices an event loop that stands still for this long. */
const QUICK_MS = 1

export class LoneSync {
  #lastMs = 0

  /** @param isAlone nothing else of this process is waiting for the disk */
  may(isAlone: boolean): boolean {
    return isAlone && this.#lastMs < QUICK_MS
  }

  /** Syncs in place, and notes how long it took. */
  now(sync: () => void): void {
    const from = performance.now()
    sync()
    this.#lastMs = performance.now() - from
  }

  /** Syncs elsewhere. Counts as quick again when it took no longer than that, thread and all. */
  async elsewhere(sync: () => Promise<unknown>): Promise<void> {
    const from = performance.now()
    await sync()
    this.#lastMs = performance.now() - from
  }
}
