import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createFlow,
  InMemoryAdapter,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  type IRunStore,
  type NodeArguments,
} from '@baton/core'
import { FileRunStore } from '@baton/store-file'
import { around, settled, TestClock } from '@baton/testing'
import { expect, it, onTestFinished } from 'vitest'
import { Schedules, withSchedules } from '../src/index.ts'
import { HOUR } from './world.ts'

const report = createFlow<string>('report').node('write', ({ input }: NodeArguments<string>) => ({ output: input }))

/** Calls of the store that have not been answered: time stands still until the disk has done its part. */
class Disk {
  #open = 0

  watch(store: IRunStore): IRunStore {
    return around(store, (_method, call) => {
      const answer = call()
      if (typeof (answer as Promise<unknown> | undefined)?.then !== 'function') return answer
      this.#open += 1
      const over = () => {
        this.#open -= 1
      }
      ;(answer as Promise<unknown>).then(over, over)
      return answer
    })
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      await settled()
      if (this.#open > 0) quiet = 0
    }
  }
}

it('goes on where it was when its store, on files, is opened again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'baton-schedule-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const disk = new Disk()
  const clock = new TestClock({ nowMs: Date.UTC(2026, 0, 5, 9), settle: () => disk.settle() })

  /** A process on the folder, for so long. */
  const live = async (hours: number) => {
    const store = disk.watch(new FileRunStore({ directory, clock, durability: 'process' }))
    const queue = new InMemoryJobQueue({ clock })
    const coordinationStore = new InMemoryCoordinationStore({ clock })
    const runtimeOptions = { flows: withSchedules([report]) }
    const worker = new InMemoryAdapter({ store, queue, coordinationStore, clock, runtimeOptions, sweepMs: HOUR })
    const schedules = new Schedules({ store, queue, clock })
    // As a program does whenever it starts.
    await schedules.create({ id: 's', flow: report, input: 'x', everyMs: HOUR, catchUp: 'all' })
    worker.start()
    await clock.advance(hours * HOUR)
    const view = await schedules.get('s')
    const { runs } = await store.list({ tag: 'schedule:s', limit: 1_000 })
    await clock.until(worker.close())
    return { view, runIds: runs.map(({ runId }) => runId).reverse() }
  }

  const first = await live(55.5)
  const second = await live(55)

  expect(first.view).toMatchObject({ status: 'active', startedCount: 55 })
  expect(second.view).toMatchObject({ status: 'active', startedCount: 110, skippedCount: 0 })
  expect(new Set(second.runIds).size).toBe(110)
  // It has gone on as a new run meanwhile.
  expect(second.view.keeperRunId).toBe('schedule:s')
}, 120_000)
