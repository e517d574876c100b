/**
 * What the simulator does to a store, done to files on a disk that loses, reorders and tears what was not synced.
 *
 * `BATON_CRASH_SEEDS` sets another number of lives, `BATON_CRASH_FROM` the first one.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Dice } from '@baton/testing/simulator'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestFolder, testFolder } from '../folder.ts'
import type { Leak } from './crashing-disk.ts'
import { type Life, liveOnFiles } from './simulated-life.ts'

const SEEDS = Number(process.env.BATON_CRASH_SEEDS ?? 100)
const FROM = Number(process.env.BATON_CRASH_FROM ?? 1)

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

async function lifeOf(seed: number, leak?: Leak): Promise<Life> {
  const own = join(folder.path, `${seed}`)
  const life = await liveOnFiles({ folder: own, seed, dice: new Dice(seed), crashes: 4, leak })
  rmSync(own, { recursive: true, force: true })
  return life
}

// Which file a descriptor is for is read from /proc.
describe.skipIf(process.platform !== 'linux')('a simulated life on a disk that fails (on Linux, for its /proc)', () => {
  it(`is the same as in memory, ${SEEDS} times`, { timeout: 60_000 + SEEDS * 2_000 }, async () => {
    let crashes = 0
    let calls = 0
    let others = 0
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const life = await lifeOf(seed)
      expect(life.mistake, `seed ${seed}`).toBeUndefined()
      crashes += life.crashes
      others += life.isAnother ? 1 : 0
      calls += life.calls
    }
    // Otherwise little would have been tried.
    expect(crashes).toBeGreaterThan(SEEDS)
    expect(calls).toBeGreaterThan(20 * SEEDS)
    expect(others).toBeLessThan(SEEDS / 10)
  })

  it.each(['file-syncs', 'folder-syncs', 'syncs-of-new-files'] as const)(
    'shows that something is left out: %s',
    { timeout: 120_000 },
    async (leak) => {
      for (let seed = 1; seed <= 100; seed++) if ((await lifeOf(seed, leak)).mistake !== undefined) return
      expect.fail('nothing was found')
    },
  )
})
