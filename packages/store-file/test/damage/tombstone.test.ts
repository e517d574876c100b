/** Tombstones, hurt at every byte: no purged run comes back because of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileRunStoreOptions } from '../../src/options.ts'
import { Paths } from '../../src/paths.ts'
import type { FileRunStore } from '../../src/run-store.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { withoutSyncs } from '../no-syncs.ts'
import { id, newRun, runLine } from '../runs.ts'
import { testClock } from '../test-clock.ts'
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
  options: Partial<FileRunStoreOptions>,
): Promise<Result> {
  return withStore({ directory: folder.path, ...options }, work)
}

describe.each(ways)('a tombstone, $what at any byte', ({ hurts }) => {
  it('keeps the id of a purged run from use', { timeout: 180_000 }, async () => {
    const clock = testClock(Date.now())
    await inStore(
      async (store) => {
        await runLine(store, 'a', 1)
        expect(await store.purge({ endedBeforeMs: clock.now() + 1_000 })).toBe(1)
      },
      { clock },
    )
    clock.advance(86_400_000)
    const tombstone = paths.tombstone(id('a'))

    await onEach(tombstone, hurts(readFileSync(tombstone)), async () => {
      const answer = await inStore((store) => store.create(newRun('a')), { clock })
      expect(answer).toEqual({ status: 'purged' })
    })
  })

  it('is found by those who tidy up only when it is over', { timeout: 180_000 }, async () => {
    const clock = testClock(Date.now())
    await inStore(
      async (store) => {
        await runLine(store, 'a', 1)
        await store.purge({ endedBeforeMs: clock.now() + 1_000 })
      },
      { clock },
    )
    const [day = ''] = readdirSync(join(paths.tombstones, '~days'))
    const list = join(paths.tombstones, '~days', day)
    // The list is due, and what is in it is not.
    const early = join(paths.tombstones, '~days', '1')

    await onEach(early, hurts(readFileSync(list)), async () => {
      await inStore((store) => store.purge({ endedBeforeMs: 0 }), { clock })
      expect(await inStore((store) => store.create(newRun('a')), { clock })).toEqual({ status: 'purged' })
    })
  })
})
