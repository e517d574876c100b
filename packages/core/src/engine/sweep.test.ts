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

it('looks into the store, and says so once, where the queue takes no jobs', async () => {
  let nowMs = 0
  const clock = {
    ...systemClock,
    now: () => nowMs,
    after: (_: number, callback: () => void) => systemClock.after(1, callback),
  }
  const store = new InMemoryRunStore({ clock })
  const queue = new InMemoryJobQueue({ clock })
  queue.enqueue = () => Promise.reject(new BatonError('QUEUE_UNAVAILABLE'))
  const said: string[] = []
  const logger = { log: (level: string, message: string) => void said.push(`${level} ${message}`) }
  const ports = { store, queue, clock, logger }
  store.create({ kind: 'workflow', flowId: 'flow', starts: ['a'], runId: parseRunId('run') })
  nowMs = 1e6
  const sweeper = new Sweeper({
    ...ports,
    courier: new Courier(ports),
    coordinationStore: undefined,
    workerId: 'w',
    sweepMs: 10,
    retentionMs: Number.POSITIVE_INFINITY,
  })

  const stop = new AbortController()
  let looks = 0
  await sweeper.run(stop.signal, async () => {
    looks += 1
    if (looks === 5) stop.abort()
  })

  expect(said.filter((line) => line.startsWith('warn'))).toEqual([
    'warn the queue takes no jobs; workers look into the store',
  ])
})
