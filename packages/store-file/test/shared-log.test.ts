import fs, {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FolderSync } from '../src/disk.ts'
import { encodeFrame } from '../src/frame.ts'
import { OpenFiles } from '../src/open-files.ts'
import { SharedLog } from '../src/shared-log.ts'
import { startChild } from './child.ts'
import { type TestFolder, testFolder } from './folder.ts'

let folder: TestFolder
let path: string

beforeEach(() => {
  folder = testFolder()
  path = join(folder.path, 'a.log')
})
afterEach(() => {
  for (const files of opened.splice(0)) files.close()
  folder.remove()
})

const opened: OpenFiles[] = []

function open(files = new OpenFiles(8)): SharedLog {
  opened.push(files)
  return new SharedLog({ path, files, folders: new FolderSync(), fsynced: true })
}

const texts = (log: SharedLog) => log.read().map(({ text }) => text)
const five = [0, 1, 2, 3, 4].map((number) => `{"number":${number},"text":"Jäger*${'ab'.repeat(number * 3)}"}`)

function writeFive(): Buffer {
  const bytes = Buffer.concat(five.map((text, index) => encodeFrame(`w.${index}`, text)))
  writeFileSync(path, bytes)
  return bytes
}

describe('a shared log', () => {
  it('gives every reader what everybody appended, in one order', () => {
    const [first, second] = [open(), open()]
    first.append('1', { create: true })
    second.append('2', { create: true })
    first.append('3')

    expect(texts(second)).toEqual(['3'])
    expect(texts(open())).toEqual(['1', '2', '3'])
  })

  it('tells an appender what came before its record', () => {
    const [first, second] = [open(), open()]
    first.append('1', { create: true })
    second.append('2')

    const { records, mine } = first.append('3')

    expect(records.map(({ text }) => text)).toEqual(['2', '3'])
    expect(mine).toBe(1)
  })

  it('has nothing where there is no file, and makes none unasked', () => {
    const log = open()

    expect(log.read()).toEqual([])
    expect(log.append('1').mine).toBe(-1)
    expect(log.found).toBe(false)
  })

  it('reads records larger than one chunk', () => {
    const large = JSON.stringify('x'.repeat(9_000_000))
    const log = open()
    log.append('1', { create: true })
    log.append(large)
    log.append('2')

    const read = texts(open())

    expect(read.map(({ length }) => length)).toEqual([1, large.length, 1])
  })

  it('loses nothing when a later chunk cannot be read', () => {
    const log = open()
    log.append('0', { create: true })
    const large = Array.from({ length: 3 }, (_, index) => `${index}${'x'.repeat(3 * 1024 * 1024)}`)
    appendFileSync(path, Buffer.concat(large.map((text, index) => encodeFrame(`w.${index}`, text))))
    const { readSync: read } = fs
    let reads = 0
    const spy = vi.spyOn(fs, 'readSync').mockImplementation(((...args: Parameters<typeof read>) => {
      if (++reads === 2) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
      return read(...args)
    }) as typeof read)
    syncBuiltinESMExports()
    const failing = () => log.read()

    expect(failing).toThrow(/EIO/)

    spy.mockRestore()
    syncBuiltinESMExports()
    expect(texts(log)).toEqual(large)
  })

  it('refuses a record above the limit and writes nothing', () => {
    const log = open()
    log.append('1', { create: true })

    expect(() => log.append(JSON.stringify('x'.repeat(17_000_000)))).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    )
    expect(texts(open())).toEqual(['1'])
  })

  it('recovers from a cut at every byte, and goes on', { timeout: 60_000 }, () => {
    const whole = writeFive()
    for (let length = whole.length; length >= 0; length--) {
      truncateSync(path, length)

      const before = texts(open())
      const { records, mine } = open().append('"next"', { create: true })
      const after = texts(open())

      // A record that lacks nothing but its last line feed is seen once the next record ends the line.
      expect(five.slice(0, before.length)).toEqual(before)
      expect(after.at(-1)).toBe('"next"')
      expect(five.slice(0, after.length - 1)).toEqual(after.slice(0, -1))
      expect(after.length - 1 - before.length).toBeLessThanOrEqual(1)
      expect(records[mine]?.text).toBe('"next"')
    }
  })

  it('reports every bit that flips, or reads all the same: no record is lost silently', { timeout: 60_000 }, () => {
    const whole = writeFive()
    const fd = openSync(path, 'r+')
    let reported = 0
    for (const [index, byte] of whole.entries()) {
      for (let bit = 0; bit < 8; bit++) {
        writeSync(fd, Buffer.from([byte ^ (1 << bit)]), 0, 1, index)

        try {
          expect(texts(open()), `bit ${bit} of byte ${index}`).toEqual(five)
        } catch (error) {
          if ((error as { code?: string }).code !== 'STORE_CORRUPT') throw error
          reported += 1
        }
      }
      writeSync(fd, Buffer.from([byte]), 0, 1, index)
    }
    closeSync(fd)
    expect(reported).toBeGreaterThan(whole.length * 7)
  })

  it('says the same about a damaged log when asked again', () => {
    const bytes = writeFive()
    bytes[30] = (bytes[30] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const log = open()

    expect(() => log.read()).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    expect(() => log.append('1')).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  })

  it('reports a log that somebody has cut', () => {
    writeFive()
    const log = open()
    log.read()

    truncateSync(path, 10)

    expect(() => log.read()).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  })

  it('skips and counts what a dead writer left, and leaves alone what may still be in the making', () => {
    writeFive()
    const half = encodeFrame('dead.0', '{"half":"way"}').subarray(0, 25)
    appendFileSync(path, half)
    const log = open()

    expect(texts(log)).toEqual(five)
    expect(log.tornCount).toBe(0)

    open().append('"next"')

    expect(texts(log)).toEqual(['"next"'])
    expect(log.tornCount).toBe(1)
  })

  it('notices that its file was removed, and writes no new one in its place', () => {
    const log = open()
    log.append('1', { create: true })
    rmSync(path)

    expect(log.read()).toEqual([])
    expect(log.removed).toBe(true)
    expect(log.append('2', { create: true }).mine).toBe(-1)
  })

  it('does not take a new file of the same name for its own', () => {
    const files = new OpenFiles(8)
    const log = open(files)
    log.append('1', { create: true })
    files.forget(path)
    rmSync(path)
    open().append('other', { create: true })

    expect(log.read()).toEqual([])
    expect(log.removed).toBe(true)
  })

  it('does not follow a link out of its folder', () => {
    const target = join(folder.path, 'target')
    writeFileSync(target, '')
    symlinkSync(target, path)

    expect(() => open().append('1', { create: true })).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }))
    expect(readFileSync(target, 'utf8')).toBe('')
  })

  it('refuses all work after a sync that failed', async () => {
    const files = new OpenFiles(8)
    const log = open(files)
    log.append('1', { create: true })
    files.pinned = () => Promise.reject(new Error('EIO'))

    await expect(log.flush()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    Reflect.deleteProperty(files, 'pinned')

    await expect(log.flush()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(() => log.append('2')).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }))
  })

  it('shares one sync among the appends that wait for it', async () => {
    const files = new OpenFiles(8)
    let syncs = 0
    const { pinned } = files
    files.pinned = (file, work) => {
      syncs += 1
      return pinned.call(files, file, work)
    }
    const log = open(files)

    const flushes = Array.from({ length: 20 }, (_, number) => {
      log.append(String(number), { create: true })
      return log.flush()
    })
    await Promise.all(flushes)
    await log.flush()

    expect(syncs).toBe(2)
  })

  it('keeps no more files open than it may', () => {
    const files = new OpenFiles(4)
    mkdirSync(join(folder.path, 'many'))
    const logs = Array.from({ length: 12 }, (_, number) => {
      const log = new SharedLog({
        path: join(folder.path, 'many', `${number}`),
        files,
        folders: new FolderSync(),
        fsynced: true,
      })
      log.append('1', { create: true })
      return log
    })

    expect(files.size).toBe(4)
    expect(logs.every((log) => log.append('2').mine === 0)).toBe(true)
  })

  it('loses no acknowledged record and keeps one order while writers are killed', { timeout: 60_000 }, async () => {
    const acknowledged = new Map<string, number>()
    for (let round = 0; round < 4; round++) {
      const children = [0, 1].map((index) => ({
        name: `${round}.${index}`,
        child: startChild(new URL('./children/append.ts', import.meta.url), [
          path,
          `${round}.${index}`,
          index === 0 ? '60000' : '100',
        ]),
      }))
      await Promise.all(children.map(({ child }) => child.printed(30)))
      await Promise.all(children.map(({ child }) => child.kill()))
      for (const { name, child } of children) acknowledged.set(name, child.lines.length)
    }

    const numbers = new Map<string, number[]>()
    for (const text of texts(open())) {
      const { name, number } = JSON.parse(text) as { name: string; number: number }
      numbers.set(name, [...(numbers.get(name) ?? []), number])
    }
    for (const [name, count] of acknowledged) {
      const found = numbers.get(name) ?? []
      expect(found).toEqual(found.map((_, index) => index))
      expect(found.length).toBeGreaterThanOrEqual(count)
    }
  })
})
