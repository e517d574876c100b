import { describe, expect, it } from 'vitest'
import { checkBlueprint } from './check-blueprint.ts'
import { findLoops } from './loops.ts'

/** Edges as `a>b`, or `a>b again` for one that leads back. Gives the loops of each node, outermost first. */
function loopsOf(...edges: readonly string[]) {
  const pairs = edges.map((edge) => edge.split(/[> ]/) as [string, string, string?])
  const blueprint = checkBlueprint({
    id: 'flow',
    nodes: [...new Set(edges.flatMap((edge) => edge.split(' ')[0]?.split('>') ?? []))].map((id) => ({ id, uses: 'x' })),
    edges: pairs.map(([source, target, again]) => ({
      source,
      target,
      ...(again === undefined ? {} : { loop: { maxVisits: 3 } }),
    })),
  })
  return Object.fromEntries([...findLoops(blueprint)].map(([id, chain]) => [id, chain.map(({ header }) => header)]))
}

describe('findLoops', () => {
  it('finds nothing where no edge leads back', () => {
    expect(loopsOf('a>b', 'b>c')).toEqual({})
  })

  it('finds a loop of one node, and what lies on the ways to where several edges come from', () => {
    expect(loopsOf('in>a', 'a>a again', 'a>out')).toEqual({ a: ['a'] })
    expect(loopsOf('in>h', 'h>a', 'h>b', 'a>h again', 'b>h again', 'b>out', 'h>aside')).toEqual({
      h: ['h'],
      a: ['h'],
      b: ['h'],
    })
  })

  it('leaves out what no edge leads back from, though the header leads there', () => {
    expect(loopsOf('h>a', 'a>h again', 'a>x', 'x>y')).toEqual({ h: ['h'], a: ['h'] })
  })

  it('nests loops, the outermost first, and keeps loops one after the other apart', () => {
    expect(loopsOf('o>i', 'i>j', 'j>i again', 'j>p', 'p>o again', 'p>q', 'q>q again')).toEqual({
      o: ['o'],
      i: ['o', 'i'],
      j: ['o', 'i'],
      p: ['o'],
      q: ['q'],
    })
  })

  it('counts to the outer loop what only leads back in the inner one', () => {
    expect(loopsOf('o>i', 'i>j', 'j>i again', 'i>p', 'p>o again').j).toEqual(['o', 'i'])
  })

  it('lets an edge lead back out of an inner loop', () => {
    expect(loopsOf('o>i', 'i>j', 'j>i again', 'j>o again')).toEqual({ o: ['o'], i: ['o', 'i'], j: ['o', 'i'] })
  })

  it('looks at a graph of many loops about once', () => {
    const edges = Array.from({ length: 10_000 }, (_, index) => [`n${index}>n${index + 1}`, `n${index}>n${index} again`])

    expect(Object.keys(loopsOf(...edges.flat()))).toHaveLength(10_000)
  })
})
