/**
 * A disk that loses what was not synced. The store works on a real folder, with its calls to the file system watched;
 * at any of these calls an image can be made of what the disk may hold if the power fails there:
 *
 * - of a file, what it held when a sync of it was asked for that is over; the rest in sectors, each of them as it is now
 *   or as it was, zeros where there was nothing; and any length between the one it had and the one it has;
 * - of a folder, the entries that it had at its last sync; of all that came and went since, each one or not. Only a file
 *   that has got another name has one of the two: that much every file system promises of a rename.
 *
 * Nothing is in any order unless a sync puts it there. Syncs do nothing but this, and take no time, so that the same
 * seed does the same again.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import type { Dice } from '@baton/testing/simulator'

interface File {
  /** What the disk surely holds, and by which sync. */
  sure: Buffer
  syncedAt: number
  /** What it held when its last name went. */
  last: Buffer | undefined
}

/** A name in a folder: which file it is, or that it is a folder. */
type Entry = File | 'folder'

const real = { ...fs, promises: { ...fs.promises } }
type Call = keyof typeof fs

/** What the disk does not do though it is asked to, as if whoever asks had forgotten to. */
export type Leak = 'file-syncs' | 'folder-syncs' | 'syncs-of-new-files'

export class CrashingDisk {
  readonly #leak: Leak | undefined
  readonly #root: string
  /** By number and birth: a number is given again. */
  readonly #files = new Map<string, File>()
  readonly #folders = new Map<string, Map<string, Entry>>()
  readonly #onCall: () => void
  readonly #foldersSyncedAt = new Map<string, number>()
  readonly #replaced: Call[] = []
  #syncCount = 0
  #isBusy = false

  /** @param onCall at every call that changes or syncs something, before it happens: the time to make an image */
  constructor(root: string, onCall: () => void, leak?: Leak) {
    this.#leak = leak
    this.#root = root
    this.#onCall = onCall
    this.#takeAsSure(root)
  }

  /** From now on calls are watched. */
  install(): void {
    const calls: Record<string, unknown> = {
      writeSync: this.#watched(real.writeSync),
      mkdirSync: this.#watched(real.mkdirSync),
      linkSync: this.#watched(real.linkSync),
      utimesSync: this.#watched(real.utimesSync),
      rmdirSync: this.#watched(real.rmdirSync),
      openSync: this.#watched(real.openSync),
      unlinkSync: this.#watched(real.unlinkSync, (path) => this.#forgetName(String(path))),
      rmSync: this.#watched(real.rmSync, (path) => this.#forgetName(String(path))),
      renameSync: this.#watched(real.renameSync, (_from, to) => this.#forgetName(String(to))),
      writeFileSync: (...args: Parameters<typeof fs.writeFileSync>) => {
        const options = args[2]
        const isSynced = typeof options === 'object' && options !== null && 'flush' in options && options.flush === true
        this.#watched(real.writeFileSync)(...args)
        if (isSynced) this.#syncFile(String(args[0]))
      },
      fdatasyncSync: this.#watched((fd: number) => this.#syncFd(fd)),
      fsyncSync: this.#watched((fd: number) => this.#syncFd(fd)),
      fdatasync: (fd: number, done: fs.NoParamCallback) => this.#syncLater(fd, done),
      fsync: (fd: number, done: fs.NoParamCallback) => this.#syncLater(fd, done),
    }
    for (const [name, call] of Object.entries(calls)) this.#replace(name as Call, call)
    Object.assign(fs.promises, {
      unlink: async (path: string) => fs.unlinkSync(path),
      open: async (path: string, flags: string, mode: number) => this.#openHandle(path, flags, mode),
    })
    syncBuiltinESMExports()
  }

  uninstall(): void {
    for (const name of this.#replaced.splice(0)) Object.assign(fs, { [name]: real[name] })
    Object.assign(fs.promises, { unlink: real.promises.unlink, open: real.promises.open })
    syncBuiltinESMExports()
  }

  #replace(name: Call, call: unknown): void {
    Object.assign(fs, { [name]: call })
    this.#replaced.push(name)
  }

  /** Makes a folder as the power may leave it if it fails now. */
  image(to: string, dice: Dice): void {
    const named = this.#namedFiles()
    const coins = new Map<Entry, boolean>()
    const isNow = (entry: Entry | undefined): boolean => {
      if (entry === undefined || !named.has(entry)) return dice.happens(0.5)
      const coin = coins.get(entry) ?? dice.happens(0.5)
      coins.set(entry, coin)
      return coin
    }
    this.#imageOf(this.#root, to, dice, isNow)
  }

  /** Files that surely had a name, and have one now, be it another. */
  #namedFiles(): ReadonlySet<Entry> {
    const now = new Set<Entry>()
    const walk = (folder: string) => {
      for (const [name, entry] of this.#entriesOf(folder)) {
        if (entry === 'folder') walk(join(folder, name))
        else now.add(entry)
      }
    }
    walk(this.#root)
    const sure = [...this.#folders.values()].flatMap((entries) => [...entries.values()])
    return new Set(sure.filter((entry) => entry !== 'folder' && now.has(entry)))
  }

  #imageOf(folder: string, to: string, dice: Dice, isNow: (entry: Entry | undefined) => boolean): void {
    real.mkdirSync(to, { recursive: true })
    const sure = this.#folders.get(folder) ?? new Map<string, Entry>()
    const now = this.#entriesOf(folder)
    for (const name of new Set([...sure.keys(), ...now.keys()])) {
      const [before, after] = [sure.get(name), now.get(name)]
      const entry = before === after || isNow(before ?? after) ? after : before
      const path = join(folder, name)
      if (entry === 'folder') this.#imageOf(path, join(to, name), dice, isNow)
      else if (entry !== undefined) {
        const current = entry === after ? real.readFileSync(path) : (entry.last ?? entry.sure)
        real.writeFileSync(join(to, name), torn(entry.sure, current, dice), { mode: 0o600 })
      }
    }
  }

  #takeAsSure(folder: string): void {
    const entries = this.#entriesOf(folder)
    this.#folders.set(folder, entries)
    for (const [name, entry] of entries) {
      if (entry === 'folder') this.#takeAsSure(join(folder, name))
      else entry.sure = real.readFileSync(join(folder, name))
    }
  }

  #entriesOf(folder: string): Map<string, Entry> {
    const entries = new Map<string, Entry>()
    if (!real.existsSync(folder)) return entries
    for (const name of real.readdirSync(folder)) {
      const stat = real.statSync(join(folder, name))
      entries.set(name, stat.isDirectory() ? 'folder' : this.#fileOf(stat))
    }
    return entries
  }

  #fileOf({ ino, birthtimeMs }: fs.Stats): File {
    const key = `${ino} ${birthtimeMs}`
    const file = this.#files.get(key) ?? { sure: Buffer.alloc(0), syncedAt: 0, last: undefined }
    this.#files.set(key, file)
    return file
  }

  /** The content of a file that loses a name is still what the disk may show under it. */
  #forgetName(path: string): void {
    if (!real.existsSync(path)) return
    const stat = real.statSync(path)
    if (stat.isFile()) this.#fileOf(stat).last = real.readFileSync(path)
    else for (const name of real.readdirSync(path)) this.#forgetName(join(path, name))
  }

  #watched<Args extends unknown[], Result>(call: (...args: Args) => Result, before?: (...args: Args) => void) {
    return (...args: Args): Result => {
      // A call may be made of others.
      if (this.#isBusy) return call(...args)
      this.#isBusy = true
      try {
        this.#onCall()
        before?.(...args)
        return call(...args)
      } finally {
        this.#isBusy = false
      }
    }
  }

  #syncLater(fd: number, done: fs.NoParamCallback): void {
    this.#onCall()
    const { apply } = this.#snapshot(fd)
    setImmediate(() => {
      // Between asking and hearing of it, it may have happened or not: an image takes either.
      this.#onCall()
      apply()
      done(null)
    })
  }

  #syncFd(fd: number): void {
    this.#snapshot(fd).apply()
  }

  #syncFile(path: string): void {
    if (this.#leak === 'syncs-of-new-files') return
    const file = this.#fileOf(real.statSync(path))
    file.sure = real.readFileSync(path)
    file.syncedAt = ++this.#syncCount
  }

  /** What a sync that is asked for now makes sure, once it is over; unless a later one was faster. */
  #snapshot(fd: number): { readonly apply: () => void } {
    const at = ++this.#syncCount
    const path = real.readlinkSync(`/proc/self/fd/${fd}`)
    const stat = real.fstatSync(fd)
    if (stat.isDirectory()) {
      const entries = this.#entriesOf(path)
      return {
        apply: () => {
          if (this.#leak === 'folder-syncs') return
          if ((this.#foldersSyncedAt.get(path) ?? 0) > at) return
          this.#folders.set(path, entries)
          this.#foldersSyncedAt.set(path, at)
        },
      }
    }
    const file = this.#fileOf(stat)
    // By its name there: it may be open for writing alone.
    const content = real.readFileSync(`/proc/self/fd/${fd}`)
    return {
      apply: () => {
        if (file.syncedAt > at || this.#leak === 'file-syncs') return
        file.sure = content
        file.syncedAt = at
      },
    }
  }

  async #openHandle(path: string, flags: string, mode: number) {
    this.#onCall()
    const handle = await real.promises.open(path, flags, mode)
    return {
      writeFile: async (content: string | Uint8Array) => handle.writeFile(content),
      datasync: async () => this.#syncFile(path),
      close: () => handle.close(),
    }
  }
}

const SECTOR_BYTES = 512

/** Some of what is there now, some of what surely was. */
function torn(sure: Buffer, now: Buffer, dice: Dice): Buffer {
  if (sure.equals(now)) return now
  const length = dice.happens(0.5) ? now.length : Math.max(sure.length, dice.below(now.length + 1))
  const bytes = Buffer.alloc(length)
  sure.copy(bytes)
  for (let start = 0; start < length; ) {
    const end = Math.min(length, start + SECTOR_BYTES * dice.pick([1, 1, 2, 8]))
    if (dice.happens(0.5)) now.copy(bytes, start, start, end)
    start = end
  }
  return bytes
}
