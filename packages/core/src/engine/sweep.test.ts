import { expect, it } from 'vitest'
import { InMemoryCoordinationStore } from '../memory/coordination-store.ts'
import { InMemoryJobQueue } from '../memory/job-queue.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { BatonError } from '../model/errors.ts'
import { parseRunId } from '../model/ids.ts'
import { type IClock, systemClock } from '../ports/clock.ts'
import { silentLogger } from '../ports/logger.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import type { DueQuery } from '../ports/run-store.ts'
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

it.each(['nobody', 'another'])(
  'warns of an outage once a minute, and of the next one at once, where the role is that of %s',
  async (owner) => {
    let nowMs = 0
    const clock = {
      ...systemClock,
      now: () => nowMs,
      after: (_: number, callback: () => void) => systemClock.after(1, callback),
    }
    let isDown = true
    const { store, coordinationStore } = portsWithOutages(clock, () => isDown)
    if (owner === 'another') coordinationStore.increment('baton/sweeper', 1)
    const warnings: string[] = []
    const logger = { log: (level: string, message: string) => void (level === 'warn' && warnings.push(message)) }
    const ports = { store, queue: new InMemoryJobQueue({ clock }), coordinationStore, clock, logger }
    const sweeper = new Sweeper({ ...ports, courier: new Courier(ports), workerId: 'w', sweepMs: 10, retentionMs: 1e9 })

    /** @returns what it warned of, over ten turns */
    async function turns(): Promise<readonly string[]> {
      const stop = new AbortController()
      let count = 0
      await sweeper.run(stop.signal, async () => {
        count += 1
        if (count === 10) stop.abort()
        store.due({ limit: 1 })
      })
      return warnings.splice(0)
    }
    const each = [
      'nobody knows who sweeps; sweeping all the same',
      'a sweep failed; the next one tries again',
      'a sweep failed; the next one tries again',
    ]

    expect(await turns()).toEqual(each)
    expect(await turns()).toEqual([])
    nowMs += 60_000
    expect(await turns()).toEqual(each)
    isDown = false
    expect(await turns()).toEqual([])
    isDown = true
    expect(new Set(await turns())).toEqual(new Set(each))
  },
)

function portsWithOutages(clock: IClock, isDown: () => boolean) {
  function whileUp<Value>(value: Value): Value {
    if (isDown()) throw new BatonError('STORE_UNAVAILABLE')
    return value
  }
  class Store extends InMemoryRunStore {
    override due(query: DueQuery) {
      return whileUp(super.due(query))
    }
  }
  class Locks extends InMemoryCoordinationStore {
    override compareAndSet(...asked: Parameters<InMemoryCoordinationStore['compareAndSet']>) {
      return whileUp(super.compareAndSet(...asked))
    }
    override setIfNotExist(...asked: Parameters<InMemoryCoordinationStore['setIfNotExist']>) {
      return whileUp(super.setIfNotExist(...asked))
    }
  }
  return { store: new Store({ clock }), coordinationStore: new Locks({ clock }) }
}

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
