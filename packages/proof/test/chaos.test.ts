/** `npm run chaos` in short, and what it says about stores that break a promise. */
import { join } from 'node:path'
import type { IRunStore } from '@baton/core'
import type { NewRun } from '@baton/core/adapter'
import { houseProgram } from '@baton/services'
import { expect, it } from 'vitest'
import type { Backend } from '../src/chaos/backend.ts'
import { backend as fileBackend } from '../src/chaos/backends/file.ts'
import { type ChaosOptions, type ChaosResult, chaos } from '../src/chaos/chaos.ts'
import { withMethods } from '../src/chaos/watched-store.ts'

const able = houseProgram(join(import.meta.dirname, '../src/chaos/worker.ts'))

function shortChaos(options: Partial<ChaosOptions> & { readonly kills: number }): Promise<ChaosResult> {
  return chaos({ backend: fileBackend, seed: 1, worker: able, ...options })
}

it('files: nothing is lost, doubled or stuck while workers are killed and frozen', { timeout: 300_000 }, async () => {
  const result = await shortChaos({ kills: 25 })

  expect(result).toMatchObject({ kills: 25, findings: [], lost: 0, doubled: 0, stuck: 0, serverRestarts: 0 })
  // Otherwise little would have been tried.
  expect(result.zombies).toBeGreaterThanOrEqual(8)
  expect(result.runs).toBeGreaterThan(100)
  expect(result.recovery.count).toBeGreaterThan(0)
  expect(result.judged).toBeGreaterThan(1.2 * result.runs)
  for (const count of Object.values(result.operators)) expect(count).toBeGreaterThan(0)
})

it('a store that does not look at fences is found out', { timeout: 300_000 }, async () => {
  const worker = {
    file: join(import.meta.dirname, 'children/unfenced-worker.ts'),
    nodeFlags: ['--conditions=@baton/source', '--import', 'tsx'],
  }

  // A zombie has to be in the middle of a node, and not about to renew its lease: not each is.
  const seeds = [1, 2, 3, 4]
  let doubled = 0
  for (let seed = seeds.shift(); doubled === 0 && seed !== undefined; seed = seeds.shift()) {
    doubled = (await shortChaos({ seed, kills: 3, zombiesPerKill: 2, worker })).doubled
  }

  expect(doubled).toBeGreaterThan(0)
})

it('a store that forgets a start is found out, and servers are restarted where there are some', {
  timeout: 300_000,
}, async () => {
  let restarts = 0
  const restart = async () => void restarts++
  const withServer: Backend = {
    ...fileBackend,
    prepare: async () => ({ ...(await fileBackend.prepare()), servers: [{ restart }] }),
  }
  const forgotten = new Set<string>()
  const forgetful = (store: IRunStore): IRunStore =>
    withMethods(store, {
      async create(run: NewRun) {
        if (forgotten.size > 2) return store.create(run)
        forgotten.add(run.runId)
        return { status: 'created' }
      },
    })

  const result = await shortChaos({ kills: 1, spoilt: forgetful, backend: withServer })

  expect([result.serverRestarts, restarts]).toEqual([1, 1])
  expect(result.lost).toBe(forgotten.size)
  expect(result.findings.map(({ runId }) => runId)).toEqual([...forgotten])
})
