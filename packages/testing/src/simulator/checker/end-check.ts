/** What must be so once everything is over: the journal as readers get it, and the result as the flow says. */
import { isDeepStrictEqual } from 'node:util'
import type { RunEvent, RunRecord } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import type { World } from '../world/world.ts'
import { foretell } from './oracle.ts'
import type { Referee } from './referee.ts'

export async function checkEnd(referee: Referee, world: World, over: ReadonlySet<string>): Promise<void> {
  referee.checkLimits()
  for (const { machine, flow, model } of referee.runs.values()) {
    const { head, input } = machine.state
    if (!over.has(head.runId)) continue
    const run = { runId: head.runId as string, flow, input }
    const isRemoved = referee.removed.has(head.runId)
    const record = isRemoved ? recordOf(machine.state) : world.store.load(head.runId)
    if (record === undefined) return referee.fails('I4', run.runId, 'the store has lost it')
    const mistake = isRemoved ? undefined : await mistakeOfJournal(world, record)
    if (mistake !== undefined) return referee.fails('I6', run.runId, mistake)
    const source = isRemoved ? undefined : referee.sources.get(run.runId)
    if (source !== undefined && JSON.stringify(await journalOf(world, record)) !== source.journal) {
      return referee.fails('I14', run.runId, `its journal is not what it was when ${source.redrivenAs} began`)
    }
    const last = referee.tree.row(run.runId).at(-1)
    if (referee.cancelled.has(run.runId) && last?.end !== 'run-cancelled') {
      return referee.fails('I8', run.runId, `a cancel that had won ended as ${last?.end}`)
    }
    // How far a child has come when it is called off is a matter of time, also where it had failed by then and went on.
    const isCalledOff = model.cancelRequested && model.family.parent !== undefined
    // Of one that begins in the middle it tells nothing.
    if (!flow.isDetermined || isCalledOff || head.lineage.branchCheckpointId !== undefined) continue
    const foretold = foretell(world.seed, run)
    const found = {
      status: record.status,
      output: record.output ?? null,
      count: foretold.count === undefined ? undefined : (record.context.count ?? 0),
      steps: foretold.steps === undefined ? undefined : (record.context.steps ?? 0),
    }
    if (!isDeepStrictEqual(foretold, found)) {
      return referee.fails('RESULT', run.runId, `${JSON.stringify(found)} instead of ${JSON.stringify(foretold)}`)
    }
  }
}

async function journalOf({ store }: World, { runId }: RunRecord): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of store.journal(runId)) events.push(event)
  return events
}

async function mistakeOfJournal(world: World, record: RunRecord): Promise<string | undefined> {
  const events = await journalOf(world, record)
  const isGapless = events.every(({ seq }, index) => seq === index + 1)
  if (!isGapless || events.length !== record.seq) return 'the journal has a gap'
  const folded = foldJournal(events)
  // Which run is the newest of its row is told to the first when it has ended: no journal has it.
  const { newestRunId: _, ...known } = record
  const isSame = JSON.stringify(folded && recordOf(folded)) === JSON.stringify(known)
  return isSame ? undefined : 'the run is no fold of its journal'
}
