/** Several processes on the same runs, and then the power fails: of every file, only what was synced is sure. */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { foldJournal, recordOf } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Paths } from '../src/paths.ts'
import { FileRunStore } from '../src/run-store.ts'
import { startChild } from './child.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { id, newRun } from './runs.ts'

const RUNS = 20
const LAST = 9

let folder: TestFolder
let other: TestFolder
beforeEach(() => {
  folder = testFolder()
  other = testFolder()
})
afterEach(() => {
  folder.remove()
  other.remove()
})

/** What a crash leaves of the rest of a file: nothing, zeros, or all of it. */
const fates = ['cut', 'zeros', 'whole'] as const

// Which file a sync was for is read from /proc.
describe.skipIf(process.platform !== 'linux')('after a power cut (on Linux, for its /proc)', () => {
  it('everything that any of the workers was told is there', { timeout: 120_000 }, async () => {
    let lost = 0
    for (let round = 0; round < 4; round++) {
      const directory = join(folder.path, String(round))
      const first = new FileRunStore({ directory })
      for (let run = 0; run < RUNS; run++) await first.create(newRun(`r${run}`))
      await first.close()
      const sure = new Map(logsIn(directory).map((path) => [path, statSync(path).size]))

      const told = await workAndDie(directory, 12 + round * 8, sure)
      const copy = join(other.path, String(round))
      lost += cutPower(directory, sure, copy)

      const after = new FileRunStore({ directory: copy })
      const committed = new Set<string>()
      for (let run = 0; run < RUNS; run++) {
        const runId = id(`r${run}`)
        const events = []
        for await (const event of after.journal(runId)) events.push(event)
        const state = foldJournal(events)
        expect(state && recordOf(state)).toEqual(await after.load(runId))
        for (const event of events) {
          if (event.type === 'node-succeeded') committed.add(`${runId} ${event.instanceId} ${event.fence}`)
        }
      }
      expect(told.length).toBeGreaterThanOrEqual(10)
      expect(told.filter((line) => !committed.has(line))).toEqual([])
      await after.close()
    }
    // Otherwise nothing would have been tried.
    expect(lost).toBeGreaterThan(4)
  })
})

/** @returns what they were told is committed; notes in `sure` how much of each file they have synced */
async function workAndDie(directory: string, lines: number, sure: Map<string, number>): Promise<string[]> {
  const records = ['a', 'b', 'c'].map((name) => `${directory}.${name}.record`)
  const script = new URL('./children/recorded-run-lines.ts', import.meta.url)
  // A short lease, so that they take runs over from each other.
  const children = records.map((record) => startChild(script, [directory, String(LAST), '400', '1e9', record]))
  await Promise.race(children.map((child) => child.printed(lines)))
  await Promise.all(children.map((child) => child.kill()))
  for (const record of records.filter((path) => existsSync(path))) {
    for (const line of readFileSync(record, 'utf8').split('\n').slice(0, -1)) {
      const { path, bytes } = JSON.parse(line) as { path: string; bytes: number }
      sure.set(path, Math.max(bytes, sure.get(path) ?? 0))
    }
  }
  return children.flatMap((child) => child.lines.filter((line) => line !== 'ready'))
}

/**
 * Makes the folder as a machine finds it that was started again: what was not synced is lost in one way or another.
 * @returns in how many files
 */
function cutPower(directory: string, sure: ReadonlyMap<string, number>, copy: string): number {
  cpSync(directory, copy, { recursive: true })
  const redo = new Paths(directory).redo
  const logs = [...logsIn(directory), ...readdirSync(redo).map((name) => join(redo, name))]
  let lost = 0
  for (const path of logs) {
    const place = join(copy, path.slice(directory.length))
    const { size } = statSync(place)
    const bytes = sure.get(path) ?? 0
    const fate = fates[Math.floor(Math.random() * fates.length)] ?? 'cut'
    if (bytes < size) lost += 1
    if (fate === 'whole') continue
    if (bytes === 0) rmSync(place)
    else {
      truncateSync(place, bytes)
      if (fate === 'zeros') truncateSync(place, size)
    }
  }
  // Names of an earlier start of the machine.
  const copiedRedo = new Paths(copy).redo
  for (const name of readdirSync(copiedRedo)) {
    renameSync(join(copiedRedo, name), join(copiedRedo, name.replace(/^[^.]+/, 'ffff')))
  }
  return lost
}

function logsIn(directory: string): string[] {
  return [...new Paths(directory).runShards()].flatMap((shard) =>
    readdirSync(shard).flatMap((name) => (name.endsWith('.log') ? [join(shard, name)] : [])),
  )
}
