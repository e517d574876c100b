/** The engine in a world where everything goes wrong: whatever the seed, no invariant breaks and every run ends. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { simulate } from '../src/simulator/index.ts'

const SEEDS = 1_000

describe('a simulation', () => {
  it('is the same whenever its seed is the same', async () => {
    const first = await simulate({ seed: 15, keepsTrace: true })
    const second = await simulate({ seed: 15, keepsTrace: true })

    expect(second.trace).toEqual(first.trace)
    expect(second.digest).toBe(first.digest)
    expect((await simulate({ seed: 16 })).digest).not.toBe(first.digest)
  })

  it('is the same in another process', { timeout: 60_000 }, async () => {
    const child = join(import.meta.dirname, 'children', 'simulate.ts')
    const args = ['--conditions=@baton/source', '--import', 'tsx', child, '1', '20']
    const printed = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n')

    const digests: string[] = []
    for (let seed = 1; seed <= 20; seed++) digests.push((await simulate({ seed })).digest)
    expect(printed).toEqual(digests)
  })

  it('keeps its trace only for who asks, and is the same either way', async () => {
    const kept = await simulate({ seed: 3, keepsTrace: true })
    const told = await simulate({ seed: 3 })

    expect(told.trace).toEqual([])
    expect(told.digest).toBe(kept.digest)
  })
})

describe(`seeds 1 to ${SEEDS}`, () => {
  it('break no invariant, and all kinds of ends and faults are among them', { timeout: 180_000 }, async () => {
    const statuses = new Map<string, number>()
    let faults = 0
    let revisits = 0
    let children = 0
    let successors = 0
    let letIn = 0
    let redriven = 0
    let published = 0
    let doubles = 0

    for (let seed = 1; seed <= SEEDS; seed++) {
      const simulated = await simulate({ seed })
      if (simulated.violation !== undefined) throw new Error(`seed ${seed}`, { cause: simulated.violation })
      for (const status of simulated.statuses) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      faults += simulated.faults.length
      revisits += simulated.revisits
      children += simulated.children
      successors += simulated.successors
      letIn += simulated.letIn
      redriven += simulated.redriven
      published += simulated.published
      doubles += simulated.doubles
    }

    expect([...statuses.keys()].sort()).toEqual(['cancelled', 'completed', 'failed'])
    for (const count of statuses.values()) expect(count).toBeGreaterThan(SEEDS / 10)
    expect(faults).toBeGreaterThan(SEEDS * 5)
    expect(revisits).toBeGreaterThan(SEEDS / 4)
    expect(children).toBeGreaterThan(SEEDS / 4)
    expect(published).toBeGreaterThan(SEEDS * 10)
    expect(doubles).toBeGreaterThan(SEEDS)
    for (const count of [successors, letIn, redriven]) expect(count).toBeGreaterThan(SEEDS / 10)
  })
})
