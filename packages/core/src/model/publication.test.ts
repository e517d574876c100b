import { expect, it } from 'vitest'
import type { RunEvent } from './event.ts'
import { parseRunId } from './ids.ts'
import {
  firstUnpublished,
  isBehind,
  keepForPublishing,
  notePublished,
  publishedKey,
  recentEvents,
} from './publication.ts'
import { RunState } from './run-state.ts'

const head = {
  runId: parseRunId('r'),
  kind: 'workflow',
  flowId: 'flow',
  tags: [],
  priority: 0,
  failFast: true,
  lineage: { rootRunId: parseRunId('r') },
  correlation: { traceId: 'r', spanId: 'r' },
  createdAtMs: 0,
} as const

function stateWith(events: number, publishJournal = true): RunState {
  const state = new RunState(publishJournal ? { ...head, publishJournal } : head)
  for (let seq = 1; seq <= events; seq++) {
    const event: RunEvent = { seq, atMs: seq, type: 'run-paused' }
    state.seq = seq
    if (state.publication !== undefined) keepForPublishing(state.publication, event)
  }
  return state
}

const seqs = (events: readonly RunEvent[] | undefined) => events?.map(({ seq }) => seq)

it('keeps the newest events, some hundreds of them, without a gap and to the last', () => {
  for (const count of [0, 1, 255, 511, 512, 513, 2_000]) {
    const state = stateWith(count)
    const kept = state.publication?.recent ?? []
    expect(kept.length).toBeLessThan(512)
    expect(kept.length).toBeGreaterThanOrEqual(Math.min(count, 256))
    expect(seqs(kept)).toEqual(kept.map((_, index) => count - kept.length + 1 + index))
  }
})

it('gives events from one on only where it has all of them', () => {
  const state = stateWith(1_000)
  expect(recentEvents(state, 1)).toBeUndefined()
  expect(seqs(recentEvents(state, 999))).toEqual([999, 1_000])
  expect(recentEvents(state, 1_001)).toEqual([])
  expect(recentEvents(stateWith(3, false), 2)).toBeUndefined()
})

it('goes on from the highest that was noted, and from none that is not there', () => {
  const state = stateWith(10)
  for (const key of ['journal:4', 'journal:2', 'journal:11', 'journal:x', 'journal:', 'start:r'])
    notePublished(state, key)
  expect(firstUnpublished(state)).toBe(5)
  expect(seqs(state.publication?.recent)).toEqual([5, 6, 7, 8, 9, 10])
  expect(isBehind(state)).toBe(true)
  notePublished(state, publishedKey(10))
  expect(isBehind(state)).toBe(false)
  expect(state.publication?.recent).toEqual([])
})

it('is nothing to a run that is not published', () => {
  const state = stateWith(10, false)
  notePublished(state, publishedKey(5))
  expect(state.publication).toBeUndefined()
  expect(isBehind(state)).toBe(false)
  expect(firstUnpublished(state)).toBe(11)
})
