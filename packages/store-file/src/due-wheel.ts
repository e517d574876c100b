/**
 * Which runs to look at when, as empty files: `due/<instant>/<run>`.
 *
 * The instants are the starts of buckets: a second long within the next minute, a minute within the hour, an hour
 * beyond. A run's marker lies in the bucket of its next due instant or in an earlier one, so it may be looked at too
 * early, and is never found too late. A sweep lists the buckets that have begun: it costs what is due, and a run that
 * sleeps for a year is one file in one folder that nobody opens.
 *
 * Markers are hard links to one empty file. A file system takes ten times as long to make a file as to make a link, and
 * more after many files were removed (measured on ext4: 70 to 700 µs for a file, 11 µs for a link).
 *
 * Nothing here is synced. Markers that a power cut takes are put back from the logs (`repair` in `sweep.ts`).
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { removeFile, removeFileAside } from './disk.ts'
import { hasCode } from './failure.ts'
import { Links } from './links.ts'
import type { Paths, RunPaths } from './paths.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** The last instant that JavaScript can name. */
const LAST_INSTANT_MS = 8.64e15

export class DueWheel {
  readonly #paths: Paths
  readonly #links: Links

  constructor(paths: Paths) {
    this.#paths = paths
    this.#links = new Links(paths.links)
  }

  put(run: RunPaths, bucketMs: number): void {
    this.#links.put(this.#pathOf(run, bucketMs))
  }

  remove(run: RunPaths, bucketMs: number): void {
    removeFile(this.#pathOf(run, bucketMs))
  }

  removeAside(run: RunPaths, bucketMs: number): Promise<void> {
    return removeFileAside(this.#pathOf(run, bucketMs))
  }

  has(run: RunPaths, bucketMs: number): boolean {
    return existsSync(this.#pathOf(run, bucketMs))
  }

  /** The buckets that have begun, the oldest first. */
  begun(nowMs: number): number[] {
    return readdirSync(this.#paths.due)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((startMs) => startMs <= nowMs)
      .sort((left, right) => left - right)
  }

  /** File names of the runs in a bucket. */
  names(bucketMs: number): string[] {
    try {
      return readdirSync(this.#paths.bucket(bucketMs))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    }
  }

  /** Removes a bucket that is empty; one that is not stays. */
  drop(bucketMs: number): void {
    try {
      rmdirSync(this.#paths.bucket(bucketMs))
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'EPERM')) throw error
    }
  }

  close(): void {
    this.#links.close()
  }

  #pathOf(run: RunPaths, bucketMs: number): string {
    return join(this.#paths.bucket(bucketMs), run.name)
  }
}

/** The start of the bucket for an instant, as seen from now; never when it never comes. */
export function bucketOf(dueAtMs: number, nowMs: number): number {
  if (dueAtMs > LAST_INSTANT_MS) return Number.POSITIVE_INFINITY
  const aheadMs = dueAtMs - nowMs
  const lengthMs = aheadMs < MINUTE_MS ? SECOND_MS : aheadMs < HOUR_MS ? MINUTE_MS : HOUR_MS
  return Math.max(0, Math.floor(dueAtMs / lengthMs) * lengthMs)
}
