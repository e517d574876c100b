/** What must be so once everything is over: the journal as readers get it, and the result as the flow says. */
import { isDeepStrictEqual } from 'node:util'
import type { RunEvent, RunRecord } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import type { World } from '../world/world.ts'
import { foretell } from './oracle.ts'
import type { Referee } from './referee.ts'

export async function checkEnd(referee: Referee, world: World, over: ReadonlySet<string>): Promise<void> {
  for (const { machine, flow, model } of referee.runs.values()) {
    const { head, input } = machine.state
    if (!over.has(head.runId)) continue
    const run = { runId: head.runId as string, flow, input }
    const isRemoved = referee.removed.has(head.runId)
    const record = isRemoved ? recordOf(machine.state) : world.store.load(head.runId)
    if (record === undefined) return referee.fails('I4', run.runId, 'the store has lost it')
    const mistake = isRemoved ? undefined : await mistakeOfJournal(world, record)
    if (mistake !== undefined) return referee.fails('I6', run.runId, mistake)
    if (referee.cancelled.has(run.runId) && record.status !== 'cancelled') {
      return referee.fails('I8', run.runId, `a cancel that had won ended as ${record.status}`)
    }
    // How far a child has come when it is called off is a matter of time, also where it had failed by then and went on.
    const isCalledOff = model.cancelRequested && model.family.parent !== undefined
    if (!flow.isDetermined || isCalledOff) continue
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

async function mistakeOfJournal({ store }: World, record: RunRecord): Promise<string | undefined> {
  const events: RunEvent[] = []
  for await (const event of store.journal(record.runId)) events.push(event)
  const isGapless = events.every(({ seq }, index) => seq === index + 1)
  if (!isGapless || events.length !== record.seq) return 'the journal has a gap'
  const folded = foldJournal(events)
  const isSame = JSON.stringify(folded && recordOf(folded)) === JSON.stringify(record)
  return isSame ? undefined : 'the run is no fold of its journal'
}
