/** What every journal keeps to, whatever the flow. */
import type { RunEvent } from '@baton/core'

const fates = new Set<RunEvent['type']>(['node-succeeded', 'node-failed', 'node-skipped', 'node-cancelled'])
const ends = new Set<RunEvent['type']>(['run-completed', 'run-failed', 'run-cancelled'])
/** What a claim ends with. */
const settlings = new Set<RunEvent['type']>([
  'node-succeeded',
  'node-failed',
  'node-skipped',
  'attempt-failed',
  'node-slept',
  'node-awaited',
  'node-lost',
  'node-released',
])

/** @returns what of it is broken */
export function brokenRules(events: readonly RunEvent[]): readonly string[] {
  const broken: string[] = []
  const once = new Set<string>()
  const must = (key: string, what: string) => {
    if (once.has(key)) broken.push(what)
    once.add(key)
  }
  for (const [index, event] of events.entries()) {
    if (event.seq !== index + 1) broken.push(`event ${index + 1} has the number ${event.seq}`)
    if (ends.has(event.type)) must('end', `it ended twice`)
    // An operator gives it another chance: what its failure had decided is undone.
    if (event.type === 'node-reopened') {
      for (const id of [event.instanceId, ...event.undone]) once.delete(`fate ${id}`)
    }
    if (!('instanceId' in event) || event.instanceId === undefined) continue
    const { instanceId, type } = event
    if (fates.has(type)) must(`fate ${instanceId}`, `${instanceId} was settled twice`)
    if ('fence' in event && event.fence !== undefined && settlings.has(type)) {
      must(`claim ${instanceId} ${event.fence}`, `one attempt of ${instanceId} was settled twice`)
    }
    if (type === 'step-recorded' || type === 'node-slept' || type === 'node-awaited') {
      const { position, name } = event.step
      if (type === 'step-recorded')
        must(`step ${instanceId} ${position}`, `step ${name} of ${instanceId} was recorded twice`)
    }
  }
  return broken
}
