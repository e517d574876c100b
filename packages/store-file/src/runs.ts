/** Opens runs and changes them: the one way in which a command becomes a line. */
import type { IClock, ILogger } from '@baton/core'
import {
  type Blob,
  type BlobPlace,
  type Command,
  messageOf,
  ownAnswer,
  type Answer as RunAnswer,
  type RunCache,
  type RunId,
  slim,
  withoutRunId,
} from '@baton/core/adapter'
import { sha256, writeBlobs } from './blobs.ts'
import type { FolderSync } from './disk.ts'
import { bucketOf, type DueWheel } from './due-wheel.ts'
import type { OpenFiles } from './open-files.ts'
import type { Paths } from './paths.ts'
import type { RedoLog } from './redo-log.ts'
import { noteOf, type RunIndex } from './run-index.ts'
import { StoredRun } from './stored-run.ts'
import type { Tombstones } from './tombstones.ts'

export interface RunsOptions {
  readonly paths: Paths
  readonly folders: FolderSync
  readonly files: OpenFiles
  readonly fsynced: boolean
  readonly redo: RedoLog | undefined
  readonly clock: IClock
  readonly logger: ILogger
  readonly redispatchMs: number
  readonly cache: RunCache<StoredRun>
  readonly wheel: DueWheel
  readonly index: () => RunIndex
  readonly tombstones: Tombstones
  readonly inlineMaxBytes: number
  readonly valueMaxBytes: number
  readonly recordMaxBytes: number
}

export type Answer = RunAnswer | TooLarge

interface TooLarge {
  readonly type: 'too-large'
  readonly limitBytes: number
}

/** A command on its way into the log. */
interface Draft {
  readonly command: Command
  readonly text: string
  readonly blobs: readonly Blob[]
  readonly places: readonly BlobPlace[]
}

const NEVER = Number.POSITIVE_INFINITY
/** What the checksum and the rest of a frame may add to a line. */
const FRAME_BYTES = 256

export class Runs {
  readonly #options: RunsOptions
  readonly #underWay = new Set<Promise<unknown>>()
  /** Changes of runs among them: those that wait for the disk. */
  #changing = 0

  constructor(options: RunsOptions) {
    this.#options = options
  }

  /** The run as it is now; undefined when it is not there. */
  open(runId: RunId): StoredRun | undefined {
    const run = this.#find(runId, false)
    if (run === undefined) return undefined
    run.sync()
    if (run.removed) return this.#again(runId)
    if (run.machine === undefined) {
      this.#options.cache.drop(runId)
      return undefined
    }
    this.#options.cache.keep(runId, run)
    return run
  }

  /** The run that we knew was purged; another may have been started under its id since. */
  #again(runId: RunId): StoredRun | undefined {
    this.#options.cache.drop(runId)
    const run = this.#find(runId, false)
    return run === undefined || run.removed || run.machine === undefined ? undefined : run
  }

  /** @returns undefined when there is no such run */
  change(runId: RunId, command: Command): Promise<Answer | undefined> {
    this.#changing += 1
    const change = this.#change(runId, command).finally(() => {
      this.#changing -= 1
    })
    return this.#track(change)
  }

  /** Resolves when all changes that were begun are over. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay])
  }

  #track<Result>(work: Promise<Result>): Promise<Result> {
    const tracked = work.finally(() => this.#underWay.delete(tracked))
    this.#underWay.add(tracked)
    return tracked
  }

  async #change(runId: RunId, command: Command): Promise<Answer | undefined> {
    const known = this.#find(runId, command.type === 'create')
    // Of a live run the append will tell what others have written, and whether it is still there.
    if (known?.isLive === false) known.sync()
    const run = known?.removed === true && command.type !== 'create' ? this.#again(runId) : known
    if (run === undefined) return undefined
    const unchanged = this.#withoutChange(run, command)
    if (unchanged !== undefined) {
      // It may rest on a line that its writer has not seen safe yet.
      await this.#flush(runId, run)
      return unchanged
    }
    if (run.machine === undefined && command.type !== 'create') return undefined
    const draft = this.#draft(command)
    if ('limitBytes' in draft) return draft
    await writeBlobs(run.paths, draft.blobs, this.#options)
    const answer = this.#write(run, draft)
    if (run.removed) {
      // It has ended and was purged meanwhile, and has taken the command or not. Another one may have its id by now.
      return answer !== undefined || command.type === 'create' ? answer : this.#change(runId, command)
    }
    if (needsDisk(command)) await this.#flush(runId, run, this.#changing <= 1)
    if (run.machine?.isDone === true) this.finish(run)
    return answer
  }

  async #flush(runId: RunId, run: StoredRun, isAlone?: boolean): Promise<void> {
    try {
      await run.flush(isAlone)
    } catch (error) {
      // It may have left the cache meanwhile, and a new handle would sync again and be told that all is well.
      if (run.failed) this.#options.cache.keep(runId, run)
      throw error
    }
  }

  /** Leaves a note about a run that has ended, and takes its marker away: hints, which may fail. */
  finish(run: StoredRun): void {
    const { index, wheel, logger } = this.#options
    const { state } = run.machine ?? {}
    if (state === undefined) return
    const { runId } = state.head
    const failed = (error: unknown) =>
      logger.log('warn', 'could not tidy up after a run', { runId, error: messageOf(error) })
    try {
      index().write(noteOf(state, run.logBytes))
    } catch (error) {
      failed(error)
    }
    for (const bucketMs of run.markersMs) void this.#track(wheel.removeAside(run.paths, bucketMs).catch(failed))
  }

  /** @returns undefined when there is no log, unless one is about to be made */
  #find(runId: RunId, creating: boolean): StoredRun | undefined {
    const { cache, tombstones, clock } = this.#options
    const known = cache.get(runId)
    if (known !== undefined && !known.removed && !known.broken) return known
    cache.drop(runId)
    if (!creating && tombstones.has(runId, clock.now())) return undefined
    let run = this.handle(runId)
    run.sync()
    if (run.removed) {
      // That was a descriptor that we still had, of a run that is gone.
      run = this.handle(runId)
      run.sync()
    }
    if (run.found) cache.keep(runId, run)
    return run.found || creating ? run : undefined
  }

  /** A handle of its own, which has read nothing yet. */
  handle(runId: RunId): StoredRun {
    const { paths, files, folders, fsynced, redo, redispatchMs } = this.#options
    return new StoredRun({ paths: paths.run(runId), files, folders, fsynced, redo, redispatchMs })
  }

  /** The answer to a command that changes nothing, on what is in the log now. */
  #withoutChange(run: StoredRun, command: Command): Answer | undefined {
    if (this.#ask(run, command) === undefined) return undefined
    run.sync()
    return run.removed ? undefined : this.#ask(run, command)
  }

  #ask(run: StoredRun, command: Command): Answer | undefined {
    const answer = run.answerWithoutChange(command, this.#options.clock.now())
    return answer && ownAnswer(answer)
  }

  #draft(command: Command): Draft | TooLarge {
    const { inlineMaxBytes, valueMaxBytes, recordMaxBytes } = this.#options
    const text = JSON.stringify(withoutRunId(command))
    if (text.length * 3 <= inlineMaxBytes) return { command, text, blobs: [], places: [] }
    const slimmed = slim(text, inlineMaxBytes, sha256)
    const slimText = slimmed.blobs.length === 0 ? text : JSON.stringify(slimmed.command)
    if (Buffer.byteLength(slimText) + FRAME_BYTES > recordMaxBytes) return tooLarge(recordMaxBytes)
    if (slimmed.blobs.some((blob) => Buffer.byteLength(blob.text) > valueMaxBytes)) return tooLarge(valueMaxBytes)
    return { command, text: slimText, blobs: slimmed.blobs, places: slimmed.places }
  }

  #write(run: StoredRun, { command, text, places }: Draft): Answer | undefined {
    const { clock, cache, wheel } = this.#options
    const clockMs = clock.now()
    const atMs = run.timeAt(clockMs)
    const dueAtMs = Math.min(earliestDue(command, atMs), this.#journalDue(run, command, atMs))
    this.#mark(run, dueAtMs, atMs)
    const create = command.type === 'create'
    const marker = create && run.markerMs !== NEVER ? `,"markerMs":${run.markerMs}` : ''
    const blobs = places.length === 0 ? '' : `,"blobs":${JSON.stringify(places)}`
    const result = run.append(`{"atMs":${clockMs}${marker}${blobs},"command":${text}}`, { create })
    const answer = result && ownAnswer(result)
    if (run.removed || run.machine === undefined) return answer
    // Somebody may have moved the marker in between; or, at a creation, have taken it for a leftover.
    if (marker !== '' && !wheel.has(run.paths, run.markerMs)) wheel.put(run.paths, run.markerMs)
    this.#mark(run, dueAtMs, atMs)
    cache.keep(run.machine.state.head.runId, run)
    return answer
  }

  /** When to look whether what comes of the command was published, where it is to be. */
  #journalDue({ machine }: StoredRun, command: Command, atMs: number): number {
    const { publishJournal } = command.type === 'create' ? command.run : (machine?.state.head ?? {})
    return publishJournal === true ? atMs + this.#options.redispatchMs : NEVER
  }

  /** Sees to it that the run is looked at by then. */
  #mark(run: StoredRun, dueAtMs: number, atMs: number): void {
    if (run.markerMs <= dueAtMs) return
    const bucketMs = bucketOf(dueAtMs, atMs)
    if (bucketMs === NEVER) return
    this.#options.wheel.put(run.paths, bucketMs)
    run.noteMarker(bucketMs)
  }
}

/** The earliest instant at which the run may want attention because of this command. */
function earliestDue(command: Command, atMs: number): number {
  switch (command.type) {
    case 'create':
      return command.run.startAtMs ?? atMs
    case 'claim':
      return atMs + Math.min(command.request.leaseMs, command.request.timeoutMs ?? NEVER)
    case 'renew':
      return atMs + command.request.leaseMs
    case 'commit':
    case 'notify':
      return atMs
    case 'redispatch':
    case 'enlist':
    case 'delivered':
      return NEVER
    default:
      throw new Error(`no such command: ${JSON.stringify(command satisfies never)}`)
  }
}

function tooLarge(limitBytes: number): TooLarge {
  return { type: 'too-large', limitBytes }
}

/**
 * Claims and what only moves times are worth no wait for the disk: a power cut ends every worker of this machine, and
 * with them every right that they held. What a claim leads to is safe with its commit, which lies behind it in the log.
 */
function needsDisk({ type }: Command): boolean {
  return type === 'create' || type === 'commit' || type === 'notify'
}
