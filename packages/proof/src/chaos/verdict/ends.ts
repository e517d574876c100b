/** How a run has ended, held against how the same flow ends with the same input where nothing goes wrong. */
import { isTerminal, JsonSerializer, type RunRecord } from '@baton/core'
import { type End, endOf } from '../end.ts'
import { flowOf, scheduled } from '../flows/index.ts'
import { brokenWith } from '../flows/redrives.ts'
import type { Started } from '../load.ts'
import type { Oracle } from '../oracle.ts'
import { type Find, isSame } from './finding.ts'
import type { JudgedRun, Runs } from './run.ts'

const SCHEDULED = /^schedule:/

export class Ends {
  readonly #runs: Runs
  readonly #oracle: Oracle
  readonly #started: ReadonlyMap<string, Started>

  constructor(options: { runs: Runs; oracle: Oracle; started: readonly Started[] }) {
    this.#runs = options.runs
    this.#oracle = options.oracle
    this.#started = new Map(options.started.map((run) => [run.runId, run]))
  }

  async judge({ record, events }: JudgedRun, find: Find): Promise<void> {
    for (const event of events) {
      if (event.type !== 'child-started' || this.#runs.get(event.run.runId) !== undefined) continue
      find('lost', `its child ${event.run.runId} is not there`)
    }
    if (record.kind === 'limiter') return
    const last = events.at(-1)
    if (!isTerminal(record.status)) {
      find('stuck', `is ${record.status}, since ${last?.type} at ${new Date(last?.atMs ?? 0).toISOString()}`)
    }
    const { runId, lineage, tags, flowId } = record
    const started = this.#started.get(runId)
    if (started !== undefined) return this.#judgeStart(started, record, find)
    // What becomes of these is asked where the first of the row is judged; of those that keep a schedule, nothing is.
    if (SCHEDULED.test(flowId)) return
    if ((lineage.succession ?? lineage.branchOriginRunId) !== undefined && this.#runs.rootOf(record) !== undefined)
      return
    if (tags.some((tag) => SCHEDULED.test(tag))) {
      return this.#judgeAs(record, await this.#oracle.ask(scheduled, inputOf(record)), find)
    }
    if (lineage.parentRunId !== undefined) return this.#judgeChild(record, find)
    find('doubled', 'is there, and nobody has started it')
  }

  async #judgeStart(started: Started, record: RunRecord, find: Find): Promise<void> {
    const { runId, kind, input, isCalledOff, pauses, redrivenAs } = started
    const last = this.#runs.lastOf(runId) ?? record
    const expected = await this.#oracle.ask(kind, input)
    if (record.status === 'failed' && kind.isBrittle === true) {
      this.#judgeAs(record, brokenWith(input), find)
    }
    for (const id of redrivenAs) {
      if (this.#runs.get(id) === undefined) find('lost', `its redrive was acknowledged as ${id}, and it is not there`)
    }
    if (redrivenAs.size > 2) find('doubled', `was redriven as ${[...redrivenAs].join(' and ')}`)
    const ordered = new Set<string | undefined>()
    for (const { events } of this.#runs.rowOf(runId)) {
      for (const event of events) if (event.type === 'run-pause-ordered') ordered.add(event.by)
    }
    for (const by of pauses) if (!ordered.has(by)) find('lost', `its pause by ${by} was acknowledged, and is not there`)

    // A cancel wins or loses. Only who was not told which one has to take both.
    const isCancelled = last.status === 'cancelled'
    if (isCalledOff === true && isTerminal(last.status) && !isCancelled) {
      find('lost', `its cancel was acknowledged, and it is ${last.status}`)
    }
    if (isCancelled && kind.mayBeCancelled === true && isCalledOff !== false) return
    this.#judgeAs(last, expected, find)
  }

  /** One that was called off with its parent may have ended before. */
  async #judgeChild(record: RunRecord, find: Find): Promise<void> {
    const { runId, lineage, flowId, status } = record
    const flow = flowOf(flowId)
    const views = [...this.#runs.rowOf(lineage.parentRunId ?? '')].flatMap((parent) => parent.record.children)
    const view = views.find((child) => child.runId === runId)
    if (flow === undefined || view === undefined) return find('doubled', 'is there, and its parent does not know of it')
    const root = this.#runs.rootOf(record)
    if (status === 'cancelled' && !view.detached && root?.kind.mayBeCancelled === true) {
      if (this.#runs.lastOf(root.runId)?.status === 'cancelled') return
    }
    this.#judgeAs(record, await this.#oracle.ask({ flow }, inputOf(record)), find)
  }

  #judgeAs(record: RunRecord, expected: End, find: Find): void {
    const end = endOf(record)
    if (!isTerminal(record.status) || isSame(end, expected)) return
    find('lost', `${record.runId} ended as ${JSON.stringify(end)}, and not as ${JSON.stringify(expected)}`)
  }
}

function inputOf({ input }: RunRecord): unknown {
  return input === undefined ? undefined : new JsonSerializer().decode(input)
}
