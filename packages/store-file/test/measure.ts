/**
 * What this store reaches, beside what the disk reaches at the same moment:
 *
 *   node --import tsx --conditions=@baton/source test/measure.ts [folder]
 *
 * Every round measures all of it, so that a busy machine hits all alike; the medians of the rounds are printed, and
 * their ratio to synchronous 200-byte appends with fdatasync.
 */
import { fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileRunStore } from '../src/run-store.ts'
import { id, runLine } from './runs.ts'

const ROUNDS = 9
const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'baton-measure-'))
const store = new FileRunStore({ directory: join(folder, 'store') })
const floor = openSync(join(folder, 'floor'), 'a')
const record = Buffer.alloc(200, 'x')
const micros = new Map<string, number[]>()
let runs = 0

for (let round = 0; round <= ROUNDS; round++) {
  await measure(round, 'append + fdatasync, synchronous', 500, async () => {
    for (let count = 0; count < 500; count++) {
      writeSync(floor, record)
      fdatasyncSync(floor)
    }
  })
  await measure(round, 'node, one run of 500', 500, () => runLine(store, `r${runs++}`, 500))
  await measure(round, 'node, 50 runs of 60 at once', 3_000, () => together(50, () => runLine(store, `r${runs++}`, 60)))
  await measure(round, 'node, runs of 10, one by one', 300, async () => {
    for (let count = 0; count < 30; count++) await runLine(store, `r${runs++}`, 10)
  })
  await measure(round, 'node, runs of 10, 50 at once', 2_000, () =>
    together(50, async () => {
      for (let count = 0; count < 4; count++) await runLine(store, `r${runs++}`, 10)
    }),
  )
  await measure(round, 'summary of a run in memory', 1_000, async () => {
    for (let count = 0; count < 1_000; count++) await store.summary(id(`r${runs - 1}`))
  })
  await measure(round, 'due, when nothing is', 50, async () => {
    for (let count = 0; count < 50; count++) await store.due({ limit: 100 })
  })
}

const floorMicros = median('append + fdatasync, synchronous')
for (const name of micros.keys()) {
  const own = median(name)
  const rate = Math.round(1e6 / own)
  process.stdout.write(
    `${name.padEnd(34)} ${own.toFixed(0).padStart(6)} µs ${String(rate).padStart(8)}/s ${(floorMicros / own).toFixed(2)}\n`,
  )
}
await store.close()
rmSync(folder, { recursive: true })

async function measure(round: number, name: string, operations: number, work: () => Promise<unknown>): Promise<void> {
  const startedAtMs = performance.now()
  await work()
  // The first round is for the compiler.
  if (round > 0) micros.set(name, [...(micros.get(name) ?? []), ((performance.now() - startedAtMs) * 1e3) / operations])
}

function together(count: number, work: () => Promise<void>): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, work))
}

function median(name: string): number {
  const sorted = [...(micros.get(name) ?? [])].sort((left, right) => left - right)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
