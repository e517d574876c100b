/**
 * Follows the journal of one run. What has happened is replayed from the log, through a machine of its own that says
 * what each line made happen; what happens next is told by the handle that this process works with anyway.
 *
 * A server that was set back may have lost what was given out. Then nothing more is, until a replay has shown that the
 * log still begins with it: whoever follows has one history, or is told that it has to begin again.
 */
import { copyOf } from '../model/copy.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { isTerminal } from '../model/run.ts'
import { onAbort } from '../ports/on-abort.ts'
import type { LoggedRun } from './logged-run.ts'

export interface FollowOptions {
  /** The run as this process knows it, up to date. */
  readonly run: LoggedRun
  /** A handle of the same run that has read nothing yet. */
  readonly replay: () => LoggedRun
  readonly from: number
  readonly live: boolean
  readonly signal: AbortSignal
  readonly watch: (wake: (lines?: number) => void) => () => void
}

/** @returns whether that was all of it: false when the signal fired */
export function follow(options: FollowOptions): AsyncGenerator<RunEvent, boolean> {
  return new Follower(options).events()
}

class Follower {
  readonly #options: FollowOptions
  /** Taken, and not given out yet. */
  #taken: RunEvent[] = []
  #lastSeq: number
  readonly #given: Given
  /** Rewinds of the run after which what was given out has been found in its log. */
  #rewinds: number
  /** How many lines there are to be read, as far as we were told since we have read. */
  #told = 0
  #wake = () => {}

  constructor(options: FollowOptions) {
    this.#options = options
    this.#lastSeq = Math.max(1, options.from) - 1
    this.#given = new Given(this.#lastSeq)
    this.#rewinds = options.run.rewinds
  }

  async *events(): AsyncGenerator<RunEvent, boolean> {
    const { run, live, signal, watch } = this.#options
    const nudge = () => this.#wake()
    const stops = [run.listen((event) => this.#take(event)), run.onRewound(nudge), onAbort(signal, nudge)]
    if (live) {
      const tell = (lines = Number.POSITIVE_INFINITY) => {
        this.#told = Math.max(this.#told, lines)
        nudge()
      }
      stops.push(watch(tell))
    }
    try {
      for (;;) {
        const lines = this.#told
        this.#told = 0
        // What this process has written itself, it knows, or will when the answer to it is here.
        if (lines > run.position) await run.read(lines)
        if (this.#isRewound) await this.#standOnNewLog()
        if (this.#taken.length === 0 && this.#isBehind) await this.#replay()
        while (this.#taken.length > 0 && !this.#isRewound) {
          if (signal.aborted) return false
          const event = this.#taken.shift() as RunEvent
          this.#given.add(event)
          yield event
        }
        if (this.#isRewound || this.#isBehind) continue
        const status = run.machine?.state.status
        if (status !== undefined && isTerminal(status)) return true
        if (!live) return true
        if (run.removed) throw removed(run)
        if (signal.aborted) return false
        if (this.#told > run.position) continue
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = () => {}
      }
    } finally {
      for (const stop of stops) stop()
    }
  }

  get #isRewound(): boolean {
    return this.#options.run.rewinds !== this.#rewinds
  }

  get #isBehind(): boolean {
    return (this.#options.run.machine?.state.seq ?? 0) > this.#lastSeq
  }

  #take(event: RunEvent): void {
    // What comes from another log than the one before was not looked at yet: a replay tells it.
    if (!this.#isRewound) this.#keep(event)
  }

  #keep(event: RunEvent): void {
    // After a gap nothing counts: the replay tells it again.
    if (event.seq !== this.#lastSeq + 1) return
    this.#lastSeq = event.seq
    this.#taken.push(copyOf(event))
    this.#wake()
  }

  /** What was taken and not given out yet is told again, by the log as it is now. */
  async #standOnNewLog(): Promise<void> {
    const { run } = this.#options
    this.#lookBack()
    const { rewinds } = run
    await run.read()
    // Whoever has asked for what comes after others may have had those from a log that is gone.
    if (this.#given.knowsNoBeginning) throw rewound(run, this.#given.lastSeq)
    await this.#replay()
    if (run.rewinds === rewinds) this.#rewinds = rewinds
  }

  async #replay(): Promise<void> {
    const { run, replay } = this.#options
    const { position } = run
    const past = replay()
    const found = this.#given.again()
    past.listen((event) => {
      found.add(event)
      this.#keep(event)
    })
    await past.read()
    if (past.removed) throw removed(run)
    if (past.rewinds > 0) return this.#lookBack()
    if (!found.isLike(this.#given)) throw rewound(run, this.#given.lastSeq)
    // We know more than there is: that is noticed when we read on from there.
    if (past.position < position) await run.read()
  }

  #lookBack(): void {
    this.#taken = []
    this.#lastSeq = this.#given.lastSeq
  }
}

/** What was given out, in one number: who is told the same again has been told of one history. */
class Given {
  readonly #fromSeq: number
  /** Nothing behind this one counts. */
  readonly #untilSeq: number
  #lastSeq: number
  #sum = 0

  constructor(fromSeq: number, untilSeq = Number.POSITIVE_INFINITY) {
    this.#fromSeq = fromSeq
    this.#untilSeq = untilSeq
    this.#lastSeq = fromSeq
  }

  get lastSeq(): number {
    return this.#lastSeq
  }

  get knowsNoBeginning(): boolean {
    return this.#fromSeq > 0 && this.#lastSeq === this.#fromSeq
  }

  /** For the same events, told again. */
  again(): Given {
    return new Given(this.#fromSeq, this.#lastSeq)
  }

  add({ seq, atMs, type }: RunEvent): void {
    if (seq <= this.#lastSeq || seq > this.#untilSeq) return
    this.#lastSeq = seq
    // As for the script, a time is what tells one line from another.
    this.#sum = (Math.imul(this.#sum, 31) + (atMs | 0)) | 0
    for (let at = 0; at < type.length; at++) this.#sum = (Math.imul(this.#sum, 31) + type.charCodeAt(at)) | 0
  }

  isLike(other: Given): boolean {
    return this.#lastSeq === other.#lastSeq && this.#sum === other.#sum
  }
}

function rewound({ runId }: LoggedRun, lastSeq: number): BatonError {
  const message = `the store was set back: the journal of ${runId}, read up to event ${lastSeq}, has become another one`
  return new BatonError('JOURNAL_REWOUND', { runId, message })
}

function removed({ runId }: LoggedRun): BatonError {
  const message = `run ${runId} was removed while its journal was read`
  return new BatonError('UNKNOWN_RUN', { field: 'runId', message, runId })
}
