/**
 * A redo log that is hurt at every byte. With the runs' logs in place it changes nothing. When a power cut has taken these,
 * a run is as it was after one of its lines, or it is reported.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ILogger, RunRecord } from '@baton/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Paths } from '../../src/paths.ts'
import { FileRunStore } from '../../src/run-store.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { withoutSyncs } from '../no-syncs.ts'
import { claim, id, newRun, step } from '../runs.ts'
import { cuts, flips, type Hurt, naming } from './hurt.ts'

let folder: TestFolder
let log: string
let syncAgain: () => void
beforeEach(() => {
  syncAgain = withoutSyncs()
  folder = testFolder()
  log = new Paths(folder.path).run(id('a')).log
})
afterEach(() => {
  folder.remove()
  syncAgain()
})

interface World {
  /** What the redo log holds, without the zeros ahead, and what the log of the run. */
  readonly redo: Buffer
  readonly log: Buffer
  /** What the run was after each of its lines, the last one last; undefined before the first. */
  readonly states: readonly (RunRecord | undefined)[]
}

/** Two branches, so that a line can be missing without making nonsense of the next. */
async function write(): Promise<World> {
  const states: (RunRecord | undefined)[] = [undefined]
  const store = new FileRunStore({ directory: folder.path })
  const note = async () => states.push(await store.load(id('a')))
  await store.create(newRun('a', { starts: ['n0', 'n5'] }))
  await note()
  const left = await claim(store, 'a')
  await note()
  const right = await claim(store, 'a', 'n5')
  await note()
  await store.commit(step('a', left, { output: 1, last: true }))
  await note()
  await store.notify({ type: 'signal', runId: id('a'), name: 'news', payload: 'p' })
  await note()
  await store.commit(step('a', right, { output: 2, last: true }))
  await note()
  // Somebody who is killed here has settled nothing.
  const [name = ''] = readdirSync(redoFolder())
  const whole = readFileSync(join(redoFolder(), name))
  const lines = readFileSync(log)
  await store.close()
  return { redo: whole.subarray(0, whole.findLastIndex((byte) => byte !== 0) + 1), log: lines, states }
}

const redoFolder = () => join(folder.path, 'redo')

/** The folder as a machine finds it that was started again. */
function startAgain(world: World, redo: Buffer, withLog: boolean): void {
  rmSync(redoFolder(), { recursive: true })
  mkdirSync(redoFolder())
  writeFileSync(join(redoFolder(), 'ffff.1.1.1.log'), redo)
  if (withLog) writeFileSync(log, world.log)
  else rmSync(log, { force: true })
}

interface Seen {
  readonly record: RunRecord | undefined
  readonly told: boolean
}

/** What somebody sees who opens the folder; and whoever comes after them sees the same. */
async function open(): Promise<Seen> {
  let told = false
  const logger: ILogger = {
    log: (level) => {
      if (level === 'error') told = true
    },
  }
  const store = new FileRunStore({ directory: folder.path, logger })
  const record = await store.load(id('a'))
  await store.close()
  const next = new FileRunStore({ directory: folder.path })
  expect(await next.load(id('a'))).toEqual(record)
  await next.close()
  return { record, told }
}

async function attempt(hurts: (whole: Buffer) => Iterable<Hurt>, withLog: boolean, check: Check): Promise<void> {
  const world = await write()
  for (const hurt of hurts(world.redo)) {
    startAgain(world, hurt.bytes, withLog)
    await naming('the redo log', hurt, () => check(world, hurt))
  }
}

type Check = (world: World, hurt: Hurt) => Promise<void>

describe('a redo log, with the log of the run in place', () => {
  it.each([
    { what: 'cut', hurts: cuts },
    { what: 'with a bit flipped', hurts: flips },
  ])('$what at any byte changes nothing', { timeout: 120_000 }, ({ hurts }) =>
    attempt(hurts, true, async ({ states }) => {
      expect((await open()).record).toEqual(states.at(-1))
    }),
  )
})

describe('a redo log, without the log of the run', () => {
  it('cut at any byte gives back what was in whole batches', { timeout: 120_000 }, () =>
    attempt(cuts, false, async ({ redo, states }, { atByte }) => {
      const { record } = await open()
      expect(states).toContainEqual(record)
      if (atByte > redo.lastIndexOf('\nredo ')) expect(record?.seq).toBeGreaterThan(states[3]?.seq ?? 0)
    }),
  )

  it('with a bit flipped at any byte gives back a state that was, or is reported', { timeout: 120_000 }, () =>
    attempt(flips, false, async ({ redo, states }, { atByte }) => {
      // Nobody can tell a bit that flips in the last batch from a batch that a power cut tore.
      const isLast = atByte >= redo.lastIndexOf('\nredo ')
      try {
        const { record, told } = await open()
        expect(states).toContainEqual(record)
        // A bit that means nothing costs nothing.
        if (!isLast && record?.seq !== states.at(-1)?.seq) expect(told).toBe(true)
      } catch (error) {
        if ((error as { code?: string }).code !== 'STORE_CORRUPT') throw error
        expect((error as Error).message).toContain(log)
      }
    }),
  )
})
