/**
 * What is left after the storm, held against what was promised. Every run is read anew; each finding is one of three:
 *
 * - *lost*: something acknowledged is not there, or not as it was told: a run, a commit, an event of a journal, a result;
 * - *doubled*: something happened twice that may happen once;
 * - *stuck*: a run that did not end.
 */
import { BatonClient, isTerminal, type RunEvent } from '@baton/core'
import { deepEqual, foldJournal, type JsonValue, recordOf } from '@baton/core/adapter'
import type { Ports } from './backend.ts'
import type { Started } from './load.ts'
import { type End, endOf, type Oracle } from './oracle.ts'
import type { Committed, WitnessLine } from './witness.ts'

export interface Finding {
  readonly what: 'lost' | 'doubled' | 'stuck'
  readonly runId: string
  readonly detail: string
}

export interface Evidence {
  readonly ports: Ports
  readonly started: readonly Started[]
  readonly witness: readonly WitnessLine[]
  readonly oracle: Oracle
}

type Find = (what: Finding['what'], detail: string) => void

const FATE = /^node-(succeeded|failed|skipped|cancelled)$/
const END = /^run-(completed|failed|cancelled)$/

/** @param onJournal sees the journal of each run */
export async function judge(evidence: Evidence, onJournal: (events: readonly RunEvent[]) => void): Promise<Finding[]> {
  const { started, witness } = evidence
  const findings: Finding[] = []
  const lines = new Map<string, WitnessLine[]>()
  for (const line of witness) {
    const of = lines.get(line.runId)
    if (of === undefined) lines.set(line.runId, [line])
    else of.push(line)
  }
  for (const run of started) {
    const find: Find = (what, detail) => void findings.push({ what, runId: run.runId, detail })
    const events = await judgeRun(evidence, run, lines.get(run.runId) ?? [], find).catch((error: unknown) => {
      find('lost', `cannot be read: ${String(error)}`)
      return []
    })
    onJournal(events)
  }
  const known = new Set(started.map(({ runId }) => runId))
  for (const runId of lines.keys()) {
    if (!known.has(runId)) findings.push({ what: 'doubled', runId, detail: 'ran, and nobody has started it' })
  }
  return findings
}

async function judgeRun(
  { ports: { store }, oracle }: Evidence,
  run: Started,
  lines: readonly WitnessLine[],
  find: Find,
): Promise<readonly RunEvent[]> {
  const handle = new BatonClient({ store, flows: [run.kind.flow] }).get(run.runId)
  const record = await store.load(handle.runId)
  if (record === undefined) {
    find('lost', 'its start was acknowledged, and it is not there')
    return []
  }
  const events: RunEvent[] = []
  for await (const event of handle.stream({ live: false })) events.push(event)
  judgeJournal(events, record, find)
  judgeWitness(events, lines, find)
  if (!isTerminal(record.status)) find('stuck', `is ${record.status}`)
  else {
    const end = endOf(await handle.outcome())
    const expected = await oracle.ask(run)
    if (!isSame(end, expected) && !isCalledOff(end, run)) {
      find('lost', `ended as ${JSON.stringify(end)}, and not as ${JSON.stringify(expected)}`)
    }
  }
  return events
}

function judgeJournal(events: readonly RunEvent[], record: unknown, find: Find): void {
  if (events.some(({ seq }, index) => seq !== index + 1)) find('lost', 'its journal has a gap')
  const state = foldJournal(events)
  const folded = state === undefined ? undefined : recordOf(state)
  if (!isSame(folded, record)) find('lost', 'the fold of its journal is not what is stored')
  const fates = events.flatMap((event) => (FATE.test(event.type) && 'instanceId' in event ? [event.instanceId] : []))
  for (const twice of doublesOf(fates)) find('doubled', `${twice} has two fates`)
  const steps = events.flatMap((event) =>
    event.type === 'step-recorded' ? [`${event.instanceId} ${event.step.position}`] : [],
  )
  for (const twice of doublesOf(steps)) find('doubled', `step ${twice} is recorded twice`)
  const ends = events.filter(({ type }) => END.test(type))
  if (ends.length > 1 || (ends[0] !== undefined && ends[0] !== events.at(-1))) find('doubled', 'its end is not the end')
}

/** What each outcome that a worker was told is committed has left in the journal. */
const EVENTS: { readonly [outcome: string]: string } = {
  succeeded: 'node-succeeded',
  failed: 'node-failed',
  skipped: 'node-skipped',
  retried: 'attempt-failed',
  released: 'node-released',
  stepped: 'step-recorded',
  slept: 'node-slept',
  awaited: 'node-awaited',
  expanded: 'map-expanded',
}
/** These happen to whoever is not called off. */
const CALLED_OFF = new Set(['failed', 'retried', 'released', 'slept', 'awaited', 'expanded', 'cancelled'])
const SETTLING = new Set(['succeeded', 'failed', 'skipped', 'cancelled'])

function judgeWitness(events: readonly RunEvent[], lines: readonly WitnessLine[], find: Find): void {
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
  const settled = new Set(
    committed.flatMap((line) => (SETTLING.has(line.outcome) ? [`${line.instanceId}\n${line.commitId}`] : [])),
  )
  for (const twice of doublesOf([...settled].map((each) => each.split('\n')[0] ?? ''))) {
    find('doubled', `${twice} was committed twice`)
  }
}

/** A cancel wins or loses. */
function isCalledOff(end: End, { kind }: Started): boolean {
  return end.status === 'cancelled' && kind.mayBeCancelled === true
}

function keyOf(
  what: string,
  { instanceId, fence }: { readonly instanceId: string; readonly fence?: number | undefined },
): string {
  return `${what} of ${instanceId} with fence ${fence}`
}

function isSame(left: unknown, right: unknown): boolean {
  return deepEqual(plain(left), plain(right))
}

/** Without what is undefined: JSON does not know it. */
function plain(value: unknown): JsonValue {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as JsonValue)
}

function doublesOf(keys: readonly string[]): readonly string[] {
  return keys.filter((key, index) => keys.indexOf(key) !== index)
}
