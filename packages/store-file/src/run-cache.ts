/** The runs that this process has in memory: those used last, and live ones rather than ended ones. */
import { isTerminal } from '@baton/core'
import type { RunId } from '@baton/core/adapter'
import type { StoredRun } from './stored-run.ts'

export interface RunCacheLimits {
  readonly runs: number
  readonly bytes: number
}

export class RunCache {
  readonly #limits: RunCacheLimits
  // A Map keeps the order of insertion: the first one is the one that was not used for longest.
  readonly #live = new Map<RunId, Kept>()
  readonly #ended = new Map<RunId, Kept>()
  #bytes = 0

  constructor(limits: RunCacheLimits) {
    this.#limits = limits
  }

  get(runId: RunId): StoredRun | undefined {
    return (this.#live.get(runId) ?? this.#ended.get(runId))?.run
  }

  /** Puts it in, or notes that it was used and may have grown. */
  keep(runId: RunId, run: StoredRun): void {
    this.drop(runId)
    const kept = { run, bytes: run.weightBytes }
    const ended = run.machine !== undefined && isTerminal(run.machine.state.status)
    const part = ended ? this.#ended : this.#live
    part.set(runId, kept)
    this.#bytes += kept.bytes
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

  #shrink(justUsed: RunId): void {
    for (const part of [this.#ended, this.#live]) {
      for (const [runId, { run }] of part) {
        if (this.#live.size + this.#ended.size <= this.#limits.runs && this.#bytes <= this.#limits.bytes) return
        if (runId !== justUsed && !run.failed) this.drop(runId)
      }
    }
  }
}

interface Kept {
  readonly run: StoredRun
  readonly bytes: number
}
