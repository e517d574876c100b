/** A log of coordination keys, hurt at every byte: the keys are as they were, or as they were earlier, or it is reported. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileCoordinationStore } from '../../src/coordination-store.ts'
import { Paths } from '../../src/paths.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { withoutSyncs } from '../no-syncs.ts'
import { ALL_BITS, cuts, flips, onEach } from './hurt.ts'

let folder: TestFolder
let path: string
let syncAgain: () => void
beforeEach(() => {
  syncAgain = withoutSyncs()
  folder = testFolder()
  const paths = new Paths(folder.path)
  path = join(paths.coordination, `${paths.coordinationShardOf('key').toString(16)}-00000000.log`)
})
afterEach(() => {
  folder.remove()
  syncAgain()
})

async function withStore<Result>(work: (store: FileCoordinationStore) => Promise<Result>): Promise<Result> {
  const store = new FileCoordinationStore({ directory: folder.path })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const values = [undefined, 'first', 'second', 'third ünïcode', undefined, '1', '3']

async function write(): Promise<Buffer> {
  await withStore(async (store) => {
    expect(await store.setIfNotExist('key', 'first')).toBe(true)
    expect(await store.compareAndSet('key', 'first', 'second', { ttlMs: 1e9 })).toBe(true)
    expect(await store.compareAndSet('key', 'second', 'third ünïcode')).toBe(true)
    expect(await store.delete('key')).toBe(true)
    expect(await store.increment('key')).toBe(1)
    expect(await store.increment('key', 2)).toBe(3)
  })
  return readFileSync(path)
}

const wholeLines = (bytes: Buffer) => bytes.toString().split('}\n').length - 1

describe('a log of coordination keys', () => {
  it('cut at any byte says what its whole lines say, and goes on', { timeout: 120_000 }, async () => {
    await onEach(path, cuts(await write()), async ({ bytes }) => {
      await withStore(async (store) => {
        expect(await store.get('key')).toBe(values[wholeLines(bytes)])
        // A line that lacks nothing but its end counts as soon as another has been written. Then the key goes.
        await store.setIfNotExist('key', 'any')
        await store.delete('key')
        await store.setIfNotExist('key', 'new')
        await store.compareAndSet('key', 'new', 'newer')
        expect(await store.get('key')).toBe('newer')
      })
      expect(await withStore((store) => store.get('key'))).toBe('newer')
    })
  })

  it('with any bit flipped is reported by its name, or says what it said', { timeout: 120_000 }, async () => {
    let reported = 0
    const count = await onEach(path, flips(await write(), ALL_BITS), async () => {
      try {
        expect(await withStore((store) => store.get('key'))).toBe('3')
      } catch (error) {
        if ((error as { code?: string }).code !== 'STORE_CORRUPT') throw error
        expect((error as Error).message).toContain(path)
        reported += 1
      }
    })
    expect(reported).toBeGreaterThan(count * 0.9)
  })
})
