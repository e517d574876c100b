/** Tiny runs in every order in which two workers' calls can take effect, with at most one of them dying at any of them. */
import { describe, expect, it } from 'vitest'
import { everyOrder } from '../src/simulator/exhaustive/orders.ts'
import { type TinyGraph, tinyGraphs } from '../src/simulator/exhaustive/tiny-graphs.ts'
import { play } from '../src/simulator/exhaustive/tiny-world.ts'
import { type Mutant, mutants } from '../src/simulator/mutants/index.ts'

const MOST = 20_000

async function explore(graph: TinyGraph, crashes: number, mutant?: Mutant) {
  const mistakes = new Set<string>()
  const explored = await everyOrder(
    async (choices) => {
      const mistake = await play(graph, choices, { crashes, mutant })
      if (mistake !== undefined) mistakes.add(mistake)
    },
    { most: MOST },
  )
  return { ...explored, mistakes: [...mistakes] }
}

describe('every order', () => {
  it('of two choices of three is taken once', async () => {
    const seen: string[] = []

    const { orders } = await everyOrder(async (choices) => void seen.push(`${choices.take(3)}${choices.take(3)}`), {
      most: MOST,
    })

    expect(seen).toEqual(['00', '01', '02', '10', '11', '12', '20', '21', '22'])
    expect(orders).toBe(9)
  })

  it.each(tinyGraphs.map((graph) => [graph.name, graph] as const))(
    'of this one ends well: %s',
    { timeout: 240_000 },
    async (_name, graph) => {
      const calm = await explore(graph, 0)
      const deadly = await explore(graph, 1)

      expect(calm).toMatchObject({ isComplete: true, mistakes: [] })
      expect(deadly).toMatchObject({ isComplete: true, mistakes: [] })
      // Each order without a crash is one with it, and each of its points is one to die at.
      expect(calm.orders).toBeGreaterThan(3)
      expect(deadly.orders).toBeGreaterThan(3 * calm.orders)
    },
  )

  it.each([
    ['a redelivered job runs a node again that has succeeded', 'redelivered last branch'],
    ['a join is ready one arrival too early', 'all join of two'],
    ['a run that is being cancelled starts more', 'cancel race'],
    ['nobody finds a lease that has ended', 'redelivered last branch'],
  ])('finds a planted bug: %s', { timeout: 60_000 }, async (bug, name) => {
    const mutant = mutants.find((each) => each.name === bug)
    const graph = tinyGraphs.find((each) => each.name === name)
    if (graph === undefined || mutant === undefined) throw new Error('no such bug or graph')

    expect((await explore(graph, 1, mutant)).mistakes.length).toBeGreaterThan(0)
  })
})
