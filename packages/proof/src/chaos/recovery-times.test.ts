import type { RunEvent } from '@baton/core'
import { expect, it } from 'vitest'
import { Recoveries } from './recovery-times.ts'

const lost = (atMs: number) => ({ type: 'node-lost', workerId: 'w1', atMs }) as RunEvent
const lifted = (atMs: number) => ({ type: 'run-pause-lifted', atMs }) as RunEvent

it('counts from the death of a worker until somebody else has its work, but not what was on hold', () => {
  const recoveries = new Recoveries([{ workerId: 'w1', atMs: 1_000 }])

  recoveries.take([lost(2_500)])
  recoveries.take([lifted(900), lost(1_700)])
  recoveries.take([lifted(9_000), lost(9_001)])
  // Its lease had run out before.
  recoveries.take([lost(800)])

  expect(recoveries.times()).toEqual({ count: 2, p50Ms: 1_500, p99Ms: 1_500, maxMs: 1_500 })
})
