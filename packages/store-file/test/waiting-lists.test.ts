/** What only files have of the waiting lists: markers, their loss, and the hint between processes. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FileRunStoreOptions } from '../src/options.ts'
import { Paths } from '../src/paths.ts'
import { FileRunStore } from '../src/run-store.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { claim, id, newRun } from './runs.ts'

let folder: TestFolder
let paths: Paths
const stores: FileRunStore[] = []

beforeEach(() => {
  folder = testFolder()
  paths = new Paths(folder.path)
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  folder.remove()
})

function open(options: Partial<FileRunStoreOptions> = {}): FileRunStore {
  const store = new FileRunStore({ directory: folder.path, ...options })
  stores.push(store)
  return store
}

const LIST = { flowId: 'flow', version: 'V1' }
const marker = (runId: string) => join(paths.waiting, 'flow', '@v1=8', runId)
const due = (store: FileRunStore) => store.due({ limit: 10, flows: [LIST], enlisted: true })
const runsIn = async (store: FileRunStore) => (await due(store)).map(({ runId }) => runId)
const buckets = () => readdirSync(paths.due).filter((name) => /^\d+$/.test(name))

async function enlisted(store: FileRunStore, runId: string): Promise<void> {
  await store.create({ ...newRun(runId), ...LIST })
  expect(await store.enlist({ runId: id(runId), instanceId: 'n0' })).toEqual({ status: 'enlisted' })
}

it('keeps a run that waits for a version out of the sight of every sweep', async () => {
  const store = open()
  await enlisted(store, 'r')

  expect(await store.due({ limit: 10 })).toEqual([])

  expect(buckets()).toEqual([])
  expect(existsSync(marker('r'))).toBe(true)
})

it('takes the marker of a run away that waits no more, and of one that is gone', async () => {
  const store = open()
  await enlisted(store, 'r')
  await enlisted(store, 'gone')
  await claim(store, 'r')
  rmSync(paths.run(id('gone')).log)

  expect(await runsIn(open())).toEqual([])

  expect([existsSync(marker('r')), existsSync(marker('gone'))]).toEqual([false, false])
})

it('puts a marker back that a power cut has taken', async () => {
  await enlisted(open(), 'r')
  rmSync(marker('r'))
  const store = open()
  expect(await runsIn(store)).toEqual([])

  // The first sweep of a store sets out to look at all of them.
  await store.due({ limit: 10 })
  while (!existsSync(marker('r'))) await setImmediate()

  expect(await runsIn(store)).toEqual(['r'])
})

it('wakes another store of the folder that has the version, and nobody else', async () => {
  const here = open()
  const there = open()
  let wrong = 0
  const stop = there.onEnlisted([{ flowId: 'other', version: 'V1' }], () => {
    wrong += 1
  })
  const woken = new Promise<void>((resolve) => there.onEnlisted([LIST], resolve))

  await enlisted(here, 'r')

  await woken
  expect(await runsIn(there)).toEqual(['r'])
  expect(wrong).toBe(0)
  stop()
})
