/** What is acknowledged survives the loss of everything that only the redo logs hold. */
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type ILogger, silentLogger } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FolderSync } from '../src/disk.ts'
import type { FileRunStoreOptions } from '../src/options.ts'
import { Paths } from '../src/paths.ts'
import { recover } from '../src/recovery.ts'
import { decodeBatches, encodeBatch } from '../src/redo-batch.ts'
import { RedoLog } from '../src/redo-log.ts'
import { begunAtMs } from '../src/redo-name.ts'
import { FileRunStore } from '../src/run-store.ts'
import { startChild } from './child.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { claim, id, newRun, runLine, step } from './runs.ts'
import { testClock } from './test-clock.ts'

let folder: TestFolder
let copies: TestFolder
let copyCount = 0
const stores: FileRunStore[] = []

beforeEach(() => {
  folder = testFolder()
  copies = testFolder()
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  folder.remove()
  copies.remove()
})

function redoLog(logger: ILogger = silentLogger): RedoLog {
  const paths = new Paths(folder.path)
  return new RedoLog({ paths, folders: new FolderSync(), logger, limitBytes: 1_000_000, limitMs: 60_000 })
}

function open(directory = folder.path, options: Partial<FileRunStoreOptions> = {}) {
  const store = new FileRunStore({ directory, ...options })
  stores.push(store)
  return store
}

const redoNames = (root = folder.path) => readdirSync(join(root, 'redo'))
const logOf = (root: string, runId: string) => new Paths(root).run(id(runId)).log

/** The folder as it is now, on a machine that was started again since. */
function afterPowerCut(from = folder.path): string {
  const copy = join(copies.path, String(copyCount++))
  cpSync(from, copy, { recursive: true })
  for (const name of redoNames(copy)) {
    renameSync(join(copy, 'redo', name), join(copy, 'redo', name.replace(/^[^.]+/, 'ffff')))
  }
  return copy
}

async function expectWhole(store: FileRunStore, runId: string, expected: unknown): Promise<void> {
  const events = []
  for await (const event of store.journal(id(runId))) events.push(event)
  const state = foldJournal(events)
  expect(state && recordOf(state)).toEqual(expected)
  expect(await store.load(id(runId))).toEqual(expected)
}

/** What a process that is killed now would leave. */
function copyRedo(): ReadonlyMap<string, Buffer> {
  return new Map(redoNames().map((name) => [name, readFileSync(join(folder.path, 'redo', name))]))
}

function tenSecondsOlder(name: string): string {
  return name.replace(begunAtMs(name).toString(36), (begunAtMs(name) - 10_000).toString(36))
}

function putRedo(left: ReadonlyMap<string, Buffer>): void {
  for (const [name, bytes] of left) writeFileSync(join(folder.path, 'redo', name), bytes)
}

/** Cuts a log to that length; `zeroed`: the file kept its length, and its pages did not come. */
function lose(path: string, fromByte: number, zeroed: boolean): void {
  const size = statSync(path).size
  truncateSync(path, fromByte)
  if (zeroed) truncateSync(path, size)
}

describe('after a power cut', () => {
  it('everything acknowledged is there, wherever the log was cut', async () => {
    const store = open()
    await runLine(store, 'a', 4, { input: 'ünïcode' })
    const expected = await store.load(id('a'))
    const bytes = readFileSync(logOf(folder.path, 'a'))
    const cuts = new Set([0, 1, bytes.length - 1])
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1))
      cuts
        .add(at)
        .add(at + 1)
        .add(at + 7)
    for (let count = 0; count < 20; count++) cuts.add(Math.floor(Math.random() * bytes.length))

    for (const zeroed of [false, true]) {
      for (const cut of cuts) {
        if (cut > bytes.length) continue
        const copy = afterPowerCut()
        lose(logOf(copy, 'a'), cut, zeroed)
        const after = new FileRunStore({ directory: copy })
        expect(readFileSync(logOf(copy, 'a')).equals(bytes)).toBe(true)
        await expectWhole(after, 'a', expected)
        expect(redoNames(copy)).toEqual([])
        await after.close()
      }
    }
  })

  it('holes of zeros in the middle are filled', async () => {
    const store = open()
    await runLine(store, 'a', 4)
    const bytes = readFileSync(logOf(folder.path, 'a'))
    for (let count = 0; count < 20; count++) {
      const copy = afterPowerCut()
      const from = Math.floor(Math.random() * bytes.length)
      const holed = Buffer.from(bytes).fill(0, from, Math.min(bytes.length, from + 1 + Math.floor(Math.random() * 500)))
      writeFileSync(logOf(copy, 'a'), holed)
      await new FileRunStore({ directory: copy }).close()
      expect(readFileSync(logOf(copy, 'a')).equals(bytes)).toBe(true)
    }
  })

  it('a run whose file never came into its folder is made again, and goes on', async () => {
    const store = open()
    await store.create(newRun('a'))
    const held = await claim(store, 'a')
    await store.commit(step('a', held, { output: 1 }))
    const expected = await store.load(id('a'))
    const copy = afterPowerCut()
    rmSync(join(copy, 'runs'), { recursive: true })
    mkdirSync(join(copy, 'runs'))

    const after = open(copy)
    await expectWhole(after, 'a', expected)
    const next = await claim(after, 'a', 'n1')
    expect(await after.commit(step('a', next, { last: true }))).toMatchObject({ status: 'committed' })
  })

  it('a claim that waited for no disk lies before the commit that rests on it', async () => {
    const store = open()
    await store.create(newRun('a'))
    const held = await claim(store, 'a')
    const beforeCommit = afterPowerCut()
    await store.commit(step('a', held))
    const afterCommit = afterPowerCut()
    for (const copy of [beforeCommit, afterCommit]) rmSync(logOf(copy, 'a'))

    expect(await open(beforeCommit).load(id('a'))).toMatchObject({ status: 'pending' })
    await expectWhole(open(afterCommit), 'a', await store.load(id('a')))
  })

  it('a redo log that is torn at its end loses nothing that was acknowledged', async () => {
    const store = open()
    await runLine(store, 'a', 3)
    const expected = await store.load(id('a'))
    const [name = ''] = redoNames()
    const whole = readFileSync(join(folder.path, 'redo', name))
    const used = whole.subarray(0, whole.findLastIndex((byte) => byte !== 0) + 1)
    const next = encodeBatch(
      [{ file: 'runs/0/x.log', atByte: 0, bytes: Buffer.from('y'.repeat(900)) }],
      (bytes) => bytes,
    )
    for (const kept of [1, 10, 30, next.length - 1]) {
      const copy = afterPowerCut()
      rmSync(logOf(copy, 'a'))
      const torn = Buffer.concat([used, next.subarray(0, kept), Buffer.alloc(next.length - kept)])
      writeFileSync(join(copy, 'redo', redoNames(copy)[0] as string), torn)
      await expectWhole(open(copy), 'a', expected)
      expect(existsSync(join(copy, 'runs', '0', 'x.log'))).toBe(false)
    }
  })

  it('lines of two processes come back from both of their redo logs', async () => {
    const [first, second] = [open(), open()]
    await first.create(newRun('a'))
    // It has to make sure of what the first has written, which may not have come to that.
    const held = await claim(second, 'a')
    await second.commit(step('a', held, { output: 1 }))
    const synced = statSync(logOf(folder.path, 'a')).size
    const next = await claim(second, 'a', 'n1')
    await second.commit(step('a', next, { output: 2 }))
    const expected = await second.load(id('a'))
    expect(redoNames()).toHaveLength(2)

    const copy = afterPowerCut()
    lose(logOf(copy, 'a'), synced, true)
    await expectWhole(open(copy), 'a', expected)
  })

  it('a purged run does not come back', async () => {
    const store = open()
    await runLine(store, 'a', 2)
    await store.purge({ endedBeforeMs: Date.now() + 1_000 })
    const copy = afterPowerCut()
    expect(await open(copy).load(id('a'))).toBeUndefined()
    expect(existsSync(logOf(copy, 'a'))).toBe(false)
  })

  it('a purged run does not come back from the redo log of a process that died long ago', async () => {
    const clock = testClock(Date.now())
    const dead = open()
    await runLine(dead, 'a', 2)
    const survivor = open(folder.path, { clock })
    // It was killed: nobody settles its redo log, and nobody opens the folder for longer than a tombstone lasts.
    const left = copyRedo()
    await survivor.purge({ endedBeforeMs: Date.now() + 1_000 })
    await dead.close()
    putRedo(left)
    clock.advance(20 * 86_400_000)
    await survivor.purge({ endedBeforeMs: 0 })
    expect(existsSync(new Paths(folder.path).tombstone(id('a')))).toBe(false)

    expect(await open(folder.path, { clock }).load(id('a'))).toBeUndefined()
  })

  it('a run that uses the id of a purged one keeps what is acknowledged, whatever redo logs were left', async () => {
    const clock = testClock(Date.now())
    const dead = open()
    await runLine(dead, 'a', 2)
    const survivor = open(folder.path, { clock })
    const left = copyRedo()
    await survivor.purge({ endedBeforeMs: Date.now() + 1_000 })
    await dead.close()
    putRedo(new Map(Array.from(left, ([name, bytes]) => [tenSecondsOlder(name), bytes])))
    const tombstone = readFileSync(new Paths(folder.path).tombstone(id('a')))
    clock.advance(20 * 86_400_000)
    // After the redo log that was left, and before the one of the next run: their names say when they began.
    const afterPurge = new Date(Date.now() - 5_000)
    await survivor.create(newRun('a', { flowId: 'second' }))
    await survivor.commit(step('a', await claim(survivor, 'a'), { output: 'new' }))
    const expected = await survivor.load(id('a'))

    const copy = afterPowerCut()
    // The removal of the old tombstone was not on the disk yet, nor anything of the new run's log.
    const path = new Paths(copy).tombstone(id('a'))
    writeFileSync(path, tombstone)
    utimesSync(path, afterPurge, afterPurge)
    rmSync(logOf(copy, 'a'))
    await expectWhole(open(copy, { clock }), 'a', expected)
  })

  it('a log that does not fit is left alone, and so is the redo log', async () => {
    const store = open()
    await runLine(store, 'a', 2)
    await runLine(store, 'b', 2)
    const expected = await store.load(id('b'))
    for (const spoil of [
      (log: string) => writeFileSync(log, '\nsomething else\n'),
      (log: string) => {
        rmSync(log)
        mkdirSync(log)
      },
    ]) {
      const copy = afterPowerCut()
      const before = readFileSync(join(copy, 'redo', redoNames(copy)[0] as string))
      spoil(logOf(copy, 'a'))
      lose(logOf(copy, 'b'), 50, true)
      const told: string[] = []
      const logger: ILogger = { log: (level) => void told.push(level) }
      const after = new FileRunStore({ directory: copy, logger })
      await expectWhole(after, 'b', expected)
      await after.close()
      expect(told).toEqual(['error'])
      const [kept = ''] = redoNames(copy)
      expect(kept).toMatch(/\.damaged$/)
      expect(readFileSync(join(copy, 'redo', kept)).equals(before)).toBe(true)
    }
  })

  it('those who recover at the same time do not disturb each other, nor one who appends already', async () => {
    const store = open()
    await runLine(store, 'a', 3)
    await store.create(newRun('b'))
    const copy = afterPowerCut()
    for (const runId of ['a', 'b']) rmSync(logOf(copy, runId))
    const [name = ''] = redoNames(copy)
    const orphan = join(copy, 'redo', `${name}.orphan`)
    const redo = readFileSync(join(copy, 'redo', name))
    const first = open(copy)
    await first.commit(step('b', await claim(first, 'b')))
    const expected = await first.load(id('b'))
    // Somebody who had read the redo log before the first was done.
    writeFileSync(orphan, redo)
    recover({ paths: new Paths(copy), logger: silentLogger, isPurged: () => false })
    expect(existsSync(orphan)).toBe(false)
    await expectWhole(open(copy), 'b', expected)
    await expectWhole(open(copy), 'a', await store.load(id('a')))
  })

  it('a bad batch before a good one is reported, and the rest is put back', async () => {
    const store = open()
    await store.create(newRun('a'))
    await store.create(newRun('b'))
    const copy = afterPowerCut()
    rmSync(logOf(copy, 'b'))
    const [name = ''] = redoNames(copy)
    const fd = openSync(join(copy, 'redo', name), 'r+')
    writeSync(fd, 'X', 60)
    closeSync(fd)
    const told: string[] = []
    const logger: ILogger = { log: (level) => void told.push(level) }
    expect(await open(copy, { logger }).load(id('b'))).toBeDefined()
    expect(told).toContain('error')
    expect(redoNames(copy).some((found) => found.endsWith('.damaged'))).toBe(true)
  })

  it('a run whose lines were in a bad batch is reported, and not put together from the rest', async () => {
    const store = open()
    await store.create(newRun('a', { starts: ['n0', 'n5'] }))
    const [left, right] = [await claim(store, 'a'), await claim(store, 'a', 'n5')]
    const second = redo().length
    await store.commit(step('a', left, { output: 1, last: true }))
    await store.commit(step('a', right, { output: 2, last: true }))
    const copy = afterPowerCut()
    rmSync(logOf(copy, 'a'))
    const fd = openSync(join(copy, 'redo', redoNames(copy)[0] ?? ''), 'r+')
    writeSync(fd, 'X', second + 60)
    closeSync(fd)

    await expect(open(copy).load(id('a'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(open(copy).commit(step('a', left))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})

/** Of the redo log, without the zeros ahead. */
function redo(): Buffer {
  const whole = readFileSync(join(folder.path, 'redo', redoNames()[0] as string))
  return whole.subarray(0, whole.findLastIndex((byte) => byte !== 0) + 1)
}

describe('a redo log', () => {
  it('costs one batch, so one sync, for many commits of runs that go on at once', async () => {
    const store = open()
    await Promise.all(Array.from({ length: 50 }, (_, run) => runLine(store, `r${run}`, 10)))
    const batches = redo().toString('latin1').split('\nredo ').length - 1
    const nodes = 50 * 10
    expect(batches).toBeLessThan(nodes / 10)
  })

  it('and the log of the run together grow by less than 1 KB for a small change beside 1 MB', async () => {
    const store = open()
    await store.create(newRun('a', { context: { large: 'x'.repeat(2 ** 20), small: 0 } }))
    const first = await store.commit(step('a', await claim(store, 'a'), { claimNext: true }))
    if (first.status !== 'committed' || first.claim === undefined) throw new Error(first.status)
    const written = () => statSync(logOf(folder.path, 'a')).size + redo().length
    const before = written()
    await store.commit(step('a', first.claim, { deltas: [{ op: 'set', key: 'small', value: 1 }], claimNext: true }))
    expect(written() - before).toBeGreaterThan(100)
    expect(written() - before).toBeLessThan(1_000)
  })

  it('is replaced after a while, also when nothing happens', async () => {
    const store = open(folder.path, { tombstoneMs: 40 })
    await store.create(newRun('a'))
    expect(redoNames()).toHaveLength(1)
    await expect.poll(() => redoNames()).toEqual([])
    // It is safe where it belongs, and work goes on with another one.
    await expectWhole(open(afterPowerCut()), 'a', await store.load(id('a')))
    await store.commit(step('a', await claim(store, 'a')))
    expect(redoNames()).toHaveLength(1)
  })

  it('is gone after a clean close, and with it nothing', async () => {
    const store = new FileRunStore({ directory: folder.path })
    await runLine(store, 'a', 3)
    const expected = await store.load(id('a'))
    expect(redoNames()).toHaveLength(1)
    await store.close()
    expect(redoNames()).toEqual([])
    await expectWhole(open(), 'a', expected)
  })

  it('is not made in a folder that need not survive a power cut', async () => {
    const store = open(folder.path, { durability: 'process' })
    await runLine(store, 'a', 3)
    expect(redoNames()).toEqual([])
  })

  it('is replaced when it is long, and goes when the logs are safe', async () => {
    const store = open(folder.path, { redoMaxBytes: 4_000 })
    for (let run = 0; run < 30; run++) await runLine(store, `r${run}`, 5)
    await expect.poll(() => redoNames().length, { timeout: 10_000 }).toBeLessThanOrEqual(1)
    // The logs themselves are whole, without any of it: what is left covers the rest.
    const copy = afterPowerCut()
    for (let run = 0; run < 30; run++) {
      expect(await open(copy).load(id(`r${run}`))).toMatchObject({ status: 'completed' })
    }
  })

  it('that somebody takes from an owner who lives costs nothing that is acknowledged', async () => {
    const store = open()
    await store.create(newRun('a'))
    const [name = ''] = redoNames()
    renameSync(join(folder.path, 'redo', name), join(folder.path, 'redo', name.replace(/^[^.]+/, 'ffff')))
    await open().close()
    expect(redoNames()).toEqual([])
    await store.commit(step('a', await claim(store, 'a'), { output: 1 }))
    // The first commit was synced where it belongs, and what follows has a redo log again.
    const synced = statSync(logOf(folder.path, 'a')).size
    await store.commit(step('a', await claim(store, 'a', 'n1'), { output: 2 }))
    expect(redoNames()).toHaveLength(1)
    const copy = afterPowerCut()
    lose(logOf(copy, 'a'), synced, false)
    await expectWhole(open(copy), 'a', await store.load(id('a')))
  })

  it('that cannot be made refuses, and what was refused is in it as soon as it can', async () => {
    const paths = new Paths(folder.path)
    const redo = redoLog()
    const log = join(paths.runs, '0', 'a.log')
    writeFileSync(paths.redo, 'no folder')
    const refused = redo.add(log, 0, Buffer.from('a'))
    await expect(redo.flush(refused)).rejects.toThrow(/writing the redo log/)
    await expect(redo.flush(redo.add(log, 1, Buffer.from('b')))).rejects.toThrow()
    expect(redo.failure).toBeUndefined()

    rmSync(paths.redo)
    await redo.flush(refused)
    const [name = ''] = redoNames()
    const { records } = decodeBatches(readFileSync(join(paths.redo, name)))
    expect(records.map(({ bytes }) => bytes.toString())).toEqual(['a', 'b'])
    await redo.close()
  })

  it('that cannot be made for long refuses everything, rather than to keep ever more in memory', async () => {
    const paths = new Paths(folder.path)
    const redo = redoLog()
    writeFileSync(paths.redo, 'no folder')
    for (let count = 0; count < 5; count++) redo.add(join(paths.runs, '0', 'a.log'), 0, Buffer.alloc(512 * 1024))
    expect(redo.failure?.code).toBe('STORE_UNAVAILABLE')
    rmSync(paths.redo)
    await expect(redo.flush(redo.add(join(paths.runs, '0', 'a.log'), 0, Buffer.from('b')))).rejects.toThrow()
    await redo.close()
  })

  it('stays when it mentions a log that could not be synced', async () => {
    const paths = new Paths(folder.path)
    const told: string[] = []
    const redo = redoLog({ log: (level) => void told.push(level) })
    const log = join(paths.runs, '0', 'a.log')
    mkdirSync(join(paths.runs, '0'), { recursive: true })
    writeFileSync(log, 'a')
    await redo.flush(redo.add(log, 0, Buffer.from('a')))
    redo.distrust(log)
    await redo.close()
    expect(redoNames()).toHaveLength(1)
    expect(told).toEqual(['error'])
    // It belongs to nobody now.
    recover({ paths, logger: silentLogger, isPurged: () => false })
    expect(redoNames()).toEqual([])
  })

  it('shares a sync between those that come while one is under way', async () => {
    const paths = new Paths(folder.path)
    const redo = redoLog()
    const add = (run: number) =>
      redo.flush(redo.add(join(paths.runs, '0', `${run}.log`), 0, Buffer.from(`line ${run}`)))
    await Promise.all(Array.from({ length: 20 }, (_, run) => add(run)))
    const log = readFileSync(join(paths.redo, redoNames()[0] as string))
    expect(log.toString('latin1').match(/\nredo /g)).toHaveLength(2)
    const { records, damaged } = decodeBatches(log)
    expect(damaged).toBe(false)
    expect(records.map(({ bytes }) => bytes.toString())).toEqual(Array.from({ length: 20 }, (_, run) => `line ${run}`))
    await redo.close()
  })
})

describe('a process that is killed', () => {
  it('leaves a redo log that the next one takes over', { timeout: 60_000 }, async () => {
    const store = new FileRunStore({ directory: folder.path })
    for (let run = 0; run < 10; run++) await store.create(newRun(`r${run}`))
    await store.close()
    const child = startChild(new URL('./children/run-lines.ts', import.meta.url), [folder.path, '6', '400'])
    await child.printed(40)
    await child.kill()
    expect(redoNames()).toHaveLength(1)
    const told = child.lines.filter((line) => line !== 'ready')

    // The power fails before anything else is done: only what was synced is sure.
    const copy = afterPowerCut()
    for (const directory of [folder.path, copy]) {
      const after = open(directory)
      expect(redoNames(directory)).toEqual([])
      for (const line of told) {
        const [runId = '', instanceId] = line.split(' ')
        const events = []
        for await (const event of after.journal(id(runId))) events.push(event)
        expect(events).toContainEqual(expect.objectContaining({ type: 'node-succeeded', instanceId }))
      }
    }
  })
})
