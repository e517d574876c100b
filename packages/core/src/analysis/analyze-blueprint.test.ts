import { describe, expect, it } from 'vitest'
import { countedWork, graph, ladder } from '../../test/graphs.ts'
import type { Blueprint } from '../model/blueprint.ts'
import { checkBlueprint } from '../model/check-blueprint.ts'
import { analyzeBlueprint } from './analyze-blueprint.ts'
import { relationsOf } from './node-relations.ts'

describe('analyzeBlueprint', { timeout: 120_000 }, () => {
  it('tells where a graph starts, branches, joins and ends, who only stands in, and what can run together', () => {
    const analysis = analyzeBlueprint({
      id: 'x',
      nodes: [
        { id: 'a', uses: 'f' },
        { id: 'b', uses: 'f', config: { fallback: 'spare' } },
        { id: 'c', uses: 'f' },
        { id: 'd', uses: 'f' },
        { id: 'spare', uses: 'f' },
        { id: 'e', uses: 'f' },
      ],
      edges: [
        { source: 'a', target: 'c' },
        { source: 'b', target: 'c' },
        { source: 'b', target: 'd', action: 'x' },
        { source: 'c', target: 'e' },
      ],
    })

    expect(analysis).toEqual({
      startNodeIds: ['a', 'b'],
      terminalNodeIds: ['d', 'e'],
      joinNodeIds: ['c'],
      loopNodeIds: [],
      branchNodeIds: ['b'],
      fallbackNodeIds: ['spare'],
      unreachableNodeIds: [],
      cycles: [],
      layers: [['a', 'b'], ['c', 'd'], ['e']],
      depth: 3,
      width: 2,
      longestPath: ['a', 'c', 'e'],
    })
  })

  it('takes the longest way where a short one leads to the same node', () => {
    const { layers, longestPath } = analyzeBlueprint(graph('a>b b>c c>d a>d d>e a>e'))

    expect(layers).toEqual([['a'], ['b'], ['c'], ['d'], ['e']])
    expect(longestPath).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('finds the cycles of a graph that cannot run, and what nothing starts', () => {
    const blueprint = graph('start>a a>b b>c c>a b>x x>y y>x lone>lone p>q q>p')
    expect(() => checkBlueprint(blueprint)).toThrow(/leads back|closes a cycle/)

    const { cycles, startNodeIds, unreachableNodeIds, layers } = analyzeBlueprint(blueprint)

    expect(cycles).toEqual([['a', 'b', 'c'], ['x', 'y'], ['lone'], ['p', 'q']])
    expect(startNodeIds).toEqual(['start'])
    expect(unreachableNodeIds).toEqual(['lone', 'p', 'q'])
    expect(layers.flat().sort()).toEqual(['a', 'b', 'c', 'lone', 'p', 'q', 'start', 'x', 'y'])
  })

  it('does not take a declared loop for a join, a start or an end', () => {
    const { nodes, edges } = graph('a>b b>c a>d')
    const back = { source: 'c', target: 'a', action: 'again', loop: { maxVisits: 3 } }
    const onItsOwn = { source: 'd', target: 'd', action: 'again', loop: { maxVisits: 3 } }

    expect(analyzeBlueprint({ id: 'x', nodes, edges: [back, ...edges, onItsOwn] })).toMatchObject({
      startNodeIds: ['a'],
      terminalNodeIds: ['c', 'd'],
      joinNodeIds: [],
      loopNodeIds: ['a', 'd'],
      unreachableNodeIds: [],
      cycles: [['a', 'b', 'c'], ['d']],
      layers: [['a'], ['b', 'd'], ['c']],
    })
  })

  it('believes an edge that says it leads back, also where it does not', () => {
    const { nodes, edges } = graph('a>b c')
    const astray = { source: 'c', target: 'b', loop: { maxVisits: 3 } }

    expect(analyzeBlueprint({ id: 'x', nodes, edges: [...edges, astray] })).toMatchObject({
      joinNodeIds: [],
      layers: [['a', 'c'], ['b']],
    })
  })

  it('sees one cycle where several share a node, and none in a graph without', () => {
    expect(analyzeBlueprint(graph('a>b b>a b>c c>b c>d')).cycles).toEqual([['a', 'b', 'c']])
    expect(analyzeBlueprint(graph('a>b a>c b>d c>d')).cycles).toEqual([])
  })

  it('looks past what is wrong with a graph: edges to nowhere, ids that are there twice', () => {
    const analysis = analyzeBlueprint({
      id: 'x',
      nodes: [
        { id: 'a', uses: 'f', config: { fallback: 'gone' } },
        { id: 'a', uses: 'g' },
      ],
      edges: [{ source: 'a', target: 'gone' }],
    })

    expect(analysis).toMatchObject({ startNodeIds: ['a'], terminalNodeIds: ['a'], layers: [['a']] })
  })

  it('refuses what is no blueprint at all', () => {
    expect(() => analyzeBlueprint({ id: 'x', nodes: 7 } as unknown as Blueprint)).toThrow(
      expect.objectContaining({ code: 'INVALID_BLUEPRINT', field: 'nodes' }),
    )
  })

  it('does ten times the work for ten times the graph', () => {
    const work = (nodes: number) => countedWork(() => analyzeBlueprint(ladder(nodes)))

    expect(work(10_000)).toBeLessThan(10.5 * work(1_000))
  })
})

describe('relationsOf', () => {
  const blueprint = graph('a>b a>c b>d c>d d>e x>y', { b: { fallback: 'spare' } })

  it('tells what a node waits for, what waits for it, and what may run at the same time', () => {
    expect(relationsOf(blueprint, 'b')).toEqual({
      waitsFor: ['a'],
      before: ['a'],
      after: ['d', 'e', 'spare'],
      beside: ['c', 'x', 'y'],
    })
    expect(relationsOf(blueprint, 'd')).toEqual({
      waitsFor: ['b', 'spare', 'c'],
      before: ['a', 'b', 'c', 'spare'],
      after: ['e'],
      beside: ['x', 'y'],
    })
  })

  it('puts a fallback between the node that it stands in for and what follows that', () => {
    expect(relationsOf(blueprint, 'spare')).toEqual({
      waitsFor: ['b'],
      before: ['a', 'b'],
      after: ['d', 'e'],
      beside: ['c', 'x', 'y'],
    })
  })

  it('knows a node on a cycle as one that waits for itself', () => {
    expect(relationsOf(graph('a>b b>c c>b'), 'b')).toMatchObject({
      before: ['a', 'b', 'c'],
      after: ['b', 'c'],
      beside: [],
    })
  })

  it('asks what was meant by an id that is not there', () => {
    expect(() => relationsOf(graph('charge>ship'), 'chrage')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', field: 'nodeId', hint: 'Did you mean `charge`?' }),
    )
  })
})
