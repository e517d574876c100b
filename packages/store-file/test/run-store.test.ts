import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import type { ILogger, RunEvent } from '@baton/core'
import { type DueItem, foldJournal, recordOf } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FileCoordinationStore } from '../src/coordination-store.ts'
import { FolderSync } from '../src/disk.ts'
import { DueWheel } from '../src/due-wheel.ts'
import { FileJobQueue } from '../src/job-queue.ts'
import { identityOf, OpenFiles } from '../src/open-files.ts'
import type { FileRunStoreOptions } from '../src/options.ts'
import { Paths } from '../src/paths.ts'
import { FileRunStore } from '../src/run-store.ts'
import { StoredRun } from '../src/stored-run.ts'
import { Tombstones, tombstoneText } from '../src/tombstones.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { claim, claimOf, id, newRun, runLine, step } from './runs.ts'
import { type TestClock, testClock } from './test-clock.ts'

let folder: TestFolder
let paths: Paths
const stores: FileRunStore[] = []

beforeEach(() => {
  folder = testFolder()
  paths = new Paths(folder.path)
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  folder.remove()
})

function open(options: Partial<FileRunStoreOptions> = {}): FileRunStore {
  const store = new FileRunStore({ directory: folder.path, ...options })
  stores.push(store)
  return store
}

/** A handle that no store keeps. */
function storedRun(runId: string): StoredRun {
  const options = { files: new OpenFiles(8), folders: new FolderSync(), fsynced: false, redispatchMs: 1_000 }
  return new StoredRun({ ...options, paths: paths.run(id(runId)) })
}

const logOf = (runId: string) => paths.run(id(runId)).log
const sizeOf = (runId: string) => statSync(logOf(runId)).size
const buckets = () => readdirSync(paths.due).filter((name) => /^\d+$/.test(name))

async function journal(store: FileRunStore, runId: string): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of store.journal(id(runId))) events.push(event)
  return events
}

function dueIds(items: readonly DueItem[]): string[] {
  return items.map((item) => (item.type === 'instance' ? `${item.runId}/${item.instanceId}` : `${item.runId}/deadline`))
}

describe('a run in a folder', () => {
  it('is there for every store of the folder, and goes on in any of them', async () => {
    const [first, second] = [open(), open()]
    await first.create(newRun('a', { input: { order: 42 }, context: { a: 1 } }))
    const held = await claim(second, 'a')
    expect(held).toMatchObject({ fence: 1, input: { order: 42 }, context: { a: { value: 1, version: 1 } } })

    await second.commit(step('a', held, { output: 'first' }))
    const next = await claim(first, 'a', 'n1')
    await first.commit(step('a', next, { output: 'second', last: true }))

    expect(await second.load(id('a'))).toMatchObject({ status: 'completed', output: 'second', seq: 6 })
    expect(await open().load(id('a'))).toEqual(await first.load(id('a')))
  })

  it('has a journal whose fold is its state', async () => {
    const store = open()
    await runLine(store, 'a', 5, { input: 'x' })

    const events = await journal(open(), 'a')

    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    const state = foldJournal(events)
    expect(state && recordOf(state)).toEqual(await store.load(id('a')))
  })

  it('is created once, whoever tries', async () => {
    const all = Array.from({ length: 5 }, () => open())

    const results = await Promise.all(all.map((store) => store.create(newRun('a', { input: 1 }))))

    expect(results.filter(({ status }) => status === 'created')).toHaveLength(1)
    expect(results.filter((result) => result.status === 'exists' && result.same)).toHaveLength(4)
    expect(await open().create(newRun('a', { input: 2 }))).toEqual({ status: 'exists', same: false })
  })

  it('shares nothing with those who gave or got its values', async () => {
    const store = open()
    const context = { a: { list: [1] } }
    await store.create(newRun('a', { context }))
    context.a.list.push(2)
    const held = await claim(store, 'a')
    const got = held.context.a?.value as { list: number[] }
    got.list.push(3)

    expect((await store.load(id('a')))?.context).toEqual({ a: { list: [1] } })
  })

  it('grows by one line per node', async () => {
    await runLine(open(), 'a', 20)

    const lines = readFileSync(logOf('a'), 'utf8').split('\n').filter(Boolean)
    // The creation, the first claim, and a commit per node that claims the next.
    expect(lines).toHaveLength(22)
  })

  it('grows by no line when a command is refused', async () => {
    const [first, second] = [open(), open()]
    await first.create(newRun('a'))
    const held = await claim(first, 'a')
    await first.commit(step('a', held))
    const size = sizeOf('a')

    expect(await second.commit(step('a', held))).toMatchObject({ status: 'already-committed', ready: ['n1'] })
    expect(await second.commit(step('a', held, { commitId: 'other' }))).toEqual({ status: 'fenced' })
    expect(await second.claim(claimOf('a', 'n0'))).toEqual({ status: 'not-claimable' })
    expect(await second.claim(claimOf('a', 'n7'))).toEqual({ status: 'not-claimable' })
    expect(await second.create(newRun('a'))).toEqual({ status: 'exists', same: true })

    expect(sizeOf('a')).toBe(size)
  })

  it('that nobody created is unknown to every call, and no file is made for it', async () => {
    const store = open()
    const held = { ...((await await store.create(newRun('b'))) && (await claim(store, 'b'))) }

    expect(await store.load(id('a'))).toBeUndefined()
    expect(await store.summary(id('a'))).toBeUndefined()
    expect(await store.claim(claimOf('a'))).toEqual({ status: 'unknown-run' })
    expect(await store.commit(step('a', held as never))).toEqual({ status: 'unknown-run' })
    expect(await store.notify({ type: 'cancel', runId: id('a'), reason: 'x' })).toEqual({ status: 'unknown-run' })
    await expect(store.context(id('a')).read(['k'])).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
    await expect(journal(store, 'a')).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
    expect(existsSync(logOf('a'))).toBe(false)
  })

  it('keeps the same run under ids that differ in case, and refuses ids that lead out of the folder', async () => {
    const store = open()
    await store.create(newRun('Run', { input: 1 }))
    await store.create(newRun('run', { input: 2 }))

    expect((await store.load(id('Run')))?.input).toBe(1)
    expect((await store.load(id('run')))?.input).toBe(2)
    for (const runId of ['../x', '..', 'a/b', 'a\0', '']) {
      await expect(store.load(runId as never)).rejects.toMatchObject({ code: 'INVALID_ID' })
      await expect(store.create({ ...newRun('x'), runId: runId as never })).rejects.toMatchObject({
        code: 'INVALID_ID',
      })
    }
  })
})

describe('a log that a crash or a disk has hurt', () => {
  it('cut at any byte gives the run as it was before that line, and goes on', { timeout: 60_000 }, async () => {
    const store = open({ durability: 'process' })
    await store.create(newRun('a', { input: 'ünïcode' }))
    const held = await claim(store, 'a')
    await store.commit(step('a', held, { output: 1 }))
    await store.commit(step('a', await claim(store, 'a', 'n1'), { output: 2, last: true }))
    const whole = readFileSync(logOf('a'))
    const events = await journal(store, 'a')

    for (let length = whole.length - 1; length >= 0; length--) {
      truncateSync(logOf('a'), length)
      // Time has gone on since: whatever was claimed can be claimed again.
      const after = new FileRunStore({ directory: folder.path, clock: testClock(Date.now() + 60_000) })
      const record = await after.load(id('a'))
      if (record !== undefined) expect(await journal(after, 'a')).toEqual(events.slice(0, record.seq))

      await after.create(newRun('a', { input: 'ünïcode' }))
      for (const instanceId of ['n0', 'n1']) {
        const result = await after.claim(claimOf('a', instanceId))
        if (result.status !== 'claimed') continue
        const commit = await after.commit(step('a', result.claim, { last: instanceId === 'n1' }))
        expect(commit.status).toBe('committed')
      }

      expect((await after.load(id('a')))?.status).toBe('completed')
      const numbers = (await journal(after, 'a')).map(({ seq }) => seq)
      expect(numbers).toEqual(numbers.map((_, index) => index + 1))
      await after.close()
    }
  })

  it('stops that run only', async () => {
    const errors: string[] = []
    const logger: ILogger = { log: (level, message) => void (level === 'error' && errors.push(message)) }
    const clock = testClock()
    const store = open({ clock })
    for (const runId of ['good', 'bad']) await store.create(newRun(runId))
    const bytes = readFileSync(logOf('bad'))
    bytes[60] = (bytes[60] ?? 0) ^ 4
    writeFileSync(logOf('bad'), bytes)

    const after = open({ clock, logger })

    await expect(after.load(id('bad'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(after.claim(claimOf('bad'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(dueIds(await after.due({ limit: 10 }))).toEqual(['good/n0'])
    expect((await after.list()).runs.map(({ runId }) => runId)).toEqual(['good'])
    expect(errors.length).toBeGreaterThan(0)
    // It is not read again at every sweep.
    errors.length = 0
    expect(dueIds(await after.due({ limit: 10 }))).toEqual(['good/n0'])
    expect(errors).toEqual([])
  })

  it('that is removed or cut while a run goes on is noticed by the next commit', async () => {
    const store = open()
    const cuts = [2, 10, 100, 300]
    for (const runId of ['a', 'c', ...cuts.map((bytes) => `b${bytes}`)]) await store.create(newRun(runId))

    const removed = await claim(store, 'a')
    rmSync(logOf('a'))
    expect(await store.commit(step('a', removed))).toMatchObject({ status: 'unknown-run' })

    for (const bytes of cuts) {
      const fence = await claim(store, `b${bytes}`)
      truncateSync(logOf(`b${bytes}`), sizeOf(`b${bytes}`) - bytes)
      await expect(store.commit(step(`b${bytes}`, fence))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      await expect(store.commit(step(`b${bytes}`, fence))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    }

    // The line feed at the end is no loss: the next record begins with one.
    const fence = await claim(store, 'c')
    truncateSync(logOf('c'), sizeOf('c') - 1)
    expect(await store.commit(step('c', fence))).toMatchObject({ status: 'committed' })
    expect(await open().load(id('c'))).toEqual(await store.load(id('c')))
  })

  it('refuses all work on a run whose sync failed, in this process', async () => {
    const store = open()
    // Lines of another process: its log is synced itself.
    await open().create(newRun('a'))
    const held = await claim(store, 'a')
    const files = (await import('../src/open-files.ts')).OpenFiles.prototype
    const { pinned, usedNow } = files
    files.pinned = () => Promise.reject(new Error('EIO'))
    files.usedNow = () => {
      throw new Error('EIO')
    }
    try {
      await expect(store.commit(step('a', held))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    } finally {
      files.pinned = pinned
      files.usedNow = usedNow
    }

    await expect(store.commit(step('a', held))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(store.load(id('a'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await store.create(newRun('b'))).status).toBe('created')
  })

  it('refuses it also when the run had left the memory before the sync failed', async () => {
    const store = open({ cachedRuns: 1 })
    await open().create(newRun('a'))
    const held = await claim(store, 'a')
    const files = OpenFiles.prototype
    const { pinned } = files
    let fail: ((error: Error) => void) | undefined
    files.pinned = () => new Promise((_, reject) => (fail = reject))
    try {
      // Beside another change, so that a thread does the sync.
      const committed = Promise.allSettled([store.commit(step('a', held)), store.create(newRun('b'))])
      await expect.poll(() => fail).toBeDefined()
      await store.create(newRun('c'))
      fail?.(new Error('EIO'))
      expect((await committed)[0]).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
    } finally {
      files.pinned = pinned
    }

    await expect(store.commit(step('a', held))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('large values', () => {
  const large = 'x'.repeat(1_000_000)

  it('lie apart, and a small change beside them writes less than 1 KB', async () => {
    const store = open()
    await store.create(newRun('a', { context: { big: large, small: 0 } }))
    expect(sizeOf('a')).toBeLessThan(1_000)
    let held = await claim(store, 'a')

    for (let round = 1; round <= 5; round++) {
      const size = sizeOf('a')
      const result = await store.commit(
        step('a', held, { deltas: [{ op: 'set', key: 'small', value: round }], claimNext: true }),
      )
      if (result.status !== 'committed' || result.claim === undefined) throw new Error(result.status)
      held = result.claim
      expect(sizeOf('a') - size).toBeLessThan(1_000)
    }

    const record = await open().load(id('a'))
    expect(record?.context).toEqual({ big: large, small: 5 })
  })

  it('come back in their places: input, output, deltas, steps, payloads', async () => {
    const store = open({ inlineMaxBytes: 256 })
    const value = { list: Array.from({ length: 100 }, (_, index) => ({ index, text: 'größe' })) }
    await store.create(newRun('a', { input: value, context: { a: value, __proto__x: 1 } }))
    const held = await claim(store, 'a')
    await store.commit({
      ...step('a', held),
      commitId: 'step',
      outcome: { type: 'stepped', step: { position: 0, kind: 'step', name: 's', result: value } },
    })
    await store.commit(step('a', held, { output: value, deltas: [{ op: 'append', key: 'l', values: [value, 'y'] }] }))
    await store.notify({ type: 'signal', runId: id('a'), name: 'news', payload: value })

    const record = await open().load(id('a'))

    expect(record?.input).toEqual(value)
    expect(record?.context).toEqual({ a: value, __proto__x: 1, l: [value, 'y'] })
    expect(record?.instances[0]).toMatchObject({ output: value, steps: [{ result: value }] })
    expect(sizeOf('a')).toBeLessThan(4_000)
    expect(readdirSync(paths.run(id('a')).blobs)).toHaveLength(2)
  })

  it('that were changed on the disk are reported', async () => {
    await open().create(newRun('a', { input: large }))
    const { blobs } = paths.run(id('a'))
    const [name = ''] = readdirSync(blobs)
    writeFileSync(join(blobs, name), JSON.stringify('y'.repeat(1_000_000)))

    await expect(open().load(id('a'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('that are missing stop that run only', async () => {
    const clock = testClock()
    await open({ clock }).create(newRun('bad', { input: large }))
    await open({ clock }).create(newRun('good'))
    rmSync(paths.run(id('bad')).blobs, { recursive: true })

    const after = open({ clock })
    await expect(after.load(id('bad'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect((await after.list()).runs.map(({ runId }) => runId)).toEqual(['good'])
    expect(dueIds(await after.due({ limit: 10 }))).toEqual(['good/n0'])
    expect(await after.purge({ endedBeforeMs: clock.now() })).toBe(0)
  })

  it('are kept for a start that finds those of one that died long ago', async () => {
    const store = open()
    await store.create(newRun('a', { input: large }))
    const { log, blobs } = paths.run(id('a'))
    const after = open()
    rmSync(log)
    const longAgo = new Date(Date.now() - 2 * 86_400_000)
    utimesSync(blobs, longAgo, longAgo)

    await Promise.all([after.create(newRun('a', { input: large })), after.purge({ endedBeforeMs: 0 })])

    expect(await open().load(id('a'))).toMatchObject({ status: 'pending', input: large })
  })

  it('above the limits are refused, and nothing is written', async () => {
    const store = open({ recordMaxBytes: 2_048, valueMaxBytes: 100_000, inlineMaxBytes: 1_024 })

    expect(await store.create(newRun('a', { input: large }))).toEqual({ status: 'too-large', limitBytes: 100_000 })
    expect(await store.create(newRun('a', { tags: ['x'.repeat(3_000)] }))).toEqual({
      status: 'too-large',
      limitBytes: 2_048,
    })
    expect(existsSync(logOf('a'))).toBe(false)
    await store.create(newRun('a'))
    const size = sizeOf('a')
    const held = await claim(store, 'a')
    expect(await store.commit(step('a', held, { output: large }))).toMatchObject({ status: 'too-large' })
    expect((await store.commit(step('a', held, { output: 'small' }))).status).toBe('committed')
    expect(sizeOf('a')).toBeGreaterThan(size)
  })
})

describe('what is due', () => {
  let clock: TestClock
  beforeEach(() => {
    clock = testClock()
  })

  it('is found by any store, oldest first, without opening what is not due', async () => {
    const store = open({ clock })
    const day = 86_400_000
    await store.create(newRun('later', { startAtMs: clock.now() + 365 * day }))
    await store.create(newRun('soon', { startAtMs: clock.now() + 30_500 }))
    await store.create(newRun('now'))
    writeFileSync(logOf('later'), 'not a log: reading it would be an error\n\n')

    const other = open({ clock })
    expect(dueIds(await other.due({ limit: 10 }))).toEqual(['now/n0'])
    clock.advance(30_499)
    expect(dueIds(await other.due({ limit: 10 }))).toEqual(['now/n0'])
    clock.advance(1)
    expect(dueIds(await other.due({ limit: 10 }))).toEqual(['now/n0', 'soon/n0'])
    expect(dueIds(await other.due({ limit: 1 }))).toEqual(['now/n0'])
    expect(dueIds(await other.due({ limit: 9, runId: id('soon') }))).toEqual(['soon/n0'])

    // A marker more, as two processes may leave it.
    new DueWheel(paths).put(paths.run(id('now')), 0)
    expect(dueIds(await other.due({ limit: 10 }))).toEqual(['now/n0', 'soon/n0'])
  })

  it('is found to the instant, a year ahead, with a few moves of one marker', async () => {
    const store = open({ clock })
    const startAtMs = clock.now() + 365 * 86_400_000 + 12_345
    await store.create(newRun('a', { startAtMs }))
    const size = sizeOf('a')

    while (startAtMs - clock.now() > 1) {
      clock.advance(Math.max(1, Math.floor((startAtMs - clock.now()) / 3)))
      expect(await store.due({ limit: 10 })).toEqual([])
    }
    clock.advance(1)

    expect(dueIds(await store.due({ limit: 10 }))).toEqual(['a/n0'])
    expect(sizeOf('a') - size).toBeLessThan(1_000)
    expect(buckets()).toHaveLength(1)
  })

  it('never includes a run whose start no clock will reach', async () => {
    await open({ clock }).create(newRun('a', { startAtMs: Number.MAX_VALUE }))
    clock.advance(1e12)

    expect(await open({ clock }).due({ limit: 10 })).toEqual([])
    expect((await open({ clock }).load(id('a')))?.status).toBe('pending')
  })

  it('includes leases that ended, once they have', async () => {
    const store = open({ clock })
    await store.create(newRun('a'))
    await claim(store, 'a')
    expect(await store.due({ limit: 10 })).toEqual([])
    clock.advance(29_999)
    expect(await store.due({ limit: 10 })).toEqual([])
    clock.advance(1)

    expect(dueIds(await open({ clock }).due({ limit: 10 }))).toEqual(['a/n0'])
  })

  it('includes at once what news from outside made ready in a run that slept for years', async () => {
    const [sweeper, other] = [open({ clock }), open({ clock })]
    await other.create(newRun('a'))
    const held = await claim(other, 'a')
    await other.commit({
      ...step('a', held),
      outcome: {
        type: 'awaited',
        step: { position: 0, kind: 'signal', name: 'go' },
        wait: { kind: 'signal', name: 'go' },
      },
    })
    clock.advance(1_000)
    expect(await sweeper.due({ limit: 10 })).toEqual([])
    expect(buckets()).toEqual([])
    clock.advance(86_400_000)

    await other.notify({ type: 'signal', runId: id('a'), name: 'go' })

    expect(dueIds(await sweeper.due({ limit: 10 }))).toEqual(['a/n0'])
  })

  it('includes what a commit made ready right after a sweep had moved the marker', async () => {
    const [sweeper, worker] = [open({ clock }), open({ clock })]
    await worker.create(newRun('a'))
    const held = await claim(worker, 'a')
    await sweeper.due({ limit: 10 })
    clock.advance(2_000)

    await worker.commit(step('a', held))

    expect(dueIds(await sweeper.due({ limit: 10 }))).toEqual(['a/n1'])
  })

  it('is not missed when somebody writes while a sweep moves the marker', async () => {
    await open({ clock }).create(newRun('a'))
    const [mover, writer] = [storedRun('a'), storedRun('a')]
    for (const run of [mover, writer]) run.sync()
    const { markerMs } = mover
    const command = { type: 'claim', request: claimOf('a') }
    writer.append(JSON.stringify({ atMs: clock.now(), command }))

    expect(mover.moveMarker(clock.now(), markerMs + 60_000)).toBe(false)
    expect(mover.markerMs).toBe(markerMs)
    expect(mover.moveMarker(clock.now(), markerMs + 60_000)).toBe(true)
    writer.sync()
    expect(writer.markerMs).toBe(markerMs + 60_000)
  })

  it('reminds of unsent work after growing intervals', async () => {
    const store = open({ clock, redispatchMs: 1_000, redispatchMaxMs: 4_000 })
    await store.create(newRun('a'))
    const seen: number[] = []
    const start = clock.now()
    for (let round = 0; round < 160; round++) {
      const items = await store.due({ limit: 10, unsentOnly: true })
      if (items.length > 0) seen.push(clock.now() - start)
      await store.redispatch(items)
      clock.advance(100)
    }

    expect(seen).toEqual([1_000, 2_000, 4_000, 8_000, 12_000])
    expect(dueIds(await open({ clock }).due({ limit: 10 }))).toEqual(['a/n0'])
  })

  it('comes back when all markers are lost', async () => {
    const store = open({ clock })
    await store.create(newRun('a'))
    await store.create(newRun('b', { startAtMs: clock.now() + 5_000 }))
    await runLine(store, 'ended', 1)
    rmSync(paths.due, { recursive: true })
    mkdirSync(paths.due)

    const after = open({ clock })
    const deadline = Date.now() + 5_000
    while (buckets().length < 2 && Date.now() < deadline) {
      await after.due({ limit: 10 })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }

    expect(dueIds(await after.due({ limit: 10 }))).toEqual(['a/n0'])
    clock.advance(5_000)
    expect(dueIds(await after.due({ limit: 10 }))).toEqual(['a/n0', 'b/n0'])
  })

  it('keeps no marker of a run that has ended, nor of one that was never created', async () => {
    const store = open({ clock })
    await runLine(store, 'a', 2)
    mkdirSync(paths.bucket(clock.now()), { recursive: true })
    writeFileSync(join(paths.bucket(clock.now()), 'never'), '')
    await store.due({ limit: 10 })
    expect(buckets()).toHaveLength(1)
    clock.advance(61_000)

    await store.due({ limit: 10 })

    expect(buckets()).toEqual([])
  })

  it('includes a deadline that has passed, which then ends the run', async () => {
    const store = open({ clock })
    await store.create(newRun('a', { deadlineMs: 10_000, startAtMs: clock.now() + 60_000_000 }))
    await store.create(newRun('b', { deadlineMs: 10_000 }))
    await claim(store, 'b')
    clock.advance(10_000)

    expect(dueIds(await store.due({ limit: 10 }))).toContain('b/deadline')
    await store.notify({ type: 'deadline', runId: id('b') })

    expect((await open({ clock }).load(id('b')))?.error?.code).toBe('RUN_TIMEOUT')
  })
})

describe('following a journal', () => {
  it('goes on live with what another store commits, and ends with the run', { timeout: 10_000 }, async () => {
    const [writer, reader] = [open(), open({ pollMs: 60_000 })]
    await writer.create(newRun('a'))
    const seen: RunEvent[] = []
    const following = (async () => {
      for await (const event of reader.journal(id('a'), { live: true })) seen.push(event)
    })()

    const held = await claim(writer, 'a')
    while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 2))
    await writer.commit(step('a', held))
    await writer.commit(step('a', await claim(writer, 'a', 'n1'), { last: true }))
    await following

    expect(seen.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
    expect(seen).toEqual(await journal(writer, 'a'))
    const tail: RunEvent[] = []
    for await (const event of reader.journal(id('a'), { from: 5, live: true })) tail.push(event)
    expect(tail).toEqual(seen.slice(4))
  })

  it('ends when its signal fires and when the store is closed', { timeout: 10_000 }, async () => {
    const store = open()
    await store.create(newRun('a'))
    const follow = async (signal?: AbortSignal) => {
      let count = 0
      for await (const _ of store.journal(id('a'), { live: true, ...(signal === undefined ? {} : { signal }) }))
        count += 1
      return count
    }
    const stop = new AbortController()
    const [first, second] = [follow(stop.signal), follow()]
    await new Promise((resolve) => setTimeout(resolve, 20))
    stop.abort()
    expect(await first).toBe(1)

    await store.close()

    expect(await second).toBe(1)
    await expect(store.load(id('a'))).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('many runs', () => {
  it('are listed newest first, page by page, by a store that has read none of them', async () => {
    const clock = testClock()
    const store = open({ clock })
    for (let index = 0; index < 7; index++) {
      await runLine(store, `r${index}`, index % 2 === 0 ? 1 : 1, { tags: index === 3 ? ['special'] : [] })
      clock.advance(10)
    }
    await store.create(newRun('live'))

    const other = open({ clock })
    const first = await other.list({ limit: 3 })
    const second = await other.list({ limit: 3, ...(first.cursor === undefined ? {} : { cursor: first.cursor }) })

    expect(first.runs.map(({ runId }) => runId)).toEqual(['live', 'r6', 'r5'])
    expect(second.runs.map(({ runId }) => runId)).toEqual(['r4', 'r3', 'r2'])
    expect((await store.list({ status: ['running'] })).runs).toEqual([])
    expect((await other.list({ status: ['running', 'pending'] })).runs.map(({ runId }) => runId)).toEqual(['live'])
    expect((await other.list({ tag: 'special' })).runs[0]).toMatchObject({
      runId: 'r3',
      status: 'completed',
      output: 0,
    })
    await other.claim(claimOf('live'))
    expect((await store.list({ status: ['running'] })).runs.map(({ runId }) => runId)).toEqual(['live'])
  })

  it('are listed as ended only when that is safe from a power cut', async () => {
    const store = open()
    await runLine(store, 'a', 1)
    await open().create(newRun('b'))
    const synced: string[] = []
    const files = OpenFiles.prototype
    const { pinned } = files
    files.pinned = function (file, work) {
      synced.push(file.identity)
      return pinned.call(this, file, work)
    }
    const runs = await open()
      .list()
      .finally(() => {
        files.pinned = pinned
      })
    expect(runs.runs.map(({ runId, status }) => [runId, status])).toEqual([
      ['b', 'pending'],
      ['a', 'completed'],
    ])
    // Nobody knows whether the other process has come to that: the log of the ended one is synced, and no other.
    expect(synced).toEqual([identityOf(statSync(logOf('a')))])
  })

  it('are listed the same when the notes are lost or lie', async () => {
    const store = open()
    for (const runId of ['a', 'b']) await runLine(store, runId, 2)
    const expected = await store.list()
    writeFileSync(paths.notes, '\nnonsense\n')
    expect(await open().list()).toEqual(expected)

    rmSync(paths.notes)
    expect(await open().list()).toEqual(expected)
  })

  it('are removed after their time, all of a run together, and their ids stay taken', async () => {
    const clock = testClock()
    const [store, other] = [open({ clock }), open({ clock })]
    await runLine(store, 'old', 1, { input: 'x'.repeat(100_000) })
    await other.load(id('old'))
    await store.create(newRun('root'))
    await runLine(store, 'child', 1, { lineage: { rootRunId: id('root') } })
    clock.advance(10_000)
    await runLine(store, 'young', 1)

    expect(await store.purge({ endedBeforeMs: clock.now() - 5_000 })).toBe(1)

    expect(await store.load(id('old'))).toBeUndefined()
    expect(await other.load(id('old'))).toBeUndefined()
    expect(await other.claim(claimOf('old'))).toEqual({ status: 'unknown-run' })
    expect(await other.create(newRun('old'))).toEqual({ status: 'purged' })
    expect((await other.list()).runs.map(({ runId }) => runId).sort()).toEqual(['child', 'root', 'young'])
    expect(readdirSync(paths.run(id('old')).folder).filter((name) => name.startsWith('old'))).toEqual([])
    expect(readdirSync(paths.trash)).toEqual([])

    clock.advance(15 * 86_400_000)
    await store.purge({ endedBeforeMs: 0 })
    expect(await other.create(newRun('old'))).toEqual({ status: 'created' })
  })

  it('are not removed because the tombstone of an earlier run of that id is tidied up', async () => {
    const clock = testClock()
    const store = open({ clock })
    writeFileSync(join(paths.tombstones, 'daily'), tombstoneText(clock.now() - 1_000))
    await runLine(store, 'early', 1)
    await store.purge({ endedBeforeMs: clock.now() + 1 })
    clock.advance(16 * 86_400_000)

    for (const runId of ['daily', 'early']) expect(await store.create(newRun(runId))).toEqual({ status: 'created' })
    await store.purge({ endedBeforeMs: 0 })

    for (const runId of ['daily', 'early']) expect(await open({ clock }).load(id(runId))).toMatchObject({ runId })
    // Nor does the tombstone count again if the clock is set back.
    const back = open({ clock: testClock(clock.now() - 10 * 86_400_000) })
    await back.purge({ endedBeforeMs: 0 })
    for (const runId of ['daily', 'early']) expect(await back.load(id(runId))).toMatchObject({ runId })
  })

  it('give their ids back at the first try, in the process that purged and in one that still has them', async () => {
    const clock = testClock()
    const [store, other] = [open({ clock }), open({ clock })]
    await runLine(store, 'a', 1)
    await runLine(store, 'b', 1)
    for (const runId of ['a', 'b']) await other.load(id(runId))
    await store.purge({ endedBeforeMs: clock.now() + 1 })
    clock.advance(15 * 86_400_000)

    expect(await store.create(newRun('a', { input: 1 }))).toEqual({ status: 'created' })
    expect(await other.create(newRun('b', { input: 2 }))).toEqual({ status: 'created' })

    expect(await store.load(id('a'))).toMatchObject({ status: 'pending', input: 1 })
    expect(await store.load(id('b'))).toMatchObject({ status: 'pending', input: 2 })
    expect(await store.purge({ endedBeforeMs: clock.now() + 1 })).toBe(0)
  })

  it('are gone, and not damaged, for a store that had not read their last large value', async () => {
    const [first, second] = [open(), open()]
    await first.create(newRun('a'))
    const held = await claim(first, 'a')
    await second.load(id('a'))
    await first.commit(step('a', held, { output: 'x'.repeat(100_000), last: true }))
    expect(await first.purge({ endedBeforeMs: Date.now() + 1_000 })).toBe(1)

    expect(await second.due({ limit: 1, runId: id('a') })).toEqual([])
    expect(await second.load(id('a'))).toBeUndefined()
    expect(await second.claim(claimOf('a'))).toEqual({ status: 'unknown-run' })
  })

  it('are taken away by the next purge when one died right after their tombstones', async () => {
    const clock = testClock()
    const store = open({ clock })
    await runLine(store, 'ended', 1)
    for (const runId of ['ended', 'torn']) {
      writeFileSync(join(paths.tombstones, runId), tombstoneText(clock.now() + 86_400_000))
    }
    mkdirSync(paths.run(id('torn')).folder, { recursive: true })
    writeFileSync(logOf('torn'), '')

    await open({ clock }).purge({ endedBeforeMs: 0 })

    for (const runId of ['ended', 'torn']) {
      expect(existsSync(logOf(runId))).toBe(false)
      expect(await open({ clock }).create(newRun(runId))).toEqual({ status: 'purged' })
    }
  })

  it('leave tombstones of which only those that may be over are looked at, a few at a time', async () => {
    const clock = testClock()
    const store = open({ clock, durability: 'process' })
    const tombstones = new Tombstones({ paths, lifeMs: 14 * 86_400_000, settleRedo: () => {} })
    const ids = Array.from({ length: 500 }, (_, index) => id(`R${index}`))
    await tombstones.put(ids, clock.now(), new FolderSync())
    const kept = () => readdirSync(paths.tombstones).filter((name) => name.startsWith('r')).length
    // In no list: nobody looks at it.
    writeFileSync(join(paths.tombstones, 'strange'), tombstoneText(1))

    clock.advance(13 * 86_400_000)
    await store.purge({ endedBeforeMs: 0 })
    expect(kept()).toBe(500)
    // One was given to a later run since, which was purged too.
    clock.advance(2 * 86_400_000)
    await tombstones.put([id('R7')], clock.now(), new FolderSync())
    let turns = 0
    let done = false
    const count = () => {
      turns += 1
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    await store.purge({ endedBeforeMs: 0 })
    done = true

    expect(kept()).toBe(1)
    expect(tombstones.has(id('R7'), clock.now())).toBe(true)
    expect(tombstones.has(id('R8'), clock.now())).toBe(false)
    expect(turns).toBeGreaterThanOrEqual(9)
    expect(existsSync(join(paths.tombstones, 'strange'))).toBe(true)
    expect(readdirSync(paths.trash)).toEqual([])
    expect(readdirSync(join(paths.tombstones, '~days'))).toHaveLength(1)
  })

  it('are unknown to a process that thought them alive, whatever they referred to', async () => {
    for (const ask of ['claim', 'commit', 'cancel', 'load'] as const) {
      const [stale, other] = [open(), open()]
      await stale.create(newRun(ask, { starts: ['n0', 'm0'] }))
      const mine = await claim(stale, ask, 'm0')
      const theirs = await claim(other, ask, 'n0')
      await stale.load(id(ask))
      await other.commit(step(ask, theirs, { output: 'large'.repeat(20_000), last: true }))
      await other.notify({ type: 'cancel', runId: id(ask), reason: 'enough' })
      await other.commit({ ...step(ask, mine), outcome: { type: 'cancelled', reason: 'enough' } })
      expect(await other.purge({ endedBeforeMs: Date.now() + 60_000 })).toBe(1)

      const answers = {
        claim: () => stale.claim(claimOf(ask, 'm0')),
        commit: () => stale.commit(step(ask, mine)),
        cancel: () => stale.notify({ type: 'cancel', runId: id(ask), reason: 'late' }),
        load: async () => (await stale.load(id(ask))) ?? { status: 'unknown-run' },
      }
      expect(await answers[ask](), ask).toEqual({ status: 'unknown-run' })
    }
  })

  it('tell those who listen how they ended, even where a late command sees it first', async () => {
    await open().create(newRun('a'))
    const cancel = JSON.stringify({
      atMs: 0,
      command: { type: 'notify', notice: { type: 'cancel', reason: 'enough' } },
    })
    const [late, other] = [storedRun('a'), storedRun('a')]
    for (const run of [late, other]) run.sync()
    const seen: string[] = []
    late.listen(({ type }) => void seen.push(type))
    other.append(cancel)
    rmSync(logOf('a'))

    expect(late.append(cancel)).toMatchObject({ result: { status: 'ended' } })
    expect(late.removed).toBe(true)
    expect(seen).toEqual(['run-cancel-requested', 'run-cancelled'])
  })

  it('answer a command that they still took, and leave the next run of their id alone', async () => {
    const store = open()
    await store.create(newRun('a'))
    const line = (command: object) => JSON.stringify({ atMs: 0, command })
    const signal = { type: 'signal', runId: id('a'), name: 's' } as const
    const { writeSync: write } = fs
    // Between our line and our look at it: the run ends, is purged, and its id is taken again.
    const spy = vi.spyOn(fs, 'writeSync').mockImplementationOnce(((...args: Parameters<typeof write>) => {
      const written = write(...args)
      const other = storedRun('a')
      other.sync()
      other.append(line({ type: 'notify', notice: { type: 'cancel', reason: 'enough' } }))
      rmSync(logOf('a'))
      storedRun('a').append(line({ type: 'create', run: newRun('a') }), { create: true })
      return written
    }) as typeof write)
    syncBuiltinESMExports()

    const answer = await store.notify(signal)

    spy.mockRestore()
    syncBuiltinESMExports()
    expect(answer).toMatchObject({ status: 'accepted' })
    expect((await journal(open(), 'a')).map(({ type }) => type)).toEqual(['run-started'])
  })

  it('stay correct when only a few fit into memory and a few files may be open', async () => {
    const store = open({ cachedRuns: 3, openFiles: 2 })
    const ids = Array.from({ length: 12 }, (_, index) => `r${index}`)
    const held = new Map<string, Awaited<ReturnType<typeof claim>>>()
    for (const runId of ids) {
      await store.create(newRun(runId))
      held.set(runId, await claim(store, runId))
    }
    await Promise.all(
      ids.map((runId) => store.commit(step(runId, held.get(runId) as never, { output: runId, last: true }))),
    )

    for (const runId of ids) expect((await open().load(id(runId)))?.output).toBe(runId)
  })
})

describe('the folder', () => {
  it('is closed to others, and says what is what', async () => {
    const store = open()
    await store.create(newRun('a', { input: 'x'.repeat(100_000) }))

    expect(statSync(folder.path).mode & 0o077).toBe(0)
    for (const path of [logOf('a'), paths.settings, paths.readme]) expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(paths.run(id('a')).blobs).mode & 0o777).toBe(0o700)
    expect(readFileSync(paths.readme, 'utf8')).toContain('runs/')
  })

  it('holds every process to one durability and one format', async () => {
    open({ durability: 'process' })

    expect(open().durability).toBe('process')
    expect(() => open({ durability: 'power' })).toThrow(expect.objectContaining({ field: 'durability' }))
    writeFileSync(paths.settings, '{"format":2,"durability":"process"}')
    expect(() => open()).toThrow(expect.objectContaining({ field: 'directory' }))
  })

  it('names the option that cannot be used', () => {
    expect(() => open({ cachedRuns: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', field: 'cachedRuns' }),
    )
    expect(() => open({ recordMaxBytes: 1e9 })).toThrow(expect.objectContaining({ field: 'recordMaxBytes' }))
    expect(() => open({ durability: 'replicated' as never })).toThrow(expect.objectContaining({ field: 'durability' }))
    const slip = { visiblityMs: 5 } as object
    for (const make of [
      () => open(slip),
      () => new FileJobQueue({ directory: folder.path, ...slip }),
      () => new FileCoordinationStore({ directory: folder.path, ...slip }),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field: 'options.visiblityMs' }))
    }
    expect(() => new FileRunStore(undefined as never)).toThrow(expect.objectContaining({ field: 'options' }))
    expect(() => new FileRunStore({ directory: '' })).toThrow(expect.objectContaining({ field: 'directory' }))
  })
})

describe('an id that is free again', () => {
  it('is the new run at once, also for a store that still knows the old one', async () => {
    const clock = testClock()
    const [store, other] = [open({ clock }), open({ clock })]
    await runLine(store, 'again', 1)
    await other.load(id('again'))
    clock.advance(10_000)
    await store.purge({ endedBeforeMs: clock.now() })
    clock.advance(15 * 86_400_000)

    expect(await store.create(newRun('again'))).toEqual({ status: 'created' })

    expect(await other.claim(claimOf('again'))).toMatchObject({ status: 'claimed' })
    expect(await other.load(id('again'))).toMatchObject({ status: 'running' })
  })

  it('is the new run also where only the descriptor of the old one is left', async () => {
    const clock = testClock()
    const [store, other] = [open({ clock }), open({ clock, cachedRuns: 1 })]
    for (const runId of ['again', 'next']) {
      await runLine(store, runId, 1)
      await other.load(id(runId))
    }
    clock.advance(10_000)
    await store.purge({ endedBeforeMs: clock.now() })
    clock.advance(15 * 86_400_000)
    await store.create(newRun('again'))

    expect(await other.claim(claimOf('again'))).toMatchObject({ status: 'claimed' })
  })
})
