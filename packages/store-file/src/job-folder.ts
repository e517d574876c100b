/**
 * Jobs as directory entries, moved by renaming: of several processes that rename one entry, exactly one succeeds, and a
 * process that dies leaves it where it was. Nothing is synced: a job is a hint, and whoever loses one finds the
 * work in the run store.
 */
import {
  closeSync,
  fstatSync,
  openSync,
  promises,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { BatonError } from '@baton/core'
import { type IClock, type Job, messageOf, parseJob } from '@baton/core/adapter'
import { FILE_MODE, makeFolder, READ, removeFileAside } from './disk.ts'
import { hasCode } from './failure.ts'
import { formatName, type JobName, newStem, parseName, rankOf } from './job-name.ts'
import { type JobPlace, JobSegment, textIn } from './job-segment.ts'

export interface TakenJob {
  readonly job: Job
  /** The file's name in `taken`; changes with `extend`. */
  name: string
  readonly delivered: number
}

/** Consumers choose among this many of the first, so that they do not all run for the same one. */
const CHOICE = 32
/** A list of what is pending may be this old, or ten times as old as it took to make. */
const LIST_MS = 200
const SEGMENT_MS = 3_600_000
/** No job is that long; what lies there is something else. */
const MOST_BYTES = 1024 * 1024

export class JobFolder {
  readonly pending: string
  readonly #taken: string
  readonly #delayed: string
  readonly #dead: string
  readonly #segments: string
  readonly #segment: JobSegment
  readonly #clock: IClock
  readonly #visibilityMs: number
  /** Names in `pending`, those to take first at the end. */
  #list: string[] = []
  #listedAtMs = 0
  #listMs = LIST_MS
  #nextReturnAtMs = Number.POSITIVE_INFINITY

  constructor(root: string, clock: IClock, visibilityMs: number) {
    this.pending = join(root, 'pending')
    this.#taken = join(root, 'taken')
    this.#delayed = join(root, 'delayed')
    this.#dead = join(root, 'dead')
    this.#segments = join(root, 'segments')
    this.#segment = new JobSegment(this.#segments)
    this.#clock = clock
    this.#visibilityMs = visibilityMs
    for (const folder of [this.pending, this.#taken, this.#delayed, this.#dead, this.#segments]) makeFolder(folder)
  }

  add(job: Job): void {
    this.#segment.add(JSON.stringify(job), (place) => {
      const stem = newStem(job.priority ?? 0, this.#clock.now(), place)
      return join(this.pending, formatName({ stem, delivered: 0 }))
    })
  }

  close(): void {
    this.#segment.close()
  }

  /** When something taken or delayed will be due, as far as this process knows. */
  get nextReturnAtMs(): number {
    return this.#nextReturnAtMs
  }

  /** Takes a job for this process, or finds that none is pending. */
  async take(): Promise<TakenJob | undefined> {
    for (;;) {
      const name = this.#list.pop() ?? (await this.#look()).pop()
      if (name === undefined) return undefined
      const taken = this.#tryTake(name)
      if (taken !== undefined) return taken
    }
  }

  /** The list is from before: a job with a higher priority may have come. */
  get isListOld(): boolean {
    return this.#clock.now() - this.#listedAtMs > this.#listMs
  }

  dropList(): void {
    this.#list = []
  }

  finish({ name }: TakenJob): Promise<void> {
    return removeFileAside(join(this.#taken, name))
  }

  /** Keeps a taken job from others until then. If they have it already, nothing happens. */
  keepUntil(taken: TakenJob, untilMs: number): void {
    const name = formatName({ ...nameOf(taken), atMs: untilMs })
    if (this.#move(join(this.#taken, taken.name), join(this.#taken, name))) taken.name = name
  }

  /** Gives a taken job back to everybody. */
  giveBack(taken: TakenJob, delayMs: number): void {
    const { stem } = nameOf(taken)
    const from = join(this.#taken, taken.name)
    if (delayMs <= 0) {
      this.#move(from, join(this.pending, formatName({ stem, delivered: taken.delivered + 1 })))
      return
    }
    const atMs = this.#clock.now() + delayMs
    this.#move(from, join(this.#delayed, formatName({ stem, delivered: taken.delivered + 1, atMs })))
    this.#nextReturnAtMs = Math.min(this.#nextReturnAtMs, atMs)
  }

  /** Keeps a job where a person can look at it, with the reason beside it. */
  bury(name: string, reason: string): void {
    const { stem, place } = parseName(name) ?? { stem: name }
    const grave = join(this.#dead, stem)
    const taken = join(this.#taken, name)
    writeFileSync(`${grave}.reason.txt`, `${reason}\n`, { mode: FILE_MODE })
    if (place === undefined) return void this.#move(taken, `${grave}.json`)
    writeFileSync(`${grave}.json`, readAt(taken, place), { mode: FILE_MODE })
    rmSync(taken, { force: true })
  }

  /** Gives back what its consumer has kept for too long, and what was delayed until now. */
  async returnDue(): Promise<void> {
    const nowMs = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const [folder, more] of [
      [this.#taken, 1],
      [this.#delayed, 0],
    ] as const) {
      for (const name of await promises.readdir(folder)) {
        const parsed = parseName(name)
        if (parsed?.atMs === undefined) continue
        if (parsed.atMs > nowMs) next = Math.min(next, parsed.atMs)
        else {
          const { stem, delivered } = parsed
          this.#move(join(folder, name), join(this.pending, formatName({ stem, delivered: delivered + more })))
        }
      }
    }
    this.#nextReturnAtMs = next
  }

  /** Removes the files of processes that died; what jobs are in them stays, under the jobs' names. */
  async sweepSegments(): Promise<void> {
    for (const name of await promises.readdir(this.#segments)) {
      const path = join(this.#segments, name)
      const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY }
      if (Date.now() - mtimeMs > SEGMENT_MS) rmSync(path, { force: true })
    }
  }

  /** One look serves many takes. */
  async #look(): Promise<string[]> {
    const askedAtMs = this.#clock.now()
    const names = (await promises.readdir(this.pending)).sort().reverse()
    this.#listedAtMs = this.#clock.now()
    this.#listMs = Math.max(LIST_MS, 10 * (this.#listedAtMs - askedAtMs))
    for (let start = names.length; start > 0; start -= CHOICE) shuffleEqual(names, Math.max(0, start - CHOICE), start)
    this.#list = names
    return names
  }

  #tryTake(name: string): TakenJob | undefined {
    // A producer outside Baton may call its files as it likes.
    const parsed: JobName = parseName(name) ?? { stem: newStem(0, this.#clock.now()), delivered: 0 }
    const atMs = this.#clock.now() + this.#visibilityMs
    const takenName = formatName({ ...parsed, atMs })
    const path = join(this.#taken, takenName)
    if (!this.#move(join(this.pending, name), path)) return undefined
    this.#nextReturnAtMs = Math.min(this.#nextReturnAtMs, atMs)
    try {
      return {
        job: parseJob(JSON.parse(readText(path, parsed.place))),
        name: takenName,
        delivered: parsed.delivered,
      }
    } catch (error) {
      if (error instanceof SyntaxError || BatonError.is(error, 'INVALID_JOB') || hasCode(error, 'EISDIR')) {
        this.bury(takenName, messageOf(error))
      } else if (!hasCode(error, 'ENOENT')) throw error
      return undefined
    }
  }

  /** @returns false when somebody else has moved it */
  #move(from: string, to: string): boolean {
    try {
      renameSync(from, to)
      return true
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }
}

/** What others have put there has no place, and no checksum. */
function readText(path: string, place: JobPlace | undefined): string {
  const bytes = readAt(path, place)
  return place === undefined ? bytes.toString() : textIn(bytes)
}

function readAt(path: string, place: JobPlace | undefined): Buffer {
  const fd = openSync(path, READ)
  try {
    const { atByte, bytes } = place ?? { atByte: 0, bytes: Math.min(MOST_BYTES, fstatSync(fd).size) }
    const buffer = Buffer.alloc(Math.min(MOST_BYTES, bytes))
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, atByte))
  } finally {
    closeSync(fd)
  }
}

function nameOf(taken: TakenJob): JobName {
  return parseName(taken.name) ?? { stem: taken.name, delivered: taken.delivered }
}

/** Shuffles a stretch of names as far as they have the rank of its last one, which is taken first. */
function shuffleEqual(names: string[], start: number, end: number): void {
  let from = end
  const rank = rankOf(names[end - 1] ?? '')
  while (from > start && rankOf(names[from - 1] ?? '') === rank) from -= 1
  for (let index = end - 1; index > from; index--) {
    const other = from + Math.floor(Math.random() * (index - from + 1))
    const name = names[index] as string
    names[index] = names[other] as string
    names[other] = name
  }
}
