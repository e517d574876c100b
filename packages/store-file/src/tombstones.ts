/**
 * The ids of purged runs, kept from use for a while: a job or a start that comes late must not bring a run back. A
 * tombstone is put in place before the run is removed, so it also says that a removal was begun; a run that has one
 * is not there, whatever is left of its files. Once it is over it says nothing about files any more: the id may have
 * been used again.
 *
 * One file per id, so that asking for one is one look. Beside them a list of names for each day on which some will be
 * over: tidying up reads the lists of days that have passed, and never the folder. A list is a hint; a tombstone that
 * is in none stays in the folder, which changes no answer.
 *
 * Redo logs may still have lines of the run, and recovery leaves these out because of the tombstone (`recovery.ts`). So
 * before a tombstone goes, redo logs that are older than it are settled.
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
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
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
/** The clock of a file system may lag behind by that. */
const COARSE_MS = 100

export interface TombstonesOptions {
  readonly paths: Paths
  readonly lifeMs: number
  /** Sees to it that there are no redo logs any more that were begun until then. Real time, as files have it. */
  readonly settleRedo: (begunUntilMs: number) => void
}

export class Tombstones {
  readonly #paths: Paths
  readonly #lifeMs: number
  readonly #settleRedo: (begunUntilMs: number) => void

  constructor({ paths, lifeMs, settleRedo }: TombstonesOptions) {
    this.#paths = paths
    this.#lifeMs = lifeMs
    this.#settleRedo = settleRedo
  }

  has(runId: RunId, nowMs: number): boolean {
    return this.#isValid(this.#paths.tombstone(runId), nowMs)
  }

  /**
   * Whether what a redo log has of a run is that of a purged one.
   * @param runName the run's id as a file name
   * @param begunAtMs when the redo log was begun, in real time
   */
  covers(runName: string, begunAtMs: number, nowMs: number): boolean {
    const path = join(this.#paths.tombstones, runName)
    return this.#isValid(path, nowMs) || begunAtMs <= putUntilMs(path)
  }

  /** There is one, be it over. */
  isThere(runId: RunId): boolean {
    return existsSync(this.#paths.tombstone(runId))
  }

  /**
   * Removes a tombstone that is over, before its id is used again: it would count once more if the clock were set back,
   * or after a power cut to whoever recovers. So its removal is durable when this resolves.
   * @returns whether there is a valid one
   */
  async keeps(runId: RunId, nowMs: number, folders: FolderSync): Promise<boolean> {
    const path = this.#paths.tombstone(runId)
    if (this.#isValid(path, nowMs)) return true
    this.#settleRedo(putUntilMs(path))
    this.#discard(path, nowMs)
    await folders.sync(this.#paths.tombstones)
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
      writeFileSync(path, tombstoneText(untilMs), { mode: FILE_MODE })
    }
    await folders.sync(this.#paths.tombstones)
  }

  /** Removes tombstones that are over, and nothing else. */
  async removeExpired(nowMs: number): Promise<void> {
    let looked = 0
    for (const list of this.#listsUntil(nowMs)) {
      const over: string[] = []
      let untilMs = 0
      for (const name of (await readList(list)).split('\n')) {
        // What a crash has cut off is no name, or somebody else's: neither does harm.
        const runId = idOfFileName(name)
        if (runId === undefined) continue
        if (++looked % PER_TURN === 0) await setImmediate()
        const path = this.#paths.tombstone(runId)
        if (!existsSync(path) || this.#isValid(path, nowMs)) continue
        over.push(path)
        untilMs = Math.max(untilMs, putUntilMs(path))
      }
      if (over.length > 0) this.#settleRedo(untilMs)
      for (const path of over) {
        if (++looked % PER_TURN === 0) await setImmediate()
        this.#discard(path, nowMs)
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
      if (this.#isValid(place, nowMs)) linkSync(place, path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'EEXIST')) throw error
    }
    removeFile(place)
  }

  #isValid(path: string, nowMs: number): boolean {
    // By far the most common answer, and an exception would be slow.
    if (!existsSync(path)) return false
    try {
      // The instant itself may not have reached the disk before a power cut, or not be what it was.
      return (instantIn(readFileSync(path, 'utf8')) ?? putUntilMs(path) + this.#lifeMs) > nowMs
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }
}

/** With a checksum: a digit that is lost or another one would give the id back too early, or never. */
export function tombstoneText(untilMs: number): string {
  return `${untilMs} ${crc32(String(untilMs)).toString(16)}`
}

/** @returns undefined when it does not say */
function instantIn(text: string): number | undefined {
  const untilMs = Number.parseInt(text, 10)
  return text === tombstoneText(untilMs) ? untilMs : undefined
}

/** A time by which it surely had been put; the beginning of time when it is not there. */
function putUntilMs(path: string): number {
  const entry = statSync(path, { throwIfNoEntry: false })
  return entry === undefined ? 0 : entry.mtimeMs + COARSE_MS
}

async function readList(path: string): Promise<string> {
  try {
    return await promises.readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  }
}
