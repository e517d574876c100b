import { JsonSerializer, type RunHandle, type RunRecord } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import { Crew, eventsOf, Stage, type Subject } from '@baton/testing'
import { describe, expect, it } from 'vitest'
import { type Expected, type Scenario, scenarios } from '../src/scenario.ts'

const WITHIN_MS = 30_000

/** Registers every scenario with vitest: a client starts it, two workers of two processes carry it out. */
export function runScenarios(subject: Subject): void {
  describe(`scenarios on ${subject.name}`, () => {
    for (const scenario of scenarios) {
      it(scenario.name, { concurrent: subject.sideBySide === true, timeout: 60_000 }, () =>
        runScenario(subject, scenario),
      )
    }
  })
}

async function runScenario(subject: Subject, scenario: Scenario): Promise<void> {
  const { tickMs } = subject
  const times = { redispatchMs: 20 * tickMs, redispatchMaxMs: 80 * tickMs, visibilityMs: 200 * tickMs }
  await using world = await subject.create(times)
  const stage = new Stage(subject, world)
  await using crew = new Crew(stage, scenario.flow(), ...(scenario.children ?? []))
  crew.worker()
  crew.worker({ world: await world.reopen() })

  // The one who starts it is gone when it runs: nothing is kept but what is in the store.
  const { runId } = await crew.client.start(scenario.flow().toBlueprint().id, scenario.input, scenario.start)
  const handle = crew.clientOf().get(runId)
  await scenario.drive?.(handle, stage)
  const result = await crew.outcome(handle, WITHIN_MS)

  const { status, output, error } = scenario.expect
  expect({ status: result.status, error: 'error' in result ? result.error : undefined }).toMatchObject({ status })
  if (result.status === 'completed') expect(result.output).toEqual(output)
  if (result.status === 'failed') expect(result.error).toMatchObject({ ...error })
  const latest = await handle.latest()
  await checkRecord(await latest.record(), scenario.expect)
  await checkJournal(latest, stage)
  if (latest !== handle) await checkJournal(handle, stage)
}

const serializer = new JsonSerializer()

function checkRecord(record: RunRecord, { context = {}, instances = {} }: Expected): void {
  for (const [key, value] of Object.entries(context)) {
    expect(serializer.decode(record.context[key] ?? null), `context.${key}`).toEqual(value)
  }
  const statuses = new Map(record.instances.map(({ instanceId, status }) => [instanceId, status]))
  for (const [id, status] of Object.entries(instances)) expect(statuses.get(id), `the end of ${id}`).toBe(status)
}

const FATES = new Set(['node-succeeded', 'node-failed', 'node-skipped', 'node-cancelled'])

/** What holds for every run of every flow. */
async function checkJournal(handle: RunHandle, stage: Stage): Promise<void> {
  const journal = await eventsOf(stage.store, handle.runId)
  expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
  const folded = foldJournal(journal)
  // What a first run was told of later ones is in no journal.
  const { newestRunId: _, ...record } = await handle.record()
  expect(folded && recordOf(folded)).toEqual(record)
  const settled = new Set<string | undefined>()
  for (const event of journal) {
    // An operator may have what failed done over.
    if (event.type === 'node-reopened') for (const id of [event.instanceId, ...event.undone]) settled.delete(id)
    if (!FATES.has(event.type) || !('instanceId' in event)) continue
    expect(settled.has(event.instanceId), `${event.instanceId} settled twice`).toBe(false)
    settled.add(event.instanceId)
  }
  const ends = journal.filter(({ type }) => /^run-(completed|failed|cancelled)$/.test(type))
  expect(ends).toEqual([journal.at(-1)])
}
