/**
 * The ids of purged runs, kept from use for a while: a job or a start that comes late must not bring a run back. A
 * tombstone is put in place before the run is removed, so it also says that a removal was begun; a run that has one
 * is not there, whatever is left of its files. Once it is over it says nothing about files any more: the id may have
 * been used again.
 *
 * One file per id, so that asking for one is one look. Beside them a list of names for each day on which some will be
 * over: tidying up reads the lists of days that have passed, and never the folder. A list is a hint; a tombstone that
 * is in none stays in the folder, which changes no answer.
 */
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { RunId } from '@baton/core/adapter'
import { APPEND, CREATE, FILE_MODE, type FolderSync, makeFolder, removeFile } from './disk.ts'
import { hasCode } from './failure.ts'
import { idOfFileName } from './file-name.ts'
import type { Paths } from './paths.ts'

const DAY_MS = 24 * 3_600_000
/** No id has a tilde in its name. */
const LISTS = '~days'
/** How many tombstones to handle before others get their turn. */
const PER_TURN = 50

export class Tombstones {
  readonly #paths: Paths
  readonly #lifeMs: number

  constructor(paths: Paths, lifeMs: number) {
    this.#paths = paths
    this.#lifeMs = lifeMs
  }

  has(runId: RunId, nowMs: number): boolean {
    return isValid(this.#paths.tombstone(runId), nowMs)
  }

  /**
   * Removes a tombstone that is over, before its id is used again: it would count once more if the clock were set back.
   * @returns whether there is a valid one
   */
  keeps(runId: RunId, nowMs: number): boolean {
    const path = this.#paths.tombstone(runId)
    if (!existsSync(path)) return false
    if (isValid(path, nowMs)) return true
    this.#discard(path, nowMs)
    return false
  }

  /** Durable when this resolves. */
  async put(runIds: readonly RunId[], nowMs: number, folders: FolderSync): Promise<void> {
    if (runIds.length === 0) return
    const untilMs = nowMs + this.#lifeMs
    const paths = runIds.map((runId) => this.#paths.tombstone(runId))
    // The list first: what is in it and not there does no harm.
    this.#list(
      paths.map((path) => basename(path)),
      untilMs,
    )
    for (const [index, path] of paths.entries()) {
      if (index % PER_TURN === PER_TURN - 1) await setImmediate()
      writeFileSync(path, String(untilMs), { mode: FILE_MODE })
    }
    await folders.sync(this.#paths.tombstones)
  }

  /** Removes tombstones that are over, and nothing else. */
  async removeExpired(nowMs: number): Promise<void> {
    let looked = 0
    for (const list of this.#listsUntil(nowMs)) {
      for (const name of (await readList(list)).split('\n')) {
        // What a crash has cut off is no name, or somebody else's: neither does harm.
        const runId = idOfFileName(name)
        if (runId === undefined) continue
        if (++looked % PER_TURN === 0) await setImmediate()
        const path = this.#paths.tombstone(runId)
        if (existsSync(path) && !isValid(path, nowMs)) this.#discard(path, nowMs)
      }
      removeFile(list)
    }
  }

  #list(names: readonly string[], untilMs: number): void {
    const folder = join(this.#paths.tombstones, LISTS)
    makeFolder(folder)
    const day = Math.ceil(untilMs / DAY_MS)
    const fd = openSync(join(folder, String(day)), APPEND | CREATE, FILE_MODE)
    try {
      writeSync(fd, `\n${names.join('\n')}\n`)
    } finally {
      closeSync(fd)
    }
  }

  /** Lists of which everything is over by then. */
  #listsUntil(nowMs: number): string[] {
    const folder = join(this.#paths.tombstones, LISTS)
    try {
      const days = readdirSync(folder).filter((name) => /^\d+$/.test(name) && Number(name) * DAY_MS <= nowMs)
      return days.map((name) => join(folder, name))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    }
  }

  /**
   * Takes away a tombstone that was over when we looked. Another process may have put a new one there since: what was
   * taken away is looked at again, and put back.
   */
  #discard(path: string, nowMs: number): void {
    const place = join(this.#paths.trash, `${basename(path)}.${process.pid}.${Math.random().toString(36).slice(2)}`)
    try {
      renameSync(path, place)
      if (isValid(place, nowMs)) linkSync(place, path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'EEXIST')) throw error
    }
    removeFile(place)
  }
}

function isValid(path: string, nowMs: number): boolean {
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

async function readList(path: string): Promise<string> {
  try {
    return await promises.readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  }
}
