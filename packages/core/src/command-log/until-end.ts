/**
 * Waits for the end of a run. Lines that this process writes or reads anyway tell of it at once; of what others write, it
 * is told of those that may end a run, and not of every line.
 *
 * A run that this process moves itself is watched later: many have ended by then, and cost no message at all.
 */
import { copyOf } from '../model/copy.ts'
import { BatonError } from '../model/errors.ts'
import { isTerminal, type RunSummary } from '../model/run.ts'
import { onAbort } from '../ports/on-abort.ts'
import type { LoggedRun } from './logged-run.ts'

/** @param wake told how many lines there are, or nothing. @returns how to end it */
export type Watch = (wake: (lines?: number) => void) => () => void

export interface UntilEndOptions {
  readonly watch: Watch
  readonly signal: AbortSignal | undefined
  /** Calls back when the store is closed. @returns how to end it */
  readonly onClose: (callback: () => void) => () => void
}

/** How long to see whether this process moves the run, and how long as long as it does. */
const FIRST_MS = 2
const NEXT_MS = 20
/** What was said before we were listened to is read with the next lines, or by itself if none comes. */
const READ_MS = 5

/** @returns undefined when a signal fires, or the run was removed */
export function untilEnd(run: LoggedRun, options: UntilEndOptions): Promise<RunSummary | undefined> {
  return new Promise((resolve, reject) => new Waiting(run, options, resolve, reject))
}

class Waiting {
  readonly #run: LoggedRun
  readonly #options: UntilEndOptions
  readonly #resolve: (summary: RunSummary | undefined) => void
  readonly #reject: (error: unknown) => void
  readonly #stops: (() => void)[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #seen: number

  constructor(
    run: LoggedRun,
    options: UntilEndOptions,
    resolve: (summary: RunSummary | undefined) => void,
    reject: (error: unknown) => void,
  ) {
    this.#run = run
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#seen = run.exchanges
    if (this.#look()) return
    const { signal, onClose } = options
    const look = () => this.#look()
    this.#stops.push(
      run.listen(({ type }) => {
        // Once the line has been applied to its end.
        if (type === 'run-completed' || type === 'run-failed' || type === 'run-cancelled') queueMicrotask(look)
      }),
      onClose(() => this.#finish(undefined)),
      onAbort(signal, look),
      () => clearTimeout(this.#timer),
    )
    this.#timer = setTimeout(() => this.#watch(), FIRST_MS)
  }

  /** @returns whether there is nothing to wait for any more */
  #look(): boolean {
    const state = this.#run.machine?.state
    const hasEnded = state !== undefined && isTerminal(state.status)
    if (!hasEnded && !this.#run.removed && this.#options.signal?.aborted !== true) return false
    this.#finish(hasEnded ? copyOf(this.#run.summary) : undefined)
    return true
  }

  #watch(): void {
    const { exchanges } = this.#run
    if (exchanges > this.#seen) {
      this.#seen = exchanges
      this.#timer = setTimeout(() => this.#watch(), NEXT_MS)
      return
    }
    this.#stops.push(
      this.#options.watch((lines) => {
        if (lines === undefined) this.#readSoon()
        else if (lines > this.#run.position) this.#read(lines)
        // Word of one of our own lines that took its time, or the log was set back and has ended before where we stand.
        else if (lines < this.#run.position) this.#readSoon()
      }),
    )
  }

  #readSoon(): void {
    const { exchanges } = this.#run
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      // The first of them may have begun before we were listened to.
      if (this.#run.exchanges < exchanges + 2) this.#read()
    }, READ_MS)
  }

  #read(lines?: number): void {
    this.#run.read(lines).then(
      () => this.#look(),
      (error: unknown) => {
        // It is asked again when the connection is back, and with the next poll.
        if (BatonError.is(error) && error.retryable) return
        this.#stop()
        this.#reject(error)
      },
    )
  }

  #finish(summary: RunSummary | undefined): void {
    this.#stop()
    this.#resolve(summary)
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}
