import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createFlow } from '@baton/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileAdapter, type FileAdapterOptions } from '../src/adapter.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { newRun } from './runs.ts'
import { testClock } from './test-clock.ts'

let folder: TestFolder
const adapters: FileAdapter[] = []

beforeEach(() => {
  folder = testFolder()
})
afterEach(async () => {
  for (const adapter of adapters.splice(0)) await adapter.close()
  folder.remove()
})

const flow = createFlow('flow').node('n0', () => ({}))

function open(options: Partial<FileAdapterOptions> = {}): FileAdapter {
  const adapter = new FileAdapter({ directory: folder.path, runtimeOptions: { flows: [flow] }, ...options })
  adapters.push(adapter)
  return adapter
}

/** How long after its start a run that nobody works on is reminded of. */
async function reminderMs(options: Partial<FileAdapterOptions>): Promise<number> {
  const clock = testClock()
  const { store } = open({ ...options, clock })
  await store.create(newRun('a'))
  for (let ms = 0; ; ms += 500) {
    if ((await store.due({ limit: 1, unsentOnly: true })).length > 0) return ms
    clock.advance(500)
  }
}

describe('the adapter', () => {
  it.each([
    ['after 30 s', {}, 30_000],
    ['after a lease, when that is given', { leaseMs: 2_000 }, 2_000],
    ['when it is told', { leaseMs: 2_000, redispatchMs: 5_000 }, 5_000],
    ['no later than it is told', { leaseMs: 2_000, redispatchMaxMs: 1_000 }, 1_000],
    ['after a lease that is longer than the longest pause', { leaseMs: 700_000 }, 700_000],
  ])('reminds of work that nobody took up %s', async (_, options, ms) => {
    expect(await reminderMs(options)).toBe(ms)
  })

  it('passes the options of the run store on, which checks them', async () => {
    const { store } = open({ inlineMaxBytes: 256, valueMaxBytes: 2_000 })

    expect(await store.create(newRun('a', { input: 'x'.repeat(3_000) }))).toEqual({
      status: 'too-large',
      limitBytes: 2_000,
    })
    expect(() => open({ tombstoneMs: 0 })).toThrow(expect.objectContaining({ field: 'tombstoneMs' }))
    expect(() => open({ redispatchMs: 10, redispatchMaxMs: 5 })).toThrow(
      expect.objectContaining({ field: 'redispatchMaxMs' }),
    )
  })

  it.each([
    [{ leasMs: 1_000 }, 'options.leasMs', 'Did you mean `leaseMs`?'],
    [{ durabilty: 'process' }, 'options.durabilty', 'Did you mean `durability`?'],
    [{ runtimeOptions: { flwos: [] } }, 'runtimeOptions.flwos', 'Did you mean `flows`?'],
    [{ concurrency: 0 }, 'concurrency', 'Leave it out for the default.'],
  ])('refuses what it does not know before it makes anything: %j', (options, field, hint) => {
    const directory = join(folder.path, 'new')

    expect(() => open({ directory, ...(options as object) })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', field, hint }),
    )
    expect(existsSync(directory)).toBe(false)
  })
})
