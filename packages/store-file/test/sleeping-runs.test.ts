/** A sweep costs what is due, not what exists: counted in system calls and in bytes. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Paths } from '../src/paths.ts'
import { FileRunStore } from '../src/run-store.ts'
import { Sweep } from '../src/sweep.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { claim, id, newRun } from './runs.ts'
import { testClock } from './test-clock.ts'

const DUE = 10
const FEW = 100
const MANY = 100_000
const HOUR_MS = 3_600_000

const names = (Object.keys(fs) as (keyof typeof fs)[]).filter(
  (name) => typeof fs[name] === 'function' && /Sync$|^(unlink|readdir|open|stat|rm)$/.test(name),
)

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  folder.remove()
  // Two hundred thousand names to remove.
}, 120_000)

/** What the work asks of the system: calls by name, bytes that were read, names that were listed. */
async function costOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const spies = names.map((name) => vi.spyOn(fs, name as 'readSync'))
  syncBuiltinESMExports()
  await work()
  const cost: Record<string, number> = {}
  for (const [at, name] of names.entries()) {
    const { calls, results } = (spies[at] as (typeof spies)[number]).mock
    if (calls.length > 0) cost[name] = calls.length
    if (name === 'readSync') cost.bytesRead = results.reduce((sum, { value }) => sum + Number(value), 0)
    if (name === 'readdirSync') {
      cost.namesListed = results.reduce(
        (sum, { value }) => sum + ((value as unknown as string[] | undefined)?.length ?? 0),
        0,
      )
    }
  }
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  return cost
}

interface Sleeper {
  readonly name: string
  readonly atMs: number
}

/** Puts a run to sleep, as a worker would. */
async function putToSleep(store: FileRunStore, runId: string, wakeAtMs: number): Promise<void> {
  await store.create(newRun(runId))
  const { fence } = await claim(store, runId)
  const step = { position: 0, kind: 'sleep', name: 'sleep' } as const
  const outcome = { type: 'slept', step, wakeAtMs } as const
  await store.commit({ runId: id(runId), instanceId: 'n0', fence, commitId: 'slept', outcome })
}

/**
 * More files in the folder, as many as sleeping runs would be. Each is a link, because links are made quickly: a log to
 * that of one of those who sleep, a marker to an empty file.
 */
function multiply(directory: string, asleep: readonly Sleeper[], count: number): void {
  const paths = new Paths(directory)
  for (const shard of '0123456789abcdef') fs.mkdirSync(join(paths.runs, shard), { recursive: true })
  const markerOf = (atMs: number) => join(directory, '..', `marker-${atMs}`)
  for (const { atMs } of asleep) fs.writeFileSync(markerOf(atMs), '')
  for (let index = asleep.length; index < count; index++) {
    const { name, atMs } = asleep[index % asleep.length] as Sleeper
    const run = paths.run(id(`copy-${index}`))
    fs.linkSync(paths.run(id(name)).log, run.log)
    fs.linkSync(markerOf(atMs), join(paths.bucket(atMs), run.name))
  }
}

async function measure(sleeping: number): Promise<{ idle: object; woken: object }> {
  const directory = join(folder.path, String(sleeping))
  const clock = testClock()
  const store = new FileRunStore({ directory, durability: 'process', clock, repairMs: 1e15 })
  // Looks for lost markers once, while there are no runs: that costs what exists.
  await store.due({ limit: 200 })
  const asleep = Array.from({ length: FEW }, (_, index) => ({
    name: `asleep-${index}`,
    atMs: Math.ceil(clock.now() / HOUR_MS + 2 + index) * HOUR_MS,
  }))
  for (const { name, atMs } of asleep) await putToSleep(store, name, atMs)
  for (let index = 0; index < DUE; index++) await putToSleep(store, `short-${index}`, clock.now() + 90_000)
  // Their markers still lie where their creation put them.
  await store.due({ limit: 200 })
  clock.advance(1_000)
  await store.due({ limit: 200 })
  multiply(directory, asleep, sleeping)

  const idle = await costOf(() => Promise.resolve(store.due({ limit: 200, unsentOnly: true })))
  clock.advance(120_000)
  const woken = await costOf(async () => {
    expect(await store.due({ limit: 200, unsentOnly: true })).toHaveLength(DUE)
  })
  await store.close()
  return { idle, woken }
}

it(`asks the system for the same with ${MANY} runs asleep as with ${FEW}`, { timeout: 180_000 }, async () => {
  const few = await measure(FEW)
  const many = await measure(MANY)

  expect(many).toEqual(few)
  expect(few.idle).toEqual({ readdirSync: 1, namesListed: expect.any(Number), bytesRead: 0 })
  // One look at the buckets, one into the bucket, and per run that is due a look at its log and a new marker.
  expect(few.woken).toMatchObject({ readdirSync: 2, readSync: DUE, writeSync: DUE, unlinkSync: DUE })
})

it('looks for lost markers without reading what it has read before', { timeout: 60_000 }, async () => {
  const clock = testClock()
  const options = { directory: folder.path, durability: 'process', clock, repairMs: 300_000 } as const
  const [writer, store] = [
    new FileRunStore({ ...options, repairMs: 1e15 }),
    new FileRunStore({ ...options, cachedRuns: 10 }),
  ]
  const wakeAtMs = clock.now() + 1_000 * HOUR_MS
  for (let index = 0; index < FEW; index++) await putToSleep(writer, `asleep-${index}`, wakeAtMs)
  await writer.due({ limit: 200 })
  clock.advance(10_000)
  await writer.due({ limit: 200 })
  const [bucket = ''] = fs.readdirSync(new Paths(folder.path).due).filter((name) => /^\d+$/.test(name))
  const marker = join(folder.path, 'due', bucket, 'asleep-7')
  const repair = async () => {
    clock.advance(300_000)
    return costOf(async () => {
      const repairs = vi.spyOn(Sweep.prototype, 'repair')
      await store.due({ limit: 200 })
      await repairs.mock.results[0]?.value
    })
  }

  expect((await repair()).readSync).toBeGreaterThanOrEqual(FEW)
  expect(await repair()).not.toHaveProperty('readSync')
  fs.rmSync(marker)
  expect((await repair()).readSync).toBeLessThan(5)
  expect(fs.existsSync(marker)).toBe(true)
  await writer.close()
  await store.close()
})
