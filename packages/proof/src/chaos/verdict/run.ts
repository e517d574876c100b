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

  constructor(all: readonly JudgedRun[], started: readonly Started[]) {
    this.#byId = new Map(all.map((run) => [run.record.runId, run]))
    this.#started = new Map(started.map((run) => [run.runId, run]))
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
    if (record === undefined) return undefined
    const next = record.continuedBy ?? [...this.all].find((run) => isRedriveOf(run.record, runId))?.record.runId
    return next === undefined ? record : this.lastOf(next)
  }

  /** This run, and all that go on for it or do its work over. */
  *rowOf(runId: string): Iterable<JudgedRun> {
    for (const run of this.all) {
      const { lineage } = run.record
      const first = lineage.succession?.firstRunId ?? lineage.branchOriginRunId ?? run.record.runId
      if (first === runId) yield run
    }
  }
}

function isRedriveOf({ lineage: { kind, branchOriginRunId } }: RunRecord, runId: string): boolean {
  return kind === 'redrive' && branchOriginRunId === runId
}
