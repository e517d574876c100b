/** What is known of a run when it is judged. */
import type { RunEvent, RunRecord } from '@baton/core'
import type { Started } from '../load.ts'
import type { WitnessLine } from '../witness.ts'

export interface JudgedRun {
  readonly record: RunRecord
  readonly events: readonly RunEvent[]
  /** Of node code and workers, in the order in which they were written. */
  readonly lines: readonly (WitnessLine & { readonly place: number })[]
}

/** All runs of a store, and who has started what. */
export class Runs {
  readonly #byId: ReadonlyMap<string, JudgedRun>
  readonly #started: ReadonlyMap<string, Started>
  /** By the first of each: those that go on for it, or do its work over. */
  readonly #rows = new Map<string, JudgedRun[]>()
  /** The run in which the work of one that has ended is done over. */
  readonly #redrives = new Map<string, string>()

  constructor(all: readonly JudgedRun[], started: readonly Started[]) {
    this.#byId = new Map(all.map((run) => [run.record.runId, run]))
    this.#started = new Map(started.map((run) => [run.runId, run]))
    for (const run of all) {
      const { runId, lineage } = run.record
      const { kind, branchOriginRunId, succession } = lineage
      const first = succession?.firstRunId ?? branchOriginRunId ?? runId
      this.#rows.set(first, [...this.rowOf(first), run])
      if (kind === 'redrive' && branchOriginRunId !== undefined) this.#redrives.set(branchOriginRunId, runId)
    }
  }

  get all(): Iterable<JudgedRun> {
    return this.#byId.values()
  }

  get(runId: string): JudgedRun | undefined {
    return this.#byId.get(runId)
  }

  /** The start by a client that this run has come from: as its child, by going on for it, or by doing its work over. */
  rootOf({ runId, lineage }: RunRecord): Started | undefined {
    const { parentRunId, branchOriginRunId, succession } = lineage
    const before = succession?.previousRunId ?? branchOriginRunId ?? parentRunId
    const record = before === undefined ? undefined : this.get(before)?.record
    return this.#started.get(runId) ?? (record === undefined ? undefined : this.rootOf(record))
  }

  /** The last of the runs that go on for this one, or do its work over. */
  lastOf(runId: string): RunRecord | undefined {
    const record = this.get(runId)?.record
    const next = record?.continuedBy ?? this.#redrives.get(runId)
    return next === undefined ? record : this.lastOf(next)
  }

  /** This run, and all that go on for it or do its work over. */
  rowOf(runId: string): readonly JudgedRun[] {
    return this.#rows.get(runId) ?? []
  }
}
