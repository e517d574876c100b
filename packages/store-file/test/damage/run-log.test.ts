/** The log of a run, hurt at every byte: the run is as it was, or as it was earlier, or it is reported. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { RunRecord } from '@baton/core'
import { foldJournal, recordOf } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Paths } from '../../src/paths.ts'
import { FileRunStore } from '../../src/run-store.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { withoutSyncs } from '../no-syncs.ts'
import { claim, id, newRun, step } from '../runs.ts'
import { cuts, flips, onEach } from './hurt.ts'

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

/** A run with values that are text, numbers and keys, two branches, and a line of everything that a store writes. */
async function write(): Promise<Buffer> {
  const store = new FileRunStore({ directory: folder.path, inlineMaxBytes: 256 })
  await store.create(
    newRun('a', { starts: ['n0', 'n5'], input: { text: 'JJJ***ünïcode' }, context: { big: 'x'.repeat(300) } }),
  )
  const left = await claim(store, 'a')
  const right = await claim(store, 'a', 'n5')
  await store.renew({ runId: id('a'), leaseMs: 40_000, claims: [left] })
  await store.commit(step('a', left, { output: 1, deltas: [{ op: 'increment', key: 'n', by: 2 }] }))
  await store.notify({ type: 'signal', runId: id('a'), name: 'news', payload: 'p' })
  await store.commit(step('a', right, { output: 'r', last: true }))
  await store.commit(step('a', await claim(store, 'a', 'n1'), { output: 2, last: true }))
  await store.close()
  return readFileSync(log)
}

async function read(): Promise<RunRecord | undefined> {
  const store = new FileRunStore({ directory: folder.path })
  try {
    const record = await store.load(id('a'))
    if (record === undefined) return undefined
    const events = []
    for await (const event of store.journal(id('a'))) events.push(event)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    const state = foldJournal(events)
    expect(state && recordOf(state)).toEqual(record)
    return record
  } finally {
    await store.close()
  }
}

/** What the run was after each of its lines. */
async function statesOf(whole: Buffer): Promise<(RunRecord | undefined)[]> {
  const states: (RunRecord | undefined)[] = [undefined]
  for (let end = whole.indexOf('}\n'); end !== -1; end = whole.indexOf('}\n', end + 1)) {
    writeFileSync(log, whole.subarray(0, end + 2))
    states.push(await read())
  }
  return states
}

function linesBefore(whole: Buffer, atByte: number): number {
  let count = 0
  for (let end = whole.indexOf('}\n'); end !== -1 && end + 1 < atByte; end = whole.indexOf('}\n', end + 1)) count += 1
  return count
}

describe('the log of a run', () => {
  it('cut at any byte is the run after its last whole line', { timeout: 120_000 }, async () => {
    const whole = await write()
    const states = await statesOf(whole)
    expect(states.at(-1)).toMatchObject({ status: 'completed' })

    await onEach(log, cuts(whole), async ({ atByte }) => {
      expect(await read()).toEqual(states[linesBefore(whole, atByte)])
    })
  })

  it('with a bit of any byte flipped is reported by its name, or the run is as it was', {
    timeout: 120_000,
  }, async () => {
    const whole = await write()
    const record = await read()
    let reported = 0

    const count = await onEach(log, flips(whole), async () => {
      try {
        expect(await read()).toEqual(record)
      } catch (error) {
        if ((error as { code?: string }).code !== 'STORE_CORRUPT') throw error
        expect((error as Error).message).toContain(log)
        reported += 1
      }
    })

    // Only line feeds between lines can change and mean the same.
    expect(reported).toBeGreaterThan(count * 0.95)
  })
})
