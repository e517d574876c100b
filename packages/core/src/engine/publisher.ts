/**
 * Gives the journals of runs to a sink, behind the back of those who work: no run and no commit waits for it.
 *
 *   commit ─► soon ──(a second)──┐
 *   end of a chain ──────────────┴─► in line ─► journal from the first unpublished on ─► sink ─► note in the store
 *
 * Whoever publishes a run begins behind what the store knows to be published. So several may do it, and one that dies leaves it to
 * others: the same entries come twice, but none comes for the first time before those that are before it.
 *
 * What does not work out is left to the sweep. A sink that fails is left alone for a while, and then asked for one run.
 */
import type { RunId } from '../model/ids.ts'
import { publishedKey } from '../model/publication.ts'
import { type IClock, wait } from '../ports/clock.ts'
import type { IJournalSink, JournalEntry } from '../ports/journal-sink.ts'
import { LogThrottle } from '../ports/log-throttle.ts'
import type { ILogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'

export interface PublisherOptions {
  readonly sink: IJournalSink
  readonly store: Pick<IRunStore, 'journal' | 'delivered'>
  readonly clock: IClock
  readonly logger: ILogger
  readonly workerId: string
}

/** After a commit, for others of the same run to follow. */
const GATHER_MS = 1_000
/** Runs that are published at the same time. */
const LANES = 8
const MOST_ENTRIES = 500
/** Runs in line; those beyond are the sweep's. */
const MOST_WAITING = 10_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** A sink that does not answer by then has failed. What it takes later was published before, or will be again. */
const ANSWER_WITHIN_MS = 60_000

export class Publisher {
  readonly #options: PublisherOptions
  readonly #refused: LogThrottle
  readonly #unread: LogThrottle
  /** To be published when the chain of commits has ended, or a second is over. */
  readonly #soon = new Set<RunId>()
  readonly #line = new Set<RunId>()
  readonly #underWay = new Set<RunId>()
  /** There was news while they were published. */
  readonly #again = new Set<RunId>()
  #cancelTimer: (() => void) | undefined
  #cancelPause: (() => void) | undefined
  /** How long the sink was left alone the last time; 0 when it has taken something since. */
  #pauseMs = 0
  #isStopped = false
  #onIdle = () => {}

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#refused = new LogThrottle(options.clock)
    this.#unread = new LogThrottle(options.clock)
  }

  /** Whether it is of use to look for more: the sink takes what it is given, and there is room in the line. */
  get isOpen(): boolean {
    return this.#cancelPause === undefined && !this.#isStopped && this.#line.size < MOST_WAITING
  }

  /** The sink has taken nothing since it last failed. */
  get isFailing(): boolean {
    return this.#pauseMs > 0
  }

  /** Something was committed, and more may follow at once. */
  soon(runId: RunId): void {
    if (this.#isStopped || this.#line.has(runId) || this.#soon.size >= MOST_WAITING) return
    this.#soon.add(runId)
    this.#cancelTimer ??= this.#options.clock.after(GATHER_MS, () => {
      this.#cancelTimer = undefined
      this.#flush()
    })
  }

  /** Nothing follows at once. */
  now(runId: RunId): void {
    this.#soon.delete(runId)
    if (this.#isStopped) return
    if (this.#underWay.has(runId)) this.#again.add(runId)
    else if (this.#line.size < MOST_WAITING) this.#line.add(runId)
    this.#work()
  }

  /** Publishes what is in line, as far as that is possible within this time, and nothing after that. */
  async stop(withinMs: number): Promise<void> {
    this.#cancelTimer?.()
    this.#flush()
    const idle = new AbortController()
    this.#onIdle = () => idle.abort()
    if (this.#isBusy && this.#cancelPause === undefined) await wait(this.#options.clock, withinMs, idle.signal)
    this.#isStopped = true
    this.#cancelPause?.()
    this.#line.clear()
    this.#again.clear()
  }

  get #isBusy(): boolean {
    return this.#underWay.size > 0 || this.#line.size > 0
  }

  #flush(): void {
    for (const runId of [...this.#soon]) this.now(runId)
  }

  #work(): void {
    const lanes = this.#pauseMs === 0 ? LANES : 1
    for (const runId of this.#line) {
      if (this.#underWay.size >= lanes || this.#cancelPause !== undefined) return
      this.#line.delete(runId)
      this.#underWay.add(runId)
      void this.#publish(runId).then((isWell) => this.#ended(runId, isWell))
    }
    if (!this.#isBusy) this.#onIdle()
  }

  #ended(runId: RunId, isWell: boolean): void {
    this.#underWay.delete(runId)
    // One that could not be published shall not keep others from it: it is the sweep's, which comes more and more rarely.
    if (this.#again.delete(runId) && isWell && !this.#isStopped) this.#line.add(runId)
    this.#work()
  }

  /** @returns whether all of it was */
  async #publish(runId: RunId): Promise<boolean> {
    const { store, logger, workerId } = this.#options
    try {
      let entries: JournalEntry[] = []
      for await (const event of store.journal(runId, { unpublished: true })) {
        entries.push({ id: `${runId}/${event.seq}`, runId, seq: event.seq, event })
        if (entries.length < MOST_ENTRIES) continue
        if (!(await this.#give(runId, entries))) return false
        entries = []
      }
      const isWell = entries.length === 0 || (await this.#give(runId, entries))
      this.#unread.over()
      return isWell
    } catch (error) {
      logger.log(this.#unread.level(), 'a journal could not be read or noted as published; the sweep sees to it', {
        runId,
        workerId,
        error,
      })
      return false
    }
  }

  /** The next are given when it is known that these were taken. @returns whether the sink has taken them */
  async #give(runId: RunId, entries: readonly JournalEntry[]): Promise<boolean> {
    const { sink, store } = this.#options
    if (this.#isStopped) return false
    try {
      await this.#withinTime(async () => sink.publish(runId, entries))
    } catch (error) {
      this.#fail(runId, error)
      return false
    }
    this.#pauseMs = 0
    this.#refused.over()
    const last = entries.at(-1)
    if (last !== undefined) await store.delivered(runId, [publishedKey(last.seq)])
    return true
  }

  async #withinTime(publish: () => Promise<void>): Promise<void> {
    let cancel = () => {}
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(new Error(`no answer of the journal sink within ${ANSWER_WITHIN_MS} ms`))
      cancel = this.#options.clock.after(ANSWER_WITHIN_MS, fail)
    })
    try {
      await Promise.race([publish(), late])
    } finally {
      cancel()
    }
  }

  #fail(runId: RunId, error: unknown): void {
    const { clock, logger, workerId } = this.#options
    logger.log(this.#refused.level(), 'the journal sink does not take what it is given; it gets it later', {
      runId,
      workerId,
      error,
    })
    // Once for all that fail together.
    if (this.#cancelPause !== undefined || this.#isStopped) return
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs))
    this.#cancelPause = clock.after(this.#pauseMs, () => {
      this.#cancelPause = undefined
      this.#work()
    })
  }
}
