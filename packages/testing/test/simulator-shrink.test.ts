import { describe, expect, it } from 'vitest'
import { simulate } from '../src/simulator/index.ts'
import { mutants } from '../src/simulator/mutants/index.ts'
import { shrink } from '../src/simulator/shrink.ts'

describe('a failing seed', () => {
  it('is made small, and still shows the same violation', { timeout: 60_000 }, async () => {
    const mutant = mutants.find(({ name }) => name === 'the fence is not looked at')
    const found = await simulate({ seed: mutant?.seed ?? 0, mutant })

    const { limits, simulated } = await shrink(found, { mutant, tries: 60 })

    expect(found.violation?.invariant).toBe('I7')
    expect(simulated.violation?.invariant).toBe('I7')
    expect(simulated.steps).toBeLessThan(found.steps)
    expect(limits.without?.length).toBeGreaterThan(3)
    expect(simulated.trace.length).toBeGreaterThan(simulated.steps)
  })
})
