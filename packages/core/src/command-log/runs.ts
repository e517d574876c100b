/** Opens runs and changes them: the one way in which a command becomes a line. */
import type { Command } from '../machine/command.ts'
import type { Answer } from '../machine/own-answer.ts'
import { type CachedRun, RunCache } from '../machine/run-cache.ts'
import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { isTerminal } from '../model/run.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import { draftOf, type Limits, type TooLarge } from './draft.ts'
import type { LogBackend, RunLog } from './log-backend.ts'
import { type Applied, LoggedRun, type LoggedRunListener, type RunAccess } from './logged-run.ts'
import { Marks } from './marks.ts'

export interface RunsOptions extends Limits {
  readonly backend: LogBackend
  readonly redispatchMs: number
  readonly batchChars: number
  /**
   * How long marks that are too early stay where they are. A run that goes on meanwhile has them moved once, and not with
   * each of its lines; one that ends meanwhile, not at all.
   */
  readonly soonMs: number
  readonly cachedRuns: number
  readonly cachedBytes: number
  /** Shorter than a tombstone lasts: what we know of a run must not outlive that its id is kept from use. */
  readonly cacheMs: number
  readonly onFailure: (message: string, runId: RunId, error: unknown) => void
}

/** A run in the cache, with its marks. */
class Kept implements CachedRun, LoggedRunListener {
  readonly run: LoggedRun
  readonly marks = new Marks()
  readonly #keeper: Keeper

  constructor(log: RunLog, access: RunAccess, keeper: Keeper) {
    this.run = new LoggedRun(log, access, this)
    this.#keeper = keeper
  }

  applied(news: Applied): void {
    this.#keeper.applied(this, news)
  }

  exchanged(): void {
    this.#keeper.exchanged(this)
  }

  get weightBytes(): number {
    return this.run.weight
  }

  get hasEnded(): boolean {
    const { machine } = this.run
    return machine !== undefined && isTerminal(machine.state.status)
  }

  /** Two handles of one run would undo each other's marks. */
  get mustStay(): boolean {
    return this.run.isBusy
  }
}

interface Keeper {
  applied(kept: Kept, news: Applied): void
  exchanged(kept: Kept): void
}

/** After a failure it takes longer each time, up to this: a backend that is away is not asked ten times a second for each run. */
const LATEST_MS = 10_000

export class Runs {
  readonly #options: RunsOptions
  readonly #cache: RunCache<Kept>
  /** Runs whose marks are earlier than need be, and until when that may be so. */
  readonly #unmarked = new Map<Kept, number>()
  readonly #access: RunAccess
  readonly #keeper: Keeper = {
    applied: (kept, news) => this.#applied(kept, news),
    exchanged: (kept) => this.#exchanged(kept),
  }
  #timer: ReturnType<typeof setTimeout> | undefined
  #pauseMs: number
  #pausedUntilMs = 0
  #isClosed = false

  constructor(options: RunsOptions) {
    const { backend, redispatchMs, batchChars, soonMs } = options
    this.#options = options
    this.#pauseMs = soonMs
    this.#access = { redispatchMs, batchChars, sha256: (text) => backend.sha256(text) }
    this.#cache = new RunCache({
      runs: options.cachedRuns,
      bytes: options.cachedBytes,
      ageMs: options.cacheMs,
      now: () => performance.now(),
    })
  }

  /** The run as it is now; undefined when it is not there. */
  async open(runId: RunId): Promise<LoggedRun | undefined> {
    const { run } = this.#find(runId)
    await run.read()
    return run.removed ? undefined : run
  }

  /** A handle of its own, which has read nothing yet, and moves no mark. */
  handle(runId: RunId): LoggedRun {
    return new LoggedRun(this.#options.backend.log(runId), this.#access)
  }

  /** What this process has in memory of a run, if anything. */
  known(runId: RunId): LoggedRun | undefined {
    const run = this.#cache.get(runId)?.run
    return run?.machine === undefined || run.removed || run.broken ? undefined : run
  }

  /** @returns undefined when there is no such run */
  change(runId: RunId, command: Command): Awaitable<Answer | TooLarge | undefined> {
    const { run } = this.#find(runId)
    if (run.answerWithoutChange(command, this.#options.backend.clock.now()) !== undefined) {
      return this.#withoutChange(run, command)
    }
    return this.#write(run, command)
  }

  /** Puts the marks of a run where they belong: for whoever looked at it. */
  async look(run: LoggedRun): Promise<void> {
    const kept = this.#find(run.runId)
    if (kept.run !== run) return
    const move = kept.marks.move(run, this.#options.redispatchMs, true)
    if (move !== undefined) await run.mark(move)
  }

  /** It was purged. */
  forget(runId: RunId): void {
    this.#cache.drop(runId)
  }

  /** Sends what may still wait a moment. */
  settle(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const kept of [...this.#unmarked.keys()]) {
      // A line of its that is under way would make the move too late; when that is here, it is its turn.
      if (!kept.run.isBusy) this.#mark(kept)
    }
    if (this.#unmarked.size > 0) this.#arm()
  }

  clear(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#unmarked.clear()
    this.#cache.clear()
  }

  #write(run: LoggedRun, command: Command): Awaitable<Answer | TooLarge | undefined> {
    const draft = draftOf(run.runId, command, this.#options, this.#access.sha256)
    return 'limitBytes' in draft ? draft : run.write(draft)
  }

  /** A command that changes nothing, as it seems: answered on what is in the log now. */
  async #withoutChange(run: LoggedRun, command: Command): Promise<Answer | TooLarge | undefined> {
    await run.read()
    const unchanged = run.removed ? undefined : run.answerWithoutChange(command, this.#options.backend.clock.now())
    return unchanged ?? this.#write(this.#find(run.runId).run, command)
  }

  /** Something of a run was read or written, or could not be. */
  #exchanged(kept: Kept): void {
    const { run } = kept
    const { runId } = run
    if (run.removed || run.broken) this.#drop(runId, run)
    // It may have grown.
    else if (this.#cache.get(runId) === kept) this.#cache.keep(runId, kept)
  }

  #find(runId: RunId): Kept {
    const known = this.#cache.get(runId)
    if (known !== undefined && !known.run.removed && !known.run.broken) return known
    const made = new Kept(this.#options.backend.log(runId), this.#access, this.#keeper)
    this.#cache.keep(runId, made)
    return made
  }

  #applied(kept: Kept, news: Applied): void {
    const when = kept.marks.applied(kept.run, this.#options.redispatchMs, news)
    if (when === 'now') return this.#mark(kept)
    if (when === 'soon') this.#markSoon(kept)
    if (performance.now() > (this.#unmarked.get(kept) ?? Number.POSITIVE_INFINITY)) this.#mark(kept)
  }

  #markSoon(kept: Kept): void {
    if (this.#isClosed) return
    this.#unmarked.set(kept, this.#unmarked.get(kept) ?? performance.now() + this.#pauseMs)
    this.#arm()
  }

  #arm(): void {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => this.settle(), this.#pauseMs)
  }

  /** Moves the marks of a run to where they belong. */
  #mark(kept: Kept): void {
    const { run, marks } = kept
    this.#unmarked.delete(kept)
    const move = marks.move(run, this.#options.redispatchMs)
    if (move === undefined) return
    const { position } = run
    run.mark(move).then(
      (isDone) => {
        this.#pauseMs = this.#options.soonMs
        if (isDone) return
        marks.disbelieve()
        // A line of ours has come in between: else it is for those who wrote it.
        if (run.position > position) this.#markSoon(kept)
      },
      (error: unknown) => {
        marks.disbelieve()
        // The first of them has said it.
        if (this.#pauseMs === this.#options.soonMs || !isOutage(error)) {
          this.#options.onFailure('could not move the marks of a run', run.runId, error)
        }
        // The sweep looks at it again, and an operator has to mend it first.
        if (!isOutage(error)) return
        this.#pauseLonger()
        this.#markSoon(kept)
      },
    )
  }

  /** Once for all that fail together. */
  #pauseLonger(): void {
    if (performance.now() < this.#pausedUntilMs) return
    this.#pauseMs = Math.min(LATEST_MS, this.#pauseMs * 2)
    this.#pausedUntilMs = performance.now() + this.#pauseMs
  }

  #drop(runId: RunId, run: LoggedRun): void {
    if (this.#cache.get(runId)?.run === run) this.#cache.drop(runId)
  }
}

function isOutage(error: unknown): boolean {
  return BatonError.is(error) && error.retryable
}
