/** The runs that a process has in memory, for stores that read a run whole: those used last, and live ones rather than ended ones. */
import type { RunId } from '../model/ids.ts'

export interface RunCacheLimits {
  readonly runs: number
  readonly bytes: number
  /** What was not used for this long is gone. */
  readonly ageMs: number
  /** A time that never goes back, in milliseconds. */
  readonly now: () => number
}

export interface CachedRun {
  /** About how much memory it takes. */
  readonly weightBytes: number
  readonly hasEnded: boolean
  /** It must not be dropped to make room. */
  readonly mustStay: boolean
}

const MOMENT_MS = 100
/** Hardly anybody asks again for a run that has ended, and it takes as much memory as a live one. */
const MOST_ENDED = 200

export class RunCache<Run extends CachedRun> {
  readonly #limits: RunCacheLimits
  // A Map keeps the order of insertion: the first one is the one that was not used for longest.
  readonly #live = new Map<RunId, Kept<Run>>()
  readonly #ended = new Map<RunId, Kept<Run>>()
  #bytes = 0

  constructor(limits: RunCacheLimits) {
    this.#limits = limits
  }

  get(runId: RunId): Run | undefined {
    const kept = this.#live.get(runId) ?? this.#ended.get(runId)
    if (kept === undefined || kept.run.mustStay) return kept?.run
    if (this.#limits.now() - kept.usedAtMs <= this.#limits.ageMs) return kept.run
    this.drop(runId)
    return undefined
  }

  /** Puts it in, or notes that it was used and may have grown. */
  keep(runId: RunId, run: Run): void {
    if (this.#staysInPlace(runId, run)) return
    this.drop(runId)
    const kept = { run, bytes: run.weightBytes, usedAtMs: this.#limits.now() }
    const part = run.hasEnded ? this.#ended : this.#live
    part.set(runId, kept)
    this.#bytes += kept.bytes
    this.#dropEnded()
    if (this.#live.size + this.#ended.size > this.#limits.runs || this.#bytes > this.#limits.bytes) this.#shrink(runId)
  }

  drop(runId: RunId): void {
    const kept = this.#live.get(runId) ?? this.#ended.get(runId)
    if (kept === undefined) return
    this.#live.delete(runId)
    this.#ended.delete(runId)
    this.#bytes -= kept.bytes
  }

  clear(): void {
    this.#live.clear()
    this.#ended.clear()
    this.#bytes = 0
  }

  /** Used a moment ago: its place among the others is right enough, and finding it another one costs with every commit. */
  #staysInPlace(runId: RunId, run: Run): boolean {
    if (run.hasEnded) return false
    const kept = this.#live.get(runId)
    if (kept === undefined || kept.run !== run || this.#limits.now() - kept.usedAtMs > MOMENT_MS) return false
    const bytes = run.weightBytes
    if (this.#bytes + bytes - kept.bytes > this.#limits.bytes) return false
    this.#bytes += bytes - kept.bytes
    kept.bytes = bytes
    return true
  }

  /** The one that ended first goes first, unless somebody works with it. */
  #dropEnded(): void {
    if (this.#ended.size <= MOST_ENDED) return
    for (const [runId, { run }] of this.#ended) {
      if (!run.mustStay) this.drop(runId)
      if (this.#ended.size <= MOST_ENDED) return
    }
  }

  #shrink(justUsed: RunId): void {
    for (const part of [this.#ended, this.#live]) {
      for (const [runId, { run }] of part) {
        if (this.#live.size + this.#ended.size <= this.#limits.runs && this.#bytes <= this.#limits.bytes) return
        if (runId !== justUsed && !run.mustStay) this.drop(runId)
      }
    }
  }
}

interface Kept<Run> {
  readonly run: Run
  bytes: number
  readonly usedAtMs: number
}
