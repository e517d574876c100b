/** What must be true of a folder after a crash, and of everything that goes on in it. */
import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { isTerminal, type RunEvent, type RunRecord } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import { expect } from 'vitest'
import { FileCoordinationStore } from '../../src/coordination-store.ts'
import { FileRunStore } from '../../src/run-store.ts'
import { claimOf, id, newRun, step } from '../runs.ts'
import type { TestClock } from '../test-clock.ts'
import { INLINE_BYTES, LAST_NODE, type Told } from './workload.ts'

const FATE = /^node-(succeeded|failed|skipped|cancelled)$/

/** The machine was started again since: whoever wrote a redo log is gone. */
export function startAgain(directory: string): void {
  const redo = join(directory, 'redo')
  for (const name of readdirSync(redo)) renameSync(join(redo, name), join(redo, name.replace(/^[^.]+/, 'ffff')))
}

export function openAfter(directory: string, clock: TestClock): FileRunStore {
  return new FileRunStore({ directory, clock, inlineMaxBytes: INLINE_BYTES })
}

/** @param doomed runs that were being purged */
export async function expectSound(
  directory: string,
  told: readonly Told[],
  doomed: ReadonlySet<string>,
  clock: TestClock,
): Promise<void> {
  const store = openAfter(directory, clock)
  const runIds = new Set(told.flatMap((each) => ('runId' in each ? [each.runId] : [])))
  for (const runId of runIds) {
    const ofRun = told.filter((each) => 'runId' in each && each.runId === runId)
    if (ofRun.some(({ what }) => what === 'purged')) {
      expect(await store.load(id(runId))).toBeUndefined()
      expect(await store.create(newRun(runId))).toEqual({ status: 'purged' })
      continue
    }
    const events = await journalOf(store, runId, doomed.has(runId))
    if (events === undefined) {
      // The purge had come so far that it is gone for everybody.
      expect(await store.create(newRun(runId))).toEqual({ status: 'purged' })
      continue
    }
    for (const each of ofRun) expectTold(each, events)
    await finish(store, runId)
  }
  await store.close()
  const next = openAfter(directory, clock)
  for (const runId of runIds) await journalOf(next, runId, true)
  await next.close()
  await expectCounted(directory, told, clock)
}

/** The journal of a run that has none of the faults that a journal can have. @returns undefined when it is not there */
async function journalOf(store: FileRunStore, runId: string, mayBeGone: boolean): Promise<RunEvent[] | undefined> {
  const record: RunRecord | undefined = await store.load(id(runId))
  if (record === undefined && mayBeGone) return undefined
  expect(record, `${runId} is not there`).toBeDefined()
  const events: RunEvent[] = []
  for await (const event of store.journal(id(runId))) events.push(event)
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  const state = foldJournal(events)
  expect(state && recordOf(state)).toEqual(record)
  const fates = events.flatMap((event) => (FATE.test(event.type) && 'instanceId' in event ? [event.instanceId] : []))
  expect(fates).toEqual([...new Set(fates)])
  expect(record?.context.count ?? 0).toBe(events.filter(({ type }) => type === 'node-succeeded').length)
  return events
}

function expectTold(told: Told, events: readonly RunEvent[]): void {
  switch (told.what) {
    case 'created':
      return expect(events[0]).toMatchObject({ type: 'run-started', input: told.input })
    case 'committed': {
      const { instanceId, fence } = told
      const found = events.filter((event) => event.type === 'node-succeeded' && event.instanceId === instanceId)
      return expect(found).toMatchObject([{ fence }])
    }
    case 'signalled': {
      const found = events.filter((event) => event.type === 'signal-received' && event.signalId === told.signalId)
      return expect(found).toHaveLength(1)
    }
    case 'ended':
      return expect(events.at(-1)?.type).toBe(`run-${told.status}`)
    default:
      return
  }
}

/** Whatever is left to do can be done. */
async function finish(store: FileRunStore, runId: string): Promise<void> {
  for (let node = 0; node <= LAST_NODE; node++) {
    const [item] = await store.due({ limit: 1, runId: id(runId) })
    if (item?.type !== 'instance') break
    const { instanceId } = item
    const result = await store.claim(claimOf(runId, instanceId))
    if (result.status !== 'claimed') throw new Error(`claim of ${runId}/${instanceId}: ${result.status}`)
    const last = instanceId === `n${LAST_NODE}`
    const deltas = [{ op: 'increment', key: 'count', by: 1 } as const]
    const commitId = `after-${instanceId}-${result.claim.fence}`
    const answer = await store.commit(step(runId, result.claim, { last, deltas, commitId }))
    if (answer.status !== 'committed') throw new Error(`commit of ${runId}/${instanceId}: ${answer.status}`)
  }
  const status = (await store.summary(id(runId)))?.status
  expect(status !== undefined && isTerminal(status), `${runId} is ${status}`).toBe(true)
}

async function expectCounted(directory: string, told: readonly Told[], clock: TestClock): Promise<void> {
  const sums = told.flatMap((each) => (each.what === 'counted' ? [each.sum] : []))
  expect(new Set(sums).size).toBe(sums.length)
  const store = new FileCoordinationStore({ directory, clock })
  expect(await store.increment('counter')).toBeGreaterThan(Math.max(0, ...sums))
  await store.close()
}
