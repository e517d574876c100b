/**
 * One shard of the coordination keys: a chain of logs, of which the last one counts.
 *
 * When a log, an *epoch*, has grown long, somebody appends a seal. What comes after the seal is ignored by everybody,
 * whoever wrote it tries again in the next epoch. That one begins with what was left at the seal; it is written apart
 * and given its name with `link`, so that it appears whole and once. Everybody who meets a seal does the same, and
 * the first one wins; so a process killed anywhere in between blocks nobody.
 */
import { linkSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CoordinationAnswer, type CoordinationOperation, CoordinationState } from './coordination-fold.ts'
import { FILE_MODE, type FolderSync, removeFile, syncFolderNow, touch } from './disk.ts'
import { hasCode, onDisk } from './failure.ts'
import { encodeFrame } from './frame.ts'
import type { LogRecord } from './log-reader.ts'
import type { OpenFiles } from './open-files.ts'
import { SharedLog } from './shared-log.ts'

export interface CoordinationShardOptions {
  readonly folder: string
  readonly shard: number
  readonly files: OpenFiles
  readonly folders: FolderSync
  readonly fsynced: boolean
  readonly sealBytes: number
}

const EPOCH_FILE = /^([0-9a-f]+)-(\d{8})\.log$/

export class CoordinationShard {
  readonly #options: CoordinationShardOptions
  #epoch = -1
  #log: SharedLog | undefined
  #state = new CoordinationState()
  #sealAtByte = 0

  constructor(options: CoordinationShardOptions) {
    this.#options = options
  }

  async get(key: string, atMs: number): Promise<string | undefined> {
    const log = this.#catchUp()
    const value = this.#state.get(key, atMs)
    await log.flush()
    return value
  }

  async run(operation: CoordinationOperation): Promise<CoordinationAnswer> {
    for (;;) {
      const log = this.#catchUp()
      // An answer that changes nothing is not worth a record. It waits for the disk all the same: it rests on what
      // another process may have written this very moment.
      const answer = this.#state.refusal(operation) ?? this.#append(log, operation)
      if (answer === undefined) continue
      await log.flush()
      return answer
    }
  }

  /** @returns undefined when the epoch was sealed before the record; the operation has not happened then */
  #append(log: SharedLog, operation: CoordinationOperation): CoordinationAnswer | undefined {
    const { records, mine } = log.append(JSON.stringify(operation))
    const answer = this.#fold(records)[mine]
    if (answer !== undefined && !this.#state.sealed && log.endByte > this.#sealAtByte) {
      this.#append(log, { op: 'seal', atMs: operation.atMs })
    }
    return answer
  }

  /** @returns the answers, up to a seal */
  #fold(records: readonly LogRecord[]): readonly CoordinationAnswer[] {
    const answers: CoordinationAnswer[] = []
    for (const { text } of records) {
      if (this.#state.sealed) break
      answers.push(this.#state.apply(JSON.parse(text) as CoordinationOperation))
    }
    return answers
  }

  /** Reads what is new, on through as many epochs as there are. */
  #catchUp(): SharedLog {
    for (;;) {
      const log = this.#log ?? this.#open(this.#lastEpoch())
      this.#fold(log.read())
      if (this.#state.sealed) this.#goOn(log)
      // Others are far ahead, and have removed what we were about to read.
      else if (!log.found) this.#log = undefined
      else return log
    }
  }

  #open(epoch: number): SharedLog {
    const { files, folders, fsynced, sealBytes } = this.#options
    this.#epoch = epoch
    this.#state = new CoordinationState()
    this.#log = new SharedLog({ path: this.#pathOf(epoch), files, folders, fsynced })
    this.#fold(this.#log.read())
    // Twice what it begins with, or a large state would be copied again and again.
    this.#sealAtByte = Math.max(sealBytes, 2 * this.#log.endByte)
    return this.#log
  }

  #goOn(sealed: SharedLog): void {
    const next = this.#epoch + 1
    const isNext = onDisk('starting a coordination log', () => this.#publish(next, sealed))
    this.#options.files.forget(this.#pathOf(this.#epoch))
    if (isNext) this.#open(next)
    else this.#log = undefined
  }

  /**
   * Puts the next epoch in place, unless somebody has.
   *
   * Old epochs are removed oldest first. So while the sealed one still has its name, the next one cannot have come and
   * gone already; once it has lost it, a process that slept through all that would bring back the dead.
   *
   * @returns false when others are further than that
   */
  #publish(epoch: number, sealed: SharedLog): boolean {
    const { folder, fsynced } = this.#options
    const path = this.#pathOf(epoch)
    const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
    const records = [...this.#state.carry()].map((operation) => encodeFrame('carry.0', JSON.stringify(operation)))
    writeFileSync(draft, Buffer.concat(records), { flag: 'wx', mode: FILE_MODE, flush: fsynced })
    try {
      linkSync(draft, path)
      if (!sealed.hasItsName()) {
        rmSync(path)
        return false
      }
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
      if (!sealed.hasItsName()) return false
    } finally {
      rmSync(draft)
    }
    if (fsynced) syncFolderNow(folder)
    this.#removeBefore(epoch)
    return true
  }

  #removeBefore(epoch: number): void {
    for (const old of this.#epochs()) if (old < epoch) removeFile(this.#pathOf(old))
  }

  #lastEpoch(): number {
    return onDisk('looking for coordination logs', () => {
      if (this.#epochs().length === 0) touch(this.#pathOf(0))
      // Look again: while we were about to make the first one, others may have come and gone on.
      return this.#epochs().at(-1) ?? 0
    })
  }

  /** What there is, the oldest first. */
  #epochs(): number[] {
    const { folder, shard } = this.#options
    return readdirSync(folder)
      .flatMap((name) => {
        const [, of, epoch] = EPOCH_FILE.exec(name) ?? []
        return of === shard.toString(16) ? [Number(epoch)] : []
      })
      .sort((left, right) => left - right)
  }

  #pathOf(epoch: number): string {
    const { folder, shard } = this.#options
    return join(folder, `${shard.toString(16)}-${String(epoch).padStart(8, '0')}.log`)
  }
}
