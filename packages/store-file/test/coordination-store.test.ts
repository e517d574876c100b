import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileCoordinationStore } from '../src/coordination-store.ts'
import { Paths } from '../src/paths.ts'
import { startChild } from './child.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { testClock } from './test-clock.ts'

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

describe('the coordination store', () => {
  it('has one winner among stores that share the folder', async () => {
    const stores = Array.from({ length: 4 }, () => new FileCoordinationStore({ directory: folder.path }))

    const won = await Promise.all(stores.map((store, index) => store.setIfNotExist('lock', `${index}`)))

    expect(won.filter(Boolean)).toHaveLength(1)
    const values = await Promise.all(stores.map((store) => store.get('lock')))
    expect(new Set(values)).toEqual(new Set([String(won.indexOf(true))]))
  })

  it('keeps what it was given when the process that wrote it is gone', async () => {
    const store = new FileCoordinationStore({ directory: folder.path })
    await store.setIfNotExist('a', '1')
    await store.increment('n', 5)
    await store.close()

    const next = new FileCoordinationStore({ directory: folder.path })

    expect(await next.get('a')).toBe('1')
    expect(await next.increment('n')).toBe(6)
  })

  it('lets a key expire for everybody by the time of the operations', async () => {
    const clock = testClock()
    const [first, second] = [0, 1].map(() => new FileCoordinationStore({ directory: folder.path, clock })) as [
      FileCoordinationStore,
      FileCoordinationStore,
    ]
    await first.setIfNotExist('lock', 'first', { ttlMs: 1_000 })
    clock.advance(999)
    expect(await second.setIfNotExist('lock', 'second')).toBe(false)
    expect(await second.extendTTL('lock', 500)).toBe(true)
    clock.advance(499)
    expect(await first.get('lock')).toBe('first')
    clock.advance(1)

    expect(await first.get('lock')).toBeUndefined()
    expect(await second.setIfNotExist('lock', 'second')).toBe(true)
    expect(await first.compareAndDelete('lock', 'first')).toBe(false)
  })

  it('never goes back in time, though the clock of a process does', async () => {
    const [early, late] = [testClock(1_000_000), testClock(2_000_000)]
    const [first, second] = [
      new FileCoordinationStore({ directory: folder.path, clock: early }),
      new FileCoordinationStore({ directory: folder.path, clock: late }),
    ]
    await second.setIfNotExist('lock', 'x', { ttlMs: 1_000 })

    expect(await first.extendTTL('lock', 5_000)).toBe(true)
    late.advance(4_999)

    expect(await second.get('lock')).toBe('x')
  })

  it('keeps keys literally, whatever they are called', async () => {
    const store = new FileCoordinationStore({ directory: folder.path })
    for (const key of ['__proto__', 'constructor', '../../etc/passwd', 'größe {x}', '*']) {
      expect(await store.setIfNotExist(key, `value of ${key}`)).toBe(true)
      expect(await store.get(key)).toBe(`value of ${key}`)
    }
  })

  it('replaces a log that has grown long, with what is left of it', async () => {
    const clock = testClock()
    const store = new FileCoordinationStore({ directory: folder.path, clock, sealBytes: 2_000 })
    const other = new FileCoordinationStore({ directory: folder.path, clock, sealBytes: 2_000 })
    await store.setIfNotExist('kept', 'yes')
    for (let round = 0; round < 300; round++) {
      await store.increment('counter')
      await store.setIfNotExist(`mark-${round}`, 'x', { ttlMs: 10 })
      clock.advance(20)
    }

    expect(await other.get('kept')).toBe('yes')
    expect(await other.increment('counter')).toBe(301)
    expect(await other.get('mark-299')).toBeUndefined()
    const paths = new Paths(folder.path)
    const { coordination } = paths
    const names = readdirSync(coordination)
    // One log per shard that was used, and none of the old ones.
    expect(new Set(names.map((name) => name.split('-')[0])).size).toBe(names.length)
    expect(names).not.toContain(`${paths.coordinationShardOf('counter').toString(16)}-00000000.log`)
    for (const name of names) expect(statSync(join(coordination, name)).size).toBeLessThan(5_000)
  })

  it('counts every increment of every process once, while logs are replaced', { timeout: 60_000 }, async () => {
    const children = [0, 1, 2].map(() =>
      startChild(new URL('./children/increment.ts', import.meta.url), [folder.path, '400', '4096']),
    )
    await Promise.all(children.map((child) => child.ended()))

    const sums = children.flatMap((child) => child.lines.map(Number))
    expect(new Set(sums).size).toBe(1_200)
    expect(Math.max(...sums)).toBe(1_200)
    const store = new FileCoordinationStore({ directory: folder.path })
    expect(await store.increment('counter', 0)).toBe(1_200)
  })

  it('goes on when processes are killed anywhere, and gives no sum twice', { timeout: 60_000 }, async () => {
    const sums: number[] = []
    for (let round = 0; round < 4; round++) {
      const children = [0, 1].map(() =>
        startChild(new URL('./children/increment.ts', import.meta.url), [folder.path, '1000000', '2048']),
      )
      await Promise.all(children.map((child) => child.printed(100 + 37 * round)))
      await Promise.all(children.map((child) => child.kill()))
      sums.push(...children.flatMap((child) => child.lines.map(Number)))
    }

    const store = new FileCoordinationStore({ directory: folder.path, sealBytes: 2048 })
    const total = await store.increment('counter', 0)
    expect(new Set(sums).size).toBe(sums.length)
    expect(total).toBeGreaterThanOrEqual(sums.length)
    // Each of the eight may have died between its record and its line.
    expect(total).toBeLessThanOrEqual(sums.length + 8)
  })

  it('refuses bad arguments and names them', async () => {
    const store = new FileCoordinationStore({ directory: folder.path })

    await expect(store.get('')).rejects.toMatchObject({ code: 'INVALID_ID', field: 'key' })
    await expect(store.get('a\nb')).rejects.toMatchObject({ field: 'key' })
    await expect(store.setIfNotExist('a', 'b', { ttlMs: -1 })).rejects.toMatchObject({ field: 'ttlMs' })
    await store.setIfNotExist('text', 'abc')
    await expect(store.increment('text')).rejects.toMatchObject({ code: 'DELTA_CONFLICT' })
  })

  it('says that it is closed', async () => {
    const store = new FileCoordinationStore({ directory: folder.path })
    await store.close()

    await expect(store.get('a')).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
