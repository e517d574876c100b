/** A late step of a long loop costs what an early one costs: in system calls and in bytes. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { createFlow, FlowRuntime, type NodeArguments } from '@baton/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FileRunStore } from '../src/run-store.ts'
import { type TestFolder, testFolder } from './folder.ts'

const STEPS = 10_000
const EARLY = [200, 300] as const
const LATE = [9_900, STEPS] as const
const HOURS_MS = 36_000_000

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  folder.remove()
})

it(`costs the same at step ${LATE[0]} as at step ${EARLY[0]}`, { timeout: 60_000 }, async () => {
  const spies = { writeSync: vi.spyOn(fs, 'writeSync'), readSync: vi.spyOn(fs, 'readSync') }
  syncBuiltinESMExports()
  const at = new Map<number, { readonly writes: number; readonly reads: number }>()
  const flow = createFlow<number>('loop')
    .node('step', ({ input }: NodeArguments<number>) => {
      at.set(input, { writes: spies.writeSync.mock.calls.length, reads: spies.readSync.mock.calls.length })
      return { output: input + 1 }
    })
    .edge('step', 'step', { condition: ({ output }) => Number(output) <= STEPS, loop: { maxVisits: STEPS + 1 } })
  const store = new FileRunStore({ directory: folder.path, durability: 'process' })
  // What comes by the clock is no cost of a step.
  const runtime = new FlowRuntime({ flows: [flow], store, worker: { leaseMs: HOURS_MS, sweepMs: HOURS_MS } })

  expect(await runtime.run(flow, 0)).toMatchObject({ status: 'completed', output: STEPS + 1 })

  await runtime.stop()
  await store.close()
  const costOf = ([from, to]: readonly [number, number]) => {
    const [begun, ended] = [at.get(from), at.get(to)]
    if (begun === undefined || ended === undefined) throw new Error(`no step ${from} or ${to}`)
    const lines = spies.writeSync.mock.calls.slice(begun.writes, ended.writes)
    const bytes = lines.reduce((sum, [, data]) => sum + Buffer.byteLength(data), 0)
    return { writes: lines.length, reads: ended.reads - begun.reads, bytes }
  }
  const [early, late] = [costOf(EARLY), costOf(LATE)]
  expect(early).toMatchObject({ writes: 100, reads: 100 })
  expect(late).toMatchObject({ writes: 100, reads: 100 })
  // Numbers of more digits.
  expect(late.bytes).toBeLessThan(early.bytes * 1.1)
})
