/** What node code and workers have witnessed, held against the journal. */
import type { RunEvent } from '@baton/core'
import type { Committed, WitnessLine } from '../witness.ts'
import { doublesOf, type Find } from './finding.ts'
import { FATE } from './journal.ts'

/** What each outcome that a worker was told is committed has left in the journal. */
const EVENTS: { readonly [outcome: string]: string } = {
  succeeded: 'node-succeeded',
  continued: 'node-succeeded',
  failed: 'node-failed',
  skipped: 'node-skipped',
  retried: 'attempt-failed',
  released: 'node-released',
  stepped: 'step-recorded',
  sent: 'step-recorded',
  slept: 'node-slept',
  awaited: 'node-awaited',
  expanded: 'map-expanded',
}
/** These happen to whoever is not called off. */
const CALLED_OFF = new Set([
  'continued',
  'failed',
  'retried',
  'released',
  'sent',
  'slept',
  'awaited',
  'expanded',
  'cancelled',
])
const SETTLING = new Set(['succeeded', 'continued', 'failed', 'skipped', 'cancelled'])

export function judgeWitness(events: readonly RunEvent[], lines: readonly WitnessLine[], find: Find): void {
  const journal = new Set(events.flatMap((event) => ('fence' in event ? [keyOf(event.type, event)] : [])))
  const fates = new Map(
    events.flatMap((event) =>
      FATE.test(event.type) && 'fence' in event ? [[event.instanceId, event.fence ?? 0]] : [],
    ),
  )
  const ran = lines.filter(({ what }) => what === 'ran')
  for (const twice of doublesOf(ran.map((line) => keyOf('claim', line)))) find('doubled', `${twice} ran twice`)
  for (const { instanceId, fence } of ran) {
    if (fence > (fates.get(instanceId) ?? Number.POSITIVE_INFINITY)) {
      find('doubled', `${instanceId} ran with fence ${fence} after it was settled`)
    }
  }
  const stepped = lines.flatMap((line) => (line.what === 'stepped' ? [`${line.step} in ${keyOf('claim', line)}`] : []))
  for (const twice of doublesOf(stepped)) find('doubled', `${twice} ran twice`)
  const committed = lines.filter((line): line is Committed => line.what === 'committed')
  const off = new Set(events.flatMap((event) => (event.type === 'node-cancelled' ? [event.instanceId] : [])))
  for (const line of committed) {
    if (journal.has(keyOf(EVENTS[line.outcome] ?? '', line))) continue
    if (CALLED_OFF.has(line.outcome) && off.has(line.instanceId)) continue
    find('lost', `${keyOf(line.outcome, line)} was acknowledged, and is not in the journal`)
  }
  for (const twice of settledTwice(committed, events)) find('doubled', `${twice} was committed twice`)
}

/** One that was opened again may settle once more. */
function settledTwice(committed: readonly Committed[], events: readonly RunEvent[]): readonly string[] {
  const commits = new Map<string, Set<string>>()
  for (const { instanceId, outcome, commitId } of committed) {
    if (!SETTLING.has(outcome)) continue
    commits.set(instanceId, (commits.get(instanceId) ?? new Set()).add(commitId))
  }
  const openings = events.flatMap((event) =>
    event.type === 'node-reopened' ? [event.instanceId, ...event.undone] : [],
  )
  const allowed = (instanceId: string) => 1 + openings.filter((opened) => opened === instanceId).length
  return [...commits].flatMap(([instanceId, ids]) => (ids.size > allowed(instanceId) ? [instanceId] : []))
}

function keyOf(
  what: string,
  { instanceId, fence }: { readonly instanceId: string; readonly fence?: number | undefined },
): string {
  return `${what} of ${instanceId} with fence ${fence}`
}
