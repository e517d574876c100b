import { expect, it } from 'vitest'
import { parseRunId } from '../model/ids.ts'
import type { RunLog } from './log-backend.ts'
import { LoggedRun } from './logged-run.ts'

it('counts what it has asked the backend, and not what it knew: who was not listening before must be able to rely on it', async () => {
  let asked = 0
  const log: Partial<RunLog> = {
    runId: parseRunId('r'),
    name: 'log',
    read: async () => {
      asked += 1
      return { nowMs: 1, count: 0, lines: [] }
    },
  }
  const run = new LoggedRun(log as RunLog, { redispatchMs: 1_000, batchChars: 1_000, sha256: (text) => text })

  await run.read(0)
  await run.read(0)
  expect([asked, run.exchanges]).toEqual([0, 0])
  await run.read()
  expect([asked, run.exchanges]).toEqual([1, 1])
})
