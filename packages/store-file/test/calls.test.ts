/** What a commit costs in system calls: the table in the README. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FileRunStore } from '../src/run-store.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { claim, claimOf, newRun, step } from './runs.ts'

const names = ['writeSync', 'readSync', 'existsSync', 'statSync', 'fstatSync', 'openSync', 'linkSync'] as const

let folder: TestFolder
let store: FileRunStore

beforeEach(() => {
  folder = testFolder()
  store = new FileRunStore({ directory: folder.path, durability: 'process' })
})
afterEach(async () => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  await store.close()
  folder.remove()
})

/** The calls that were made meanwhile, by name. */
async function callsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const spies = names.map((name) => vi.spyOn(fs, name))
  syncBuiltinESMExports()
  await work()
  const counts = names.map((name, at): [string, number] => [name, spies[at]?.mock.calls.length ?? 0])
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

it('costs one write and one look for a commit and the claim of the next node, however long the run is', async () => {
  await store.create(newRun('a'))
  let held = await claim(store, 'a')
  for (let node = 0; node < 50; node++) {
    const calls = await callsOf(async () => {
      const result = await store.commit(step('a', held, { output: node, claimNext: true }))
      if (result.status === 'committed' && result.claim !== undefined) held = result.claim
    })
    expect(calls).toEqual({ writeSync: 1, readSync: 1, existsSync: 1 })
  }
  expect(held.instanceId).toBe('n50')
})

it('costs one look to refuse what somebody else has', async () => {
  await store.create(newRun('a'))
  await claim(store, 'a')

  const calls = await callsOf(async () => {
    expect(await store.claim(claimOf('a', 'n0', 'other'))).toMatchObject({ status: 'not-claimable' })
  })

  expect(calls).toEqual({ readSync: 1, existsSync: 1 })
})
