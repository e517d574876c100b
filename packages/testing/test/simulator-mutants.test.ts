/**
 * A simulation that finds nothing proves nothing: each of these bugs is caught. A seed that catches it is recorded with it,
 * and is tried first; a change of the engine may make it another simulation, and then one of the others does.
 */
import { describe, expect, it } from 'vitest'
import { simulate } from '../src/simulator/index.ts'
import { type Mutant, mutants } from '../src/simulator/mutants/index.ts'

const MOST_SEEDS = 2_000

/** @returns the seed that has caught it, and what it said */
async function caught(mutant: Mutant): Promise<{ readonly seed: number; readonly message: string }> {
  const others = Array.from({ length: MOST_SEEDS }, (_, index) => index + 1)
  for (const seed of [mutant.seed, ...others]) {
    const { violation } = await simulate({ seed, mutant })
    if (violation !== undefined) return { seed, message: violation.message }
  }
  return { seed: mutant.seed, message: 'nothing was found' }
}

describe('a planted bug', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    'is caught: %s',
    { timeout: 120_000 },
    async (_name, mutant) => {
      const { seed, message } = await caught(mutant)

      expect(message).toMatch(/^(I\d+|P2|RESULT|TREE|ROW|LIMIT|REDO|PUBLISH): /)
      expect((await simulate({ seed })).violation).toBeUndefined()
    },
  )

  it('is one of many, each with a name of its own', () => {
    const names = new Set(mutants.map(({ name }) => name))

    expect(names.size).toBe(mutants.length)
    expect(names.size).toBeGreaterThanOrEqual(80)
  })
})
