/**
 * The store on a disk that loses, reorders and tears what was not synced: short random lives, each cut at a random call to
 * the file system, and half of them again while the next process recovers.
 *
 * `BATON_CRASH_SEEDS` sets another number of lives, `BATON_CRASH_FROM` the first one.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Dice } from '@baton/testing/simulator'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileDurability } from '../../src/options.ts'
import { FileRunStore } from '../../src/run-store.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { type TestClock, testClock } from '../test-clock.ts'
import { expectSound, openAfter, startAgain } from './after-crash.ts'
import { CrashingDisk } from './crashing-disk.ts'
import { type Told, Workload } from './workload.ts'

const SEEDS = Number(process.env.BATON_CRASH_SEEDS ?? 150)
const FROM = Number(process.env.BATON_CRASH_FROM ?? 1)

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

/** The folder as the power left it, and what had been told by then. */
interface Crash {
  readonly told: readonly Told[]
  readonly doomed: ReadonlySet<string>
}

interface Luck {
  readonly dice: Dice
  readonly clock: TestClock
  readonly durability: FileDurability
}

/** @returns undefined when it was over before the power failed */
async function crashOfLife(
  origin: string,
  image: string,
  { dice, clock, durability }: Luck,
): Promise<Crash | undefined> {
  await new FileRunStore({ directory: origin, durability }).close()
  let crash: Crash | undefined
  let calls = 0
  let workload: Workload | undefined
  const crashAt = dice.between(10, 250)
  const disk = new CrashingDisk(origin, () => {
    if (++calls !== crashAt || workload === undefined) return
    disk.image(image, dice)
    crash = { told: [...workload.told], doomed: new Set(workload.doomed) }
  })
  disk.install()
  try {
    workload = new Workload(origin, dice, clock)
    await workload.live(dice.between(5, 30))
    await workload.close()
  } finally {
    disk.uninstall()
  }
  return crash
}

/** The power fails again while somebody recovers. @returns where to go on from */
async function crashOfRecovery(image: string, again: string, dice: Dice, clock: TestClock): Promise<string> {
  let calls = 0
  const crashAt = dice.between(1, 30)
  const disk = new CrashingDisk(image, () => {
    if (++calls === crashAt) disk.image(again, dice)
  })
  disk.install()
  try {
    const store = openAfter(image, clock)
    await store.list()
    await store.close()
  } finally {
    disk.uninstall()
  }
  return calls < crashAt ? image : again
}

async function liveAndCrash(seed: number, durability: FileDurability): Promise<boolean> {
  const dice = new Dice(seed)
  const clock = testClock(Date.now())
  const [origin, image, again] = ['origin', 'image', 'again'].map((name) => join(folder.path, `${seed}`, name)) as [
    string,
    string,
    string,
  ]
  const crash = await crashOfLife(origin, image, { dice, clock, durability })
  if (crash === undefined) return false
  startAgain(image)
  // Whoever held something is gone.
  clock.advance(3_600_000)
  const left = dice.happens(0.5) ? await crashOfRecovery(image, again, dice, clock) : image
  if (left === again) startAgain(left)
  await expectSound(left, crash.told, crash.doomed, clock)
  rmSync(join(folder.path, `${seed}`), { recursive: true })
  return true
}

// Which file a descriptor is for is read from /proc.
describe.skipIf(process.platform !== 'linux')('a power cut at any call (on Linux, for its /proc)', () => {
  it(`leaves what was acknowledged, once and whole, ${SEEDS} times`, { timeout: 60_000 + SEEDS * 500 }, async () => {
    let crashes = 0
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const crashed = await liveAndCrash(seed, 'power').catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      })
      if (crashed) crashes += 1
    }
    // Otherwise little would have been tried.
    expect(crashes).toBeGreaterThan(SEEDS / 3)
  })

  it('takes what was acknowledged from a folder that need not survive it', { timeout: 60_000 }, async () => {
    let found = 0
    for (let seed = 1; seed <= 20; seed++) await liveAndCrash(seed, 'process').catch(() => (found += 1))
    expect(found).toBeGreaterThan(3)
  })
})
