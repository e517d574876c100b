import { describe, expect, it } from 'vitest'
import { checkBlueprint } from '../model/check-blueprint.ts'
import type { Fate } from '../model/run.ts'
import { cascade } from './cascade.ts'
import { compileGraph, type Graph, nodeOf } from './graph.ts'

const any = { joinStrategy: 'any' }
const ignore = { joinStrategy: 'any', anyFailure: 'ignore' }

/** `edges` as `a>b`. */
function graphOf(edges: readonly string[], configs: Record<string, object> = {}): Graph {
  const pairs = edges.map((edge) => edge.split('>') as [string, string])
  return compileGraph(
    checkBlueprint({
      id: 'flow',
      nodes: [...new Set(pairs.flat())].map((id) => ({ id, uses: 'x', config: configs[id] })),
      edges: pairs.map(([source, target]) => ({ source, target })),
    }),
  )
}

/** What follows when the first node of the graph sends this fate along all of its edges; in few words. */
function follow(graph: Graph, fate: Fate) {
  const node = nodeOf(graph, graph.starts[0] as string)
  const { arrivals, settlements, takenBy } = cascade(
    graph,
    node,
    node.id,
    node.outgoing.map(() => fate),
  )
  return {
    arrivals: arrivals.map(({ edge, fate }) => `${edge} ${fate}`),
    settled: settlements.map(({ instanceId, fate, after }) => {
      const how = fate.type === 'skipped' ? `skipped ${fate.reason}` : `failed ${fate.error.code}`
      return `${instanceId} ${how}${after === undefined ? '' : ` after ${settlements[after]?.instanceId}`}`
    }),
    takenBy,
  }
}

describe('a failure', () => {
  it('skips the line behind it', () => {
    expect(follow(graphOf(['a>b', 'b>c']), 'failed')).toEqual({
      arrivals: ['a->b failed'],
      settled: ['b skipped upstream-failed', 'c skipped upstream-failed'],
      takenBy: { always: false, ifStarted: [] },
    })
  })

  it('poisons a join of all, and what lies behind that depends on the poison', () => {
    expect(follow(graphOf(['a>j', 'b>j', 'j>c']), 'failed')).toMatchObject({
      settled: ['j failed PREDECESSOR_FAILED', 'c skipped upstream-failed after j'],
      takenBy: { always: false, ifStarted: [] },
    })
  })

  it('calls off an `any` join, which takes the failure only if it had started', () => {
    expect(follow(graphOf(['a>j', 'b>j', 'j>c'], { j: any }), 'failed')).toMatchObject({
      settled: ['j failed PREDECESSOR_FAILED', 'c skipped upstream-failed after j'],
      takenBy: { always: false, ifStarted: ['j'] },
    })
  })

  it('only arrives at an `any` join that ignores it, and is taken', () => {
    expect(follow(graphOf(['a>j', 'b>j', 'j>c'], { j: ignore }), 'failed')).toEqual({
      arrivals: ['a->j failed'],
      settled: [],
      takenBy: { always: true, ifStarted: [] },
    })
  })

  it('is taken at the end of the line that it skips', () => {
    expect(follow(graphOf(['a>b', 'b>c', 'c>j', 'x>j'], { j: ignore }), 'failed')).toMatchObject({
      settled: ['b skipped upstream-failed', 'c skipped upstream-failed'],
      takenBy: { always: true },
    })
  })

  it('is taken by whoever takes that of the join which it poisons', () => {
    const graph = graphOf(['a>j', 'b>j', 'j>k', 'c>k'], { k: ignore })

    const { settlements, takenBy } = cascade(graph, nodeOf(graph, 'a'), 'a', ['failed'])

    expect(takenBy).toEqual({ always: true, ifStarted: [] })
    expect(settlements[0]?.fate).toMatchObject({ type: 'failed', takenBy: { always: true, ifStarted: [] } })
  })

  it('settles a join once, however many ways lead there', () => {
    expect(follow(graphOf(['a>b', 'a>c', 'b>j', 'c>j', 'a>j']), 'failed').settled).toEqual([
      'b skipped upstream-failed',
      'c skipped upstream-failed',
      'j failed PREDECESSOR_FAILED',
    ])
  })

  it('follows a chain of joins, each after the one before', () => {
    expect(follow(graphOf(['a>j', 'b>j', 'j>k', 'c>k', 'k>d']), 'failed').settled).toEqual([
      'j failed PREDECESSOR_FAILED',
      'k failed PREDECESSOR_FAILED after j',
      'd skipped upstream-failed after k',
    ])
  })
})

describe('a skip', () => {
  it('skips the line behind it, up to the next join, which only hears of it', () => {
    const graph = graphOf(['a>b', 'b>j', 'c>j', 'j>d'])

    expect(follow(graph, 'skipped')).toEqual({
      arrivals: ['a->b skipped'],
      settled: ['b skipped not-taken'],
      takenBy: { always: false, ifStarted: [] },
    })
    const { settlements } = cascade(graph, nodeOf(graph, 'a'), 'a', ['skipped'])
    expect(settlements[0]?.arrivals).toEqual([
      { to: 'j', edge: 'b->j', from: 'b', fate: 'skipped', rule: 'all', of: 2 },
    ])
  })

  it('leaves the edges alone that were taken', () => {
    const graph = graphOf(['a>b', 'a>c'])

    const { arrivals, settlements } = cascade(graph, nodeOf(graph, 'a'), 'a', ['skipped', 'succeeded'])

    expect(arrivals.map(({ to, fate }) => [to, fate])).toEqual([
      ['b', 'skipped'],
      ['c', 'succeeded'],
    ])
    expect(settlements.map(({ instanceId }) => instanceId)).toEqual(['b'])
  })
})

describe('a line that is longer than one commit settles', () => {
  const ids = Array.from({ length: 200 }, (_, index) => `n${index}`)
  const line = ids.slice(1).map((id, index) => `${ids[index]}>${id}`)

  it('is settled in part', () => {
    expect(follow(graphOf(line), 'skipped').settled).toHaveLength(50)
  })

  it('still has its taker known, at the far end', () => {
    const { settled, takenBy } = follow(graphOf([...line, 'n199>j', 'x>j'], { j: ignore }), 'failed')

    expect(settled).toHaveLength(50)
    expect(takenBy.always).toBe(true)
  })
})
