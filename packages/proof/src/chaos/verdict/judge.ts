/** What is left after the storm, held against what was promised. Everything is read anew; `finding.ts` says what is found. */
import type { RunEvent } from '@baton/core'
import type { Ports } from '../backend.ts'
import { allRuns } from '../leftovers.ts'
import type { Started } from '../load.ts'
import type { Oracle } from '../oracle.ts'
import type { Kept } from '../timetable.ts'
import type { WitnessLine } from '../witness.ts'
import { Ends } from './ends.ts'
import type { Find, Finding } from './finding.ts'
import { judgeJournal } from './journal.ts'
import { judgeLimits } from './limits.ts'
import { type JudgedRun, Runs } from './run.ts'
import { judgeSchedules } from './schedules.ts'
import { judgeWitness } from './witness.ts'

export interface Evidence {
  readonly ports: Ports
  readonly started: readonly Started[]
  readonly schedules: readonly Kept[]
  readonly witness: readonly WitnessLine[]
  readonly oracle: Oracle
}

/** @param onJournal sees the journal of each run */
export async function judge(evidence: Evidence, onJournal: (events: readonly RunEvent[]) => void): Promise<Finding[]> {
  const { ports, started, schedules, oracle } = evidence
  const findings: Finding[] = []
  const findIn = (what: Finding['what'], runId: string, detail: string) => void findings.push({ what, runId, detail })
  const linesOf = linesByRun(evidence.witness)
  const ids = new Set(started.map(({ runId }) => runId))
  for await (const { runId } of allRuns(ports)) ids.add(runId)

  const all: JudgedRun[] = []
  for (const runId of ids) {
    const find: Find = (what, detail) => findIn(what, runId, detail)
    try {
      const run = await read(ports, runId, linesOf.get(runId) ?? [])
      if (run === undefined) find('lost', 'its start was acknowledged, and it is not there')
      else {
        all.push(run)
        onJournal(run.events)
        judgeJournal(run.events, run.record, find)
        judgeWitness(run.events, run.lines, find)
      }
    } catch (error) {
      find('lost', `cannot be read: ${String(error)}`)
    }
  }
  const runs = new Runs(all, started)
  const ends = new Ends({ runs, oracle, started })
  // Side by side: the oracle takes its time for each kind of run.
  await Promise.all(all.map((run) => ends.judge(run, (what, detail) => findIn(what, run.record.runId, detail))))
  for (const runId of linesOf.keys()) {
    if (!ids.has(runId)) findIn('doubled', runId, 'ran, and nobody has started it')
  }
  judgeLimits(runs, findIn)
  judgeSchedules(runs, schedules, findIn)
  return findings
}

async function read({ store }: Ports, runId: string, lines: JudgedRun['lines']): Promise<JudgedRun | undefined> {
  const id = runId as JudgedRun['record']['runId']
  const record = await store.load(id)
  if (record === undefined) return undefined
  const events: RunEvent[] = []
  for await (const event of store.journal(id)) events.push(event)
  return { record, events, lines }
}

function linesByRun(witness: readonly WitnessLine[]): ReadonlyMap<string, JudgedRun['lines']> {
  const lines = new Map<string, (WitnessLine & { readonly place: number })[]>()
  for (const [place, line] of witness.entries()) {
    const of = lines.get(line.runId)
    if (of === undefined) lines.set(line.runId, [{ ...line, place }])
    else of.push({ ...line, place })
  }
  return lines
}
