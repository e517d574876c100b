/** Notes, large values and settings, each file hurt at every byte: made again, or reported. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileRunStoreOptions } from '../../src/options.ts'
import { Paths } from '../../src/paths.ts'
import type { FileRunStore } from '../../src/run-store.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { withoutSyncs } from '../no-syncs.ts'
import { id, newRun, runLine } from '../runs.ts'
import { onEach, ways } from './hurt.ts'
import { withStore } from './with-store.ts'

let folder: TestFolder
let paths: Paths
let syncAgain: () => void
beforeEach(() => {
  syncAgain = withoutSyncs()
  folder = testFolder()
  paths = new Paths(folder.path)
})
afterEach(() => {
  folder.remove()
  syncAgain()
})

function inStore<Result>(
  work: (store: FileRunStore) => Promise<Result>,
  options: Partial<FileRunStoreOptions> = {},
): Promise<Result> {
  return withStore({ directory: folder.path, ...options }, work)
}

describe.each(ways)('the notes about ended runs, $what at any byte', ({ hurts }) => {
  it('change nothing in a list', { timeout: 180_000 }, async () => {
    await inStore(async (store) => {
      for (const runId of ['a', 'b']) await runLine(store, runId, 1)
      await store.create(newRun('c'))
    })
    const list = () => inStore((store) => store.list())
    const expected = await list()
    expect(expected.runs).toHaveLength(3)

    await onEach(paths.notes, hurts(readFileSync(paths.notes)), async () => {
      expect(await list()).toEqual(expected)
    })
  })
})

describe.each(ways)('a large value, $what at any byte', ({ hurts }) => {
  it('is reported by its name, and so is the run', { timeout: 180_000 }, async () => {
    await inStore((store) => store.create(newRun('a', { input: 'x'.repeat(300) })), { inlineMaxBytes: 256 })
    const { blobs } = paths.run(id('a'))
    const [name = ''] = readdirSync(blobs)
    const path = join(blobs, name)

    await onEach(path, hurts(readFileSync(path)), async () => {
      await expect(inStore((store) => store.load(id('a')))).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining(path),
      })
    })
  })
})

describe.each(ways)('the settings of a folder, $what at any byte', ({ hurts }) => {
  it('are what they were, or the folder is not opened', { timeout: 180_000 }, async () => {
    await inStore((store) => store.create(newRun('a')))

    await onEach(paths.settings, hurts(readFileSync(paths.settings)), async () => {
      try {
        expect(await inStore(async (store) => store.durability)).toBe('power')
      } catch (error) {
        expect(['STORE_CORRUPT', 'INVALID_OPTION']).toContain((error as { code?: string }).code)
        expect((error as Error).message).toContain(folder.path)
      }
    })
  })
})
