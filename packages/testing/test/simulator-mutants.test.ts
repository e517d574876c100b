/** A simulation that finds nothing proves nothing: each of these bugs is caught by the seed that is recorded with it. */
import { describe, expect, it } from 'vitest'
import { simulate } from '../src/simulator/index.ts'
import { mutants } from '../src/simulator/mutants/index.ts'

describe('a planted bug', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('is caught: %s', async (_name, mutant) => {
    const { seed } = mutant

    expect((await simulate({ seed, mutant })).violation?.message ?? 'nothing was found').toMatch(/^(I\d+|P2|RESULT): /)
    expect((await simulate({ seed })).violation).toBeUndefined()
  })

  it('is one of many, each with a name of its own', () => {
    const names = new Set(mutants.map(({ name }) => name))

    expect(names.size).toBe(mutants.length)
    expect(names.size).toBeGreaterThanOrEqual(40)
  })
})
