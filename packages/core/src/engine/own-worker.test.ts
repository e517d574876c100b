import { expect, it } from 'vitest'
import { InMemoryJobQueue } from '../memory/job-queue.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { parseRunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import { type Job, parseJob } from '../ports/job-queue.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { type Place, placeFor, sendJobs, type TakesJobs, takesFrom } from './own-worker.ts'

const run: NewRun = { runId: parseRunId('r'), kind: 'workflow', flowId: 'f', starts: ['n'] }
const jobs: readonly Job[] = ['a', 'b', 'c'].map((nodeId) =>
  parseJob({ runId: 'r', blueprintId: 'f', nodeId, instanceId: nodeId, dispatch: 0 }),
)

/** Takes as many jobs as it has places. */
function workerWith(places: number, store: IRunStore) {
  const taken: string[] = []
  const place = {} as Place
  const worker: TakesJobs = {
    store,
    placeFor: () => (places > 0 ? place : undefined),
    offer(offered) {
      taken.push(...offered.slice(0, places).map(({ nodeId }) => nodeId))
      return offered.slice(places)
    },
  }
  return { worker, taken, place }
}

it('workers of one queue and store are offered work one after the other, and the rest goes to the queue', async () => {
  const store = new InMemoryRunStore()
  const queue = new InMemoryJobQueue()
  const ports = { store, queue }
  const full = workerWith(0, store)
  const foreign = workerWith(9, new InMemoryRunStore())
  const first = workerWith(1, store)
  const last = workerWith(1, store)
  const ends = [full, foreign, first, last].map(({ worker }) => takesFrom(queue, worker))

  expect(placeFor(ports, run)).toBe(first.place)
  await sendJobs(ports, jobs)
  expect([full.taken, foreign.taken, first.taken, last.taken]).toEqual([[], [], ['a'], ['b']])

  ends[3]?.()
  await sendJobs(ports, jobs)
  expect([first.taken, last.taken]).toEqual([['a', 'a'], ['b']])

  for (const end of ends) end()
  expect(placeFor(ports, run)).toBeUndefined()
})
