import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { InMemoryRunStore, type IRunStore, type RunId } from '@baton/core'
import { FileRunStore } from '@baton/store-file'
import { spreadOf } from '../statistics.ts'
import type { Meter } from './meter.ts'
import { scratchFolder } from './scratch.ts'

const FEW = 1_000
const MANY = 100_000
const DUE = 10
const LOOKS = 1_000
const DAY_MS = 24 * 3_600_000

type Store = Pick<IRunStore, 'create' | 'due' | 'close'>

/** What a look for due work costs, with ten runs due and few or many asleep until some day of the next month. */
export const sleepingInMemory: Meter = () => measureAll(() => new InMemoryRunStore())

/** The same on files. That nothing is synced is no matter: looking syncs nothing. */
export const sleepingOnFiles: Meter = () => {
  const folder = scratchFolder()
  // Markers that a power cut may have taken are looked for once, before there are runs.
  const repairMs = 365 * DAY_MS
  let stores = 0
  return measureAll(
    () => new FileRunStore({ directory: join(folder, String(stores++)), durability: 'process', repairMs }),
  )
}

async function measureAll(open: () => Store) {
  // The first is for the compiler.
  await measure(open(), FEW)
  return [
    { unit: unitOf(FEW), value: await measure(open(), FEW) },
    { unit: unitOf(MANY), value: await measure(open(), MANY) },
  ]
}

async function measure(store: Store, asleep: number): Promise<number> {
  await store.due({ limit: 1 })
  const nowMs = Date.now()
  for (let index = 0; index < asleep; index++) {
    await start(store, `asleep-${index}`, nowMs + (1 + (index % 30)) * DAY_MS)
  }
  for (let index = 0; index < DUE; index++) await start(store, `due-${index}`, nowMs)
  // What was just made is looked at once, to see when it is due.
  await store.due({ limit: asleep + DUE })
  const micros: number[] = []
  for (let look = 0; look < LOOKS; look++) {
    const fromMs = performance.now()
    const items = await store.due({ limit: 200 })
    micros.push((performance.now() - fromMs) * 1_000)
    if (items.length !== DUE) throw new Error(`${items.length} were due`)
  }
  await store.close()
  return spreadOf(micros).median
}

async function start(store: Store, name: string, startAtMs: number): Promise<void> {
  await store.create({ runId: name as RunId, kind: 'workflow', flowId: 'flow', starts: ['nap'], startAtMs })
}

function unitOf(asleep: number): string {
  return `µs/look, ${asleep} asleep`
}
