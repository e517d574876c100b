import { expect, it } from 'vitest'
import { InMemoryJobQueue } from '../memory/job-queue.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { BatonError } from '../model/errors.ts'
import { parseRunId } from '../model/ids.ts'
import { systemClock } from '../ports/clock.ts'
import { silentLogger } from '../ports/logger.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import { Courier } from './courier.ts'
import { Sweeper } from './sweep.ts'

const broken = parseRunId('broken')

/** Of one run it can tell nothing. */
class BrokenStore extends InMemoryRunStore {
  override notify(notice: Notice): NoticeResult {
    if (notice.runId === broken) throw new BatonError('STORE_UNAVAILABLE')
    return super.notify(notice)
  }
}

it('sees to all others where the deadline of one run cannot be recorded', async () => {
  let nowMs = 0
  const clock = { ...systemClock, now: () => nowMs }
  const store = new BrokenStore({ clock })
  const queue = new InMemoryJobQueue({ clock })
  const ports = { store, queue, clock, logger: silentLogger }
  const late = { kind: 'workflow', flowId: 'flow', starts: ['a'], deadlineMs: 10 } as const
  store.create({ ...late, runId: broken })
  store.create({ ...late, runId: parseRunId('late') })
  store.create({ ...late, runId: parseRunId('well'), deadlineMs: 1e9 })
  nowMs = 1e6

  const stopped: string[] = []
  const sweeper = new Sweeper({
    ...ports,
    courier: new Courier(ports),
    coordinationStore: undefined,
    workerId: 'w',
    sweepMs: 5_000,
    retentionMs: Number.POSITIVE_INFINITY,
    onStop: (runId) => void stopped.push(runId),
  })

  expect(await sweeper.sweep()).toBeGreaterThan(0)

  expect(stopped).toEqual(['late'])
  expect(store.summary(parseRunId('late'))?.status).toBe('failed')
})
