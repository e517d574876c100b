/**
 * The ids of purged runs, kept from use for a while: a job or a start that comes late must not bring a run back. A
 * tombstone is put in place before the run is removed, so it also says that a removal was begun; a run that has one
 * is not there, whatever is left of its files.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunId } from '@baton/core/adapter'
import { FILE_MODE, type FolderSync } from './disk.ts'
import { hasCode } from './failure.ts'
import { idOfFileName } from './file-name.ts'
import type { Paths } from './paths.ts'

export class Tombstones {
  readonly #paths: Paths
  readonly #lifeMs: number

  constructor(paths: Paths, lifeMs: number) {
    this.#paths = paths
    this.#lifeMs = lifeMs
  }

  has(runId: RunId, nowMs: number): boolean {
    return this.#isValid(this.#paths.tombstone(runId), nowMs)
  }

  /** Durable once the folder is synced. */
  put(runId: RunId, nowMs: number): void {
    writeFileSync(this.#paths.tombstone(runId), String(nowMs + this.#lifeMs), { mode: FILE_MODE })
  }

  /** Makes what was put durable. */
  async sync(folders: FolderSync): Promise<void> {
    await folders.sync(this.#paths.tombstones)
  }

  /** @param removeRun removes what a process that died may have left of a run */
  removeExpired(nowMs: number, removeRun: (runId: RunId) => void): void {
    for (const name of readdirSync(this.#paths.tombstones)) {
      const path = join(this.#paths.tombstones, name)
      if (this.#isValid(path, nowMs)) continue
      const runId = idOfFileName(name)
      if (runId !== undefined) removeRun(runId)
      rmSync(path, { force: true })
    }
  }

  #isValid(path: string, nowMs: number): boolean {
    // By far the most common answer, and an exception would be slow.
    if (!existsSync(path)) return false
    try {
      const text = readFileSync(path, 'utf8')
      // The instant itself may not have reached the disk before a power cut. Then it stays.
      return !/^\d+$/.test(text) || Number(text) > nowMs
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }
}
