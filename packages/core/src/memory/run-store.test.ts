import { expect, it } from 'vitest'
import type { RunEvent } from '../model/event.ts'
import type { RunId } from '../model/ids.ts'
import { InMemoryRunStore } from './run-store.ts'

it('has no event that is older than the one before it, when its clock is put back', async () => {
  let nowMs = 10_000
  const store = new InMemoryRunStore({ clock: { now: () => nowMs, after: () => () => {} } })
  const runId = 'r' as RunId
  store.create({ runId, kind: 'workflow', flowId: 'flow', starts: ['n'] })

  nowMs = 4_000
  store.notify({ type: 'signal', runId, name: 'news' })
  nowMs = 12_000
  store.notify({ type: 'cancel', runId, reason: 'enough' })

  const events: RunEvent[] = []
  for await (const event of store.journal(runId)) events.push(event)
  expect(events.map(({ atMs }) => atMs)).toEqual([10_000, 10_000, 12_000, 12_000])
})
