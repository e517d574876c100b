/** Opens runs and changes them: the one way in which a command becomes a line. */
import { BatonError, isTerminal } from '@baton/core'
import { type CachedRun, type Command, type DueFlow, RunCache, type RunId } from '@baton/core/adapter'
import { flowName, type Keys } from '../keys.ts'
import { draftOf, type Limits, type TooLarge } from './draft.ts'
import { type Answer, type Applied, LoggedRun } from './logged-run.ts'
import { Marks } from './marks.ts'
import type { ScriptLine } from './script-line.ts'
import type { StoreClock } from './store-clock.ts'

export interface RunsOptions extends Limits {
  readonly keys: Keys
  readonly clock: StoreClock
  readonly line: (shard: number) => ScriptLine
  readonly readBlobs: (key: string, digests: readonly string[]) => Promise<readonly (string | null)[]>
  readonly redispatchMs: number
  readonly cachedRuns: number
  readonly cachedBytes: number
  /** Shorter than a tombstone lasts: what we know of a run must not outlive that its id is kept from use. */
  readonly cacheMs: number
  readonly onFailure: (message: string, runId: RunId, error: unknown) => void
}

/** A run in the cache, with its marks. */
class Kept implements CachedRun {
  readonly run: LoggedRun
  readonly marks = new Marks()
  /** Changes that are under way. */
  changes = 0

  constructor(run: (kept: Kept) => LoggedRun) {
    this.run = run(this)
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
    return this.changes > 0
  }
}

/**
 * How long marks that are too early stay where they are. A run that goes on meanwhile has them moved once, and not with
 * each of its lines.
 */
const SOON_MS = 100
/** After a failure it takes longer each time, up to this: a Redis that is away is not asked ten times a second for each run. */
const LATEST_MS = 10_000

export class Runs {
  readonly #options: RunsOptions
  readonly #cache: RunCache<Kept>
  /** Runs whose marks are earlier than need be, and until when that may be so. */
  readonly #unmarked = new Map<Kept, number>()
  #timer: NodeJS.Timeout | undefined
  #pauseMs = SOON_MS
  #pausedUntilMs = 0
  #isClosed = false

  constructor(options: RunsOptions) {
    this.#options = options
    this.#cache = new RunCache({
      runs: options.cachedRuns,
      bytes: options.cachedBytes,
      ageMs: options.cacheMs,
      now: () => performance.now(),
    })
  }

  /** The run as it is now; undefined when it is not there. */
  async open(runId: RunId): Promise<LoggedRun | undefined> {
    const kept = this.#find(runId)
    const { run } = kept
    await run.read()
    if (run.removed) {
      this.#drop(runId, run)
      return undefined
    }
    // It may have grown.
    if (this.#cache.get(runId) === kept) this.#cache.keep(runId, kept)
    return run
  }

  /** A handle of its own, which has read nothing yet, and moves no mark. */
  handle(runId: RunId): LoggedRun {
    return this.#make(runId, () => {})
  }

  /** What this process has in memory of a run, if anything. */
  known(runId: RunId): LoggedRun | undefined {
    const run = this.#cache.get(runId)?.run
    return run?.machine === undefined || run.removed || run.broken ? undefined : run
  }

  /** @returns undefined when there is no such run */
  async change(runId: RunId, command: Command): Promise<Answer | TooLarge | undefined> {
    const kept = this.#find(runId)
    const { run } = kept
    if (run.answerWithoutChange(command, this.#options.clock.now()) !== undefined) {
      const unchanged = await this.#withoutChange(run, command)
      if (unchanged !== undefined) return unchanged
    }
    const draft = draftOf(command, this.#options)
    if ('limitBytes' in draft) return draft
    kept.changes += 1
    try {
      const answer = await run.write(draft)
      if (run.removed) this.#drop(runId, run)
      else this.#cache.keep(runId, kept)
      return answer
    } catch (error) {
      if (run.broken) this.#drop(runId, run)
      throw error
    } finally {
      kept.changes -= 1
    }
  }

  /** Puts the marks of a run where they belong: for whoever looked at it. */
  async look(run: LoggedRun): Promise<void> {
    const kept = this.#find(run.runId)
    if (kept.run !== run) return
    const step = kept.marks.step(run, this.#options.redispatchMs, true)
    if (step !== undefined) await this.#lineOf(run).send(step)
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
      // A line of its that is under way would make the step too late; when that is here, it is its turn.
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

  /** The answer to a command that changes nothing, as it seems, on what is in the log now. */
  async #withoutChange(run: LoggedRun, command: Command): Promise<Answer | undefined> {
    await run.read()
    return run.removed ? undefined : run.answerWithoutChange(command, this.#options.clock.now())
  }

  #find(runId: RunId): Kept {
    const known = this.#cache.get(runId)
    if (known !== undefined && !known.run.removed && !known.run.broken) return known
    const made = new Kept((kept) => this.#make(runId, (_run, news) => this.#applied(kept, news)))
    this.#cache.keep(runId, made)
    return made
  }

  #make(runId: RunId, onApplied: (run: LoggedRun, news: Applied) => void): LoggedRun {
    const { keys, line, readBlobs, redispatchMs } = this.#options
    const shard = keys.shardOf(runId)
    return new LoggedRun({
      runId,
      line: line(shard),
      keys: { log: keys.log(runId), blobs: keys.blobs(runId) },
      dueKey: (flow: DueFlow) => keys.due(shard, flowName(flow)),
      readBlobs,
      redispatchMs,
      onApplied,
    })
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
    const step = marks.step(run, this.#options.redispatchMs)
    if (step === undefined) return
    const { position } = run
    this.#lineOf(run)
      .sendAlong(step)
      .then(
        ({ count }) => {
          this.#pauseMs = SOON_MS
          if (count === 1) return
          marks.disbelieve()
          // A line of ours has come in between: else it is for those who wrote it.
          if (run.position > position) this.#markSoon(kept)
        },
        (error: unknown) => {
          marks.disbelieve()
          // The first of them has said it.
          if (this.#pauseMs === SOON_MS || !isOutage(error)) {
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

  #lineOf({ runId }: LoggedRun): ScriptLine {
    const { keys, line } = this.#options
    return line(keys.shardOf(runId))
  }

  #drop(runId: RunId, run: LoggedRun): void {
    if (this.#cache.get(runId)?.run === run) this.#cache.drop(runId)
  }
}

function isOutage(error: unknown): boolean {
  return BatonError.is(error) && error.retryable
}
