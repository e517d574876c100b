import { parseRunId } from '@baton/core'
import { expect, it } from 'vitest'
import { LoggedRun } from '../../src/run-store/logged-run.ts'
import type { ScriptLine } from '../../src/run-store/script-line.ts'

it('counts what it has asked Redis, and not what it knew: who was not listening before must be able to rely on it', async () => {
  let asked = 0
  const line = {
    send: async () => {
      asked += 1
      return { nowMs: 1, count: 0, lines: [] }
    },
  } as unknown as ScriptLine
  const shard = { line, dueKey: () => 'due', readBlobs: async () => [], redispatchMs: 1_000 }
  const run = new LoggedRun(parseRunId('r'), { log: 'log', blobs: 'blobs' }, shard)

  await run.read(0)
  await run.read(0)
  expect([asked, run.exchanges]).toEqual([0, 0])
  await run.read()
  expect([asked, run.exchanges]).toEqual([1, 1])
})
