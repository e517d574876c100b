/** The journal of a run, by itself. */
import type { RunEvent, RunRecord } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import { doublesOf, type Find, isSame } from './finding.ts'

export const FATE = /^node-(succeeded|failed|skipped|cancelled)$/
const END = /^run-(completed|failed|cancelled)$/

/** @param stored the run as it is stored */
export function judgeJournal(events: readonly RunEvent[], stored: RunRecord, find: Find): void {
  // Which run is the newest of its row is told to the first alone, and not in its journal: that one has ended.
  const { newestRunId: _, ...record } = stored
  if (events.some(({ seq }, index) => seq !== index + 1)) find('lost', 'its journal has a gap')
  const state = foldJournal(events)
  const folded = state === undefined ? undefined : recordOf(state)
  if (!isSame(folded, record)) find('lost', 'the fold of its journal is not what is stored')
  for (const twice of doublesOf(fatesOf(events))) find('doubled', `${twice} has two fates`)
  const steps = events.flatMap((event) =>
    event.type === 'step-recorded' ? [`${event.instanceId} ${event.step.position}`] : [],
  )
  for (const twice of doublesOf(steps)) find('doubled', `step ${twice} is recorded twice`)
  const ends = events.filter(({ type }) => END.test(type))
  if (ends.length > 1 || (ends[0] !== undefined && ends[0] !== events.at(-1))) find('doubled', 'its end is not the end')
  judgePauses(events, find)
}

/** One that was opened again may have another fate, and so may what its failure had decided. */
function fatesOf(events: readonly RunEvent[]): readonly string[] {
  const openings = new Map<string, number>()
  return events.flatMap((event) => {
    if (event.type === 'node-reopened') {
      for (const id of [event.instanceId, ...event.undone]) openings.set(id, (openings.get(id) ?? 0) + 1)
    }
    if (!FATE.test(event.type) || !('instanceId' in event)) return []
    const { instanceId } = event
    return [`${instanceId}${'+'.repeat(openings.get(instanceId ?? '') ?? 0)}`]
  })
}

/** What is held is not claimed, until somebody lets go of it or it is about to end. */
function judgePauses(events: readonly RunEvent[], find: Find): void {
  let isHeld = false
  for (const event of events) {
    switch (event.type) {
      case 'run-pause-ordered':
        isHeld = true
        break
      case 'run-pause-lifted':
      case 'run-cancel-requested':
      case 'run-deadline-passed':
        isHeld = false
        break
      case 'node-failed':
        if (event.fixesOutcome) isHeld = false
        break
      case 'node-succeeded':
        if (event.continueAs !== undefined) isHeld = false
        break
      case 'node-claimed':
        if (isHeld) find('doubled', `${event.instanceId} was claimed while its run was paused`)
        break
      default:
    }
  }
}
